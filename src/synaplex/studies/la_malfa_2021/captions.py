"""The words of the report: what each part is about, and what to see in each figure."""

from __future__ import annotations

from synaplex.studies.la_malfa_2021.recipe import BINS, LEARNING_RATES, WIDE_RATE, Settings, power
from synaplex.studies.shape import DIP, EVIDENCE

VERDICTS = (
    "Each statement can be false; its criterion was fixed before the numbers were seen. It is tested on every "
    "population and layer to which it applies: there it holds, fails, or stays undecided where an interval covers "
    "both. On the whole it holds (fails) where at least 80% of these tests do; a mixed outcome is undecided."
)

GROUPS_TABLE = (
    "The claims about populations by kind of network and scale of the initial weights: verdict, and in how many "
    "populations and layers each holds."
)

BINS_TABLE = (
    "Networks in each bin of test accuracy (named by its lower end) in every composition, and the best accuracy. Bins "
    "that are empty were not reached, or were passed in one step."
)

DISTANCES_TEXT = (
    "The paper's thesis in one figure: do strengths separate the lowest from the highest bin where link weights do not?"
)

DISTANCES = (
    "Wasserstein distance between the lowest and the highest filled bin in standard deviations, less what halves of "
    "one bin differ by chance, with 95% intervals. Grey squares: the weights that enter the layer; blue: strengths; "
    "crosses: strengths with weights shuffled within each layer or signs flipped. Left of the dotted line two "
    "distributions are hardly told apart by eye. Where crosses lie on the blue dots, strength tells nothing but the "
    "distribution of weights."
)

TOPICS = {
    "weights": "Link weights (figures 2 and 7)",
    "strength": "Nodes Strength (figures 3, 5, 8 and 10)",
    "fluctuation": "Layers Fluctuation (figures 4 and 9)",
    "individual": "One network while it learns (figure 6)",
    "controls": "Null models and the baseline",
}
"""Titles of the sections of findings."""

TOPIC_TEXTS = {
    "weights": "Densities of the weights of each link. A shared kernel counts once.",
    "strength": (
        "Strength is the sum of a neuron's incoming and outgoing weights. As in the code released with the paper, the "
        "missing side of input and output neurons counts 1 and a neuron's bias is added once."
    ),
    "fluctuation": "Fluctuation is the standard deviation of the strengths within a layer, one number a network.",
    "individual": "A CNN of four convolutions and two dense layers, normal initial weights of scale 0.05.",
    "controls": (
        "Shuffling weights within a layer keeps their distribution and destroys their places; flipping signs at random "
        "keeps magnitudes in their places. The baseline predicts accuracy from the mean, variance and five quantiles "
        "of each link's weights, with the same ridge regression and the same cross-validation over one composition."
    ),
}

INDIVIDUAL_TABLE = (
    "The single network at each moment: mean and kurtosis of strengths, fluctuation, and the share of neurons that "
    "have their strength in common with another; the last two also with weights shuffled."
)

TESTS_TEXT = "Each claim on each population and layer. Layer 0 is the input."
TESTS_TABLE = "The deciding number with its interval, the mean and z-score of each null model, and the verdict."
TESTS_NOTE = "A z-score is missing where the null model has no spread: the number is then fixed by the weights alone."

_MEASURES = {"weights": "link weights", "strength": "Nodes Strength", "fluctuation": "Layers Fluctuation"}
_KINDS = {"dense": "dense networks", "cnn": "CNNs"}


def belongs(name: str, topic: str) -> bool:
    """Whether a figure is shown in a section; the report shows populations of normal initial weights, files all."""
    if topic == "individual":
        return name == "fig6-individual"
    if "uniform" in name:
        return False
    return f"-{topic}-" in name or (topic == "strength" and "-moments-" in name)


def caption(name: str) -> str:
    """The caption of a figure by its name."""
    if name == "fig6-individual":
        return (
            "The paper's figure 6: link weights (top), strengths (middle), and mean strength with its fluctuation as "
            "error bar (bottom) of one CNN, from grey (low accuracy) to blue (high)."
        )
    number, kind, measure, initializer, order = name.split("-")
    whose = f"{_KINDS[kind]} of about {power(round(float(order)))}, {initializer} initial weights"
    figure = number.removeprefix("fig")
    if measure == "moments":
        return (
            f"The paper's figure {figure}: kurtosis (less 3, red) and skewness (blue) of strengths and fluctuations a "
            f"layer against accuracy, with 95% intervals; {whose}. "
            "Of fluctuations, one number a network, all networks are read that have been in a bin."
        )
    return (
        f"The paper's figure {figure}: densities of {_MEASURES[measure]} in {whose}, scale 0.5 (top) and 0.05 "
        "(bottom), a curve a bin of accuracy from grey (low) to blue (high; peaks far above the others are cut off), "
        + ("of all networks that have been in it." if measure == "fluctuation" else "the mean over all compositions.")
    )


def populations(settings: Settings, dataset: str) -> str:
    """What was trained."""
    return (
        "Dense networks of four layers and CNNs of two convolutions and two dense layers, in two sizes, from normal "
        "and uniform initial weights of two scales: the paper's table says that the CNNs are uniform, its captions "
        f"that they are normal, so both are here. Each population of {settings.networks} networks is trained on "
        f"{dataset} and looked at every few steps. A network is a candidate for each bin that it passes; dealing "
        f"the networks out, each to one bin and {settings.per_bin} to a bin, is done {settings.compositions} times."
    )


def method(settings: Settings, individual: str) -> str:
    """How it was done."""
    rates = ", ".join(f"{rate:g} for scale {scale:g}" for scale, rate in LEARNING_RATES.items())
    return (
        f"- **Training.** Adam with learning rate {rates} ({WIDE_RATE:g} for the larger CNNs of that scale), batches "
        f"of {settings.batch_size}, cross-entropy; the paper "
        "names no optimiser. Biases are drawn like weights, as in its code. All networks of a population see the same "
        "batches.\n"
        f"- **Bins.** {BINS} bins of width 0.1 over the first {settings.evaluated:,} test samples; the paper's range "
        "from 0.1 to 1 has room for nine, the tenth is below chance. A network stands for a bin as it was when it was "
        "first seen there, in the highest bin as it was at the end.\n"
        f"- **Intervals.** {settings.resamples} bootstrap samples over the networks of each bin, dealt out to the "
        "compositions in turn.\n"
        "- **Distributions.** Neurons of all networks of a bin are pooled; of a layer at most "
        f"{settings.kept_neurons} neurons and of a link {settings.kept_weights} weights at fixed random places are "
        "read; fluctuations are of all neurons.\n"
        f"- **Two humps.** A mixture of two normal distributions beats one by {EVIDENCE:g} in the Bayesian information "
        f"criterion, and its density as well as the kernel estimate has two modes with a valley at least {DIP:.0%} "
        "deep.\n"
        f"- **Null models.** {settings.null_draws} draws each, read on one composition; p is the probability that one "
        "more draw lies as high, by Student's distribution, so that of few draws only a large z counts.\n"
        f"- **The single network** learns {individual} for at most {settings.individual_steps:,} steps of "
        f"{settings.individual_batch}."
    )
