"""What the report says beside its figures and tables."""

from __future__ import annotations

from collections.abc import Sequence

from synaplex.studies.la_malfa_2024.data import scaling_of
from synaplex.studies.la_malfa_2024.recipe import LEARNING_RATES, NAMES, SHOWN, Settings

VERDICTS = (
    "Each statement can be false; its criterion was fixed before the numbers were seen. It is tested on every cell "
    "(dataset, architecture, depth, activation) and layer to which it applies: there it holds or fails where the 95% "
    "interval of the mean over networks lies within or without the criterion, else it stays undecided. On the whole it "
    "holds (fails) where at least 80% of the tests do in the cells of which the paper says it. The same test is made "
    "of three null models: the networks before training, and the trained ones with the weights of each link shuffled "
    "or with random signs. **A claim that the null models meet as well tells nothing of learning.**"
)

CLAIMS_TABLE = (
    "Every claim: in how many tests it holds, the median of the number that decides, the criterion, in how many tests "
    "each null model meets it, and how often it holds in cells of which the paper does not speak."
)

TOPICS = {
    "performance": "How well the networks do (table 1)",
    "architectures": "Architectures (figures 2 and 3)",
    "dead": "Dead units",
    "activations": "Activation functions (figure 4)",
    "depth": "Depth (figures 5, 6 and 8)",
    "nodes": "Nodes Strength beside Neurons Strength (figures 5 to 7)",
    "control": "What plain weight statistics tell",
}
"""Titles of the sections."""

TOPIC_TEXTS = {
    "performance": (
        "The paper gives the smallest and largest test accuracy (of autoencoders, mean squared error) over all depths "
        "and activations. Ours are trained far less at small scale: read its numbers as a lower bound."
    ),
    "architectures": (
        "Networks of three layers, the hidden and the output layer of which are layers 2 and 3. Nodes Strength is the "
        "sum of incoming weights, the bias added to each (equation 3; both directions apart, as in the paper); Neurons "
        "Strength what a neuron receives for an input (equations 5, 7 and 9), Neurons Activation what it makes of it "
        "(equation 6)."
    ),
    "dead": (
        "The paper means by dead units an abundance of weights that are negative or close to zero. Half of all weights "
        "are negative in any symmetric distribution; so units are counted that do nothing for any input, and weights "
        "closer to zero than a Gaussian's would be."
    ),
    "activations": "Networks of three layers with linear, ReLU and sigmoid hidden layers.",
    "depth": (
        "Are the layers of a shallow network building blocks of a deep one? Two distributions overlap where their "
        "Wasserstein distance is below a quarter of their standard deviation."
    ),
    "nodes": (
        "For each network, the correlation over the neurons of a layer between its Nodes Strength, which sees weights "
        "only, and the mean of what the data bring."
    ),
    "control": (
        "Do the new metrics tell architecture, activation and depth of a network apart, and better than the mean, "
        "variance and quantiles of its weights do, with the same classifier and folds?"
    ),
}

FIGURES = {
    "performance": (
        "A dot a network, from left to right by depth within each activation; grey bands are the published ranges. "
        "Errors of autoencoders are those of images as they were scaled here."
    ),
    "fig2-architectures": (
        f"The paper's figure 2: hidden layer (2) and output layer (3) of networks of three layers, {SHOWN} hidden "
        "layers; dotted, the same networks before training. Strengths are in standard deviations of each curve; output "
        "layers without an activation function are not drawn twice."
    ),
    "fig3-heat": (
        "The paper's figure 3. From left to right: Neurons Strength of the recurrent layer over all steps; its mean "
        "size at each step; heat maps of what each pixel brings to the layer at the step that reads its row, trained "
        "and untrained; and the input itself. A map is the mean of |pixel| times the sum of |weights that read it|, "
        "the mean over networks, its sum 1. The segments of the input are rows: step t reads row t of the image, of a "
        "coloured image the rows of its channels side by side (added in the map)."
    ),
    "fig4-activations": (
        "The paper's figure 4: the hidden layer of networks of three layers by activation function; values in "
        "standard deviations, but for the activations of sigmoids."
    ),
    "depths": (
        "Mean Wasserstein distance of Neurons Strengths between each layer of seven and each layer of three, in "
        "standard deviations; in the last row, between two networks of the same cell, which is what chance does. "
        "The paper pairs layer 4 with 2 and 7 with 3 (framed)."
    ),
    "fig8-nine-layers": (
        f"The paper's figure 8: layers 2, 5, 7 and 9 of networks of nine layers, {SHOWN} hidden layers; dotted, before "
        "training. Strengths are in standard deviations of each curve."
    ),
    "correlations": (
        "Every test: mean correlation over networks, a dot a cell and layer; grey marks are null models. Between the "
        "dashed lines the paper's claim holds."
    ),
    "dead": "Every test: share of dead hidden neurons, and of weights within a tenth of a standard deviation of zero.",
}

TABLE_1 = (
    "The paper's table 1 beside ours: smallest and largest over all networks, then by activation. Autoencoders: mean "
    "squared error of images as they were scaled here."
)

SCALINGS = (
    "Mean squared error by the scaling of the images. What knows nothing of an image: always 0, its brightness on "
    "average, the mean image; the best that an output in [0, 1] can do; and our autoencoders of all depths, with "
    "linear outputs (converted exactly) and with sigmoid outputs (trained on the scalings that have a number)."
)

DIFFERENTIATION = (
    "Cross-validated accuracy with which features of the hidden and the output layer tell networks apart. *shuffled* "
    "and *untrained* are Neurons Strengths of null models."
)

CELLS = "Every cell: test accuracy, or mean squared error of autoencoders."
TESTS = (
    "The mean over networks with its 95% interval and verdict; mean and verdict of each null model, and "
    "z, how many standard errors of that mean ours lies above it. "
    "*published* marks the cells of which the paper says it. Layers count from 1 at the input."
)
TESTS_NOTE = "A z-score is missing where the null model has no spread: the number is then fixed by the weights alone."


def topic_of(name: str) -> str:
    """The section of a figure."""
    known = {"performance": "performance", "fig4-activations": "activations", "depths": "depth", "dead": "dead"}
    known |= {"fig2-architectures": "architectures", "fig3-heat": "architectures", "fig8-nine-layers": "depth"}
    return known.get(name, "depth" if name.startswith(("fig5", "fig6")) else "nodes")


def caption(name: str) -> str:
    """The caption of a figure by its name."""
    if name in FIGURES:
        return FIGURES[name]
    number, _, depth, activation = name.removeprefix("fig").split("-")
    return (
        f"The paper's figure {number}: Neurons Strength and Activation of networks of {depth} layers, {activation} "
        "hidden layers, and a point a neuron: its Nodes Strength against the mean of either over the sample; r is the "
        "mean correlation within a network."
    )


def method(settings: Settings, datasets: Sequence[str]) -> str:
    """How it was done."""
    networks = ", ".join(f"{count} {NAMES[kind]}s" for kind, count in settings.networks)
    steps = ", ".join(f"{NAMES[kind]} of {depth} {count:,}" for kind, depth, count in settings.steps)
    rates = ", ".join(f"{NAMES[kind]}s {rate:g}" for kind, rate in LEARNING_RATES.items())
    images = ", ".join(
        f"{name} {'with mean 0 and variance 1' if scaling_of(name) == 'standard' else 'in [0, 1]'}" for name in datasets
    )
    return (
        f"- **Networks.** {networks} a cell (the paper: 30), about {settings.parameters:,} parameters each: the paper "
        "has comparable numbers and gives none. Depth counts input and output.\n"
        "- **Start.** Gaussian, of variance 0.05 (MNIST) and 0.5 (CIFAR-10), biases zero. Recurrent weights of linear "
        "and ReLU layers start as the orthogonal factor of the matrix drawn: at these variances states would grow "
        "several times over in each step.\n"
        f"- **Images.** {images}; the paper does not say. Its autoencoders' errors do: see the table of scalings.\n"
        f"- **Training.** Adam, learning rate {rates}; batches of {settings.batch_size}; steps: {steps}. Of the "
        f"training images {_number(settings.train_size)}, of the test images {_number(settings.test_size)} are used.\n"
        f"- **Sample.** Each network is observed on {settings.sample} images of the training set, the same for all "
        "networks and null models of a dataset. Moments, shares and correlations are of all values; figures and "
        f"distances read {settings.kept_values:,} values and {settings.kept_neurons:,} neurons a layer and network, at "
        "places drawn once.\n"
        "- **Two humps.** A mixture of two normal distributions fits far better than one, and the density has a valley "
        "between two modes."
    )


def _number(count: int | None) -> str:
    return "all" if count is None else f"the first {count:,}"
