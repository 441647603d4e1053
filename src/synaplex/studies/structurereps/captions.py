"""What the report says beside its figures and tables."""

from __future__ import annotations

from synaplex.studies.structurereps.fits import BLIND_SEEDS
from synaplex.studies.structurereps.recipe import Settings, Task

VERDICTS = (
    "Each statement can be false; the thresholds of its criterion were fixed before the numbers were seen. A statement "
    "about many tests holds where at least 80% of them do and fails where at most 20% do, which for “better than” says "
    "that it was not shown, not that the opposite was; one about a difference holds or fails where its 95% interval "
    "lies on one side of 0. All else is undecided. One thing was changed after a look at Covertype: scores are means "
    "over what is held out in turn, since one score over all of it gave the number of the epoch, a constant then, a "
    "Kendall's tau of −0.54."
)

TOPICS = {
    "paper": "The paper's split (tables 1 and 2)",
    "networks": "Whole networks held out",
    "population": "Prediction across a population",
    "ablation": "Which part of the encoder earns its place",
    "shapes": "Regular, deeper and wider networks (figure 2)",
}
"""Titles of the sections."""

TOPIC_TEXTS = {
    "paper": (
        "A network is trained, and each epoch gives a graph. An encoder and a linear regression are fitted on a random "
        "80% of the epochs, and the performance of the other 20% is decoded. Every held-out graph has neighbours in "
        "time on both sides among those fitted, so that **whatever drifts with time decodes performance here: the "
        "number of the epoch and a few statistics of the weights do.** The same is done on the second half of "
        "training, where time alone says less."
    ),
    "networks": (
        "Encoder, scaling and regression see neither the networks they are judged by nor any other network of the same "
        "seed, width or learning rate: each of these is held out in turn. Ridge regression for all, whose penalty the "
        "training networks choose. Scores are means over what is held out; intervals are drawn over whole networks."
    ),
    "population": (
        "Networks of one architecture, with random seeds, initial scales and learning rates, after the same number of "
        "epochs: time says nothing, and a method has to tell good networks from bad ones. All methods are fitted to "
        "the same networks and judged by the same others."
    ),
    "ablation": (
        "EA+TC+LF with one thing changed, fitted and judged as above, with networks of unseen widths: what lowers "
        "Kendall's tau when it is gone earns its place."
    ),
    "shapes": (
        "Three networks of equal parameter count. Encoders and baselines are fitted on some seeds, and what is shown "
        "are networks of other seeds."
    ),
}

FIGURES = {
    "curves": "The networks of tables 1 and 2: performance on training and test set at every epoch, a line a network.",
    "tables": (
        "Pearson's correlation of decoded and actual performance with epochs held out, a dot a network; grey bars are "
        "the paper's means. Baselines from the untrained encoder on are not in the paper. Correlations below the axis "
        "are cut off; constant predictions have none and are not drawn."
    ),
    "networks": (
        "Kendall's tau of predictions for whole networks that were held out, with 95% intervals over networks. The "
        "mark says what of them was unseen: their seeds, widths or learning rates."
    ),
    "population": (
        "Left: Kendall's tau between predicted and actual test accuracy of held-out networks, with 95% intervals. "
        "Right: a dot a held-out network."
    ),
    "fig2-shapes": (
        "The paper's figure 2, of networks that the encoder has not seen. a, the first two principal components of the "
        "embeddings, by shape; b, by accuracy; c, mean difference of accuracy between two networks of one shape, by "
        "the distance of their embeddings."
    ),
    "ablation": "Kendall's tau without each part of the encoder, with 95% intervals; the line is that of the whole.",
}

_OF = {"train": "training", "test": "test"}


def paper_caption(target: str, second_half: bool, undefined: bool) -> str:
    """Of one of the tables of the paper's split; `undefined` says whether correlations of some seeds are."""
    table = "1" if target == "train" else "2"
    if second_half:
        said = f"The same on the second half of training: Pearson on {_OF[target]} performance, variance in brackets."
        few = (
            " Where a number of seeds is given, the others have no correlation: their performance, or what is decoded, "
            "is the same at all epochs held out."
        )
        return said + few if undefined else said
    return (
        f"Table {table}: Pearson's correlation of decoded and actual {_OF[target]} performance, mean over seeds and, "
        "in brackets, variance; of how many seeds where it is not all. *constant*: the embedding is the same at every "
        "epoch."
    )


NETWORKS = (
    "Kendall's tau with whole networks held out, 95% intervals in brackets; {target} performance. Columns are tasks, "
    "rows what of the networks was unseen."
)
ALL_NETWORKS = (
    "Every score with its interval; `above NAME` is a difference of tau; `last` is tau among networks at their last "
    "epoch."
)
SECONDARY = "Every score on the paper's split."
MEANS = (
    "Means over tasks of Pearson's correlation, Kendall's tau and R2 (of seeds the median). Each task counts alike, of "
    "however many seeds its correlation is."
)
NETWORK_MEANS = (
    "Means over tasks with whole networks held out. *last*: Kendall's tau among networks at their last epoch alone, "
    "where time says nothing."
)
PREDICTION = "Scores on held-out networks with 95% intervals, and differences of tau to other methods."
COVERAGE = (
    "Share of held-out networks inside intervals of 90%; mean and central 90% of that share over 500 new partings into "
    "networks that calibrate and networks that are covered; width of the intervals."
)
ABLATION = "Kendall's tau without each part, and its difference to the whole encoder, 95% intervals in brackets."
SHAPES = (
    "Figure 2 in numbers: silhouette of the shapes, share of networks whose nearest centroid is their own shape's, and "
    "Spearman's correlation of distance and difference of accuracy."
)


def topic_of(name: str) -> str:
    """The section of a figure."""
    return {"curves": "paper", "tables": "paper", "fig2-shapes": "shapes"}.get(name, name)


def method(settings: Settings, tasks: tuple[Task, ...], dataset: str) -> str:
    """How it was done."""
    lines = []
    for task in tasks:
        sizes = ", ".join("-".join(map(str, hidden)) for hidden in task.layouts)
        kind = "channels of convolutions 3 x 3 of stride 2" if task.images else "hidden neurons"
        rows = (
            "all samples"
            if task.train_size is None
            else f"{task.train_size:,} training and {task.test_size:,} test samples, drawn at random"
        )
        lines.append(f"- **{task.title}** ({task.dataset}): {kind} {sizes}; {rows}; batches of {task.batch_size}.")
    rates = ", ".join(f"{rate:g}" for rate in tasks[0].rates)
    changed = ", ".join(f"{name} {value:g}" for name, value in settings.encoder) or "nothing else than its defaults"
    crowd, shapes = settings.crowd, settings.shapes
    lines += [
        f"- **Networks.** ReLU, biases, He et al. initial weights, Adam at learning rates {rates}; {settings.epochs} "
        f"epochs (the paper: 200 to 250), a graph each. Tables 1 and 2: the middle width and rate, {settings.seeds} "
        f"seeds. Whole networks held out: every width and rate, {settings.varied} seeds each, at the epochs "
        f"{', '.join(map(str, settings.snapshots))}. Performance of California housing is R2.",
        f"- **Encoders.** Defaults of `StructureEncoder`, but for {changed}; {settings.encoder_epochs} passes over the "
        f"graphs of a trajectory, {settings.network_epochs} over those of many networks. Fitted to training graphs "
        "alone: nothing here is transductive."
        + (
            " Learning rate, batch size and passes come from a few trial fits on Covertype, judged in part by its "
            "held-out networks: what the encoder reaches there flatters it, if anything."
            if settings.encoder
            else ""
        ),
        "- **weights through EA alone**: convolutions see no edge features, and the Laplacian is that of the "
        f"unweighted graph; what the paper's text may mean, too. Fitted to {BLIND_SEEDS} of the seeds.",
        "- **Baselines.** The untrained encoder; mean, variance and quantiles of each layer's weights; averages of "
        "strength, neighbour strength, disparity and Laplacian centrality over each hidden layer and, of dense "
        "networks, the share of six neuron types; 32 principal components of all weights, matrices of different widths "
        "padded with zeros; the number of the epoch. Across the population also the eight centralities of Scabini & "
        "Bruno (2021), that of subgraphs as its logarithm, in averages and neuron types alike.",
        f"- **Population.** {crowd.networks:,} networks {'-'.join(map(str, crowd.hidden))} on {dataset}, "
        f"{crowd.train_size:,} training samples at most, {crowd.epochs} epochs; learning rates {crowd.rates[0]:g} to "
        f"{crowd.rates[1]:g}, initial weights {crowd.scales[0]:g} to {crowd.scales[1]:g} times He et al., logarithms "
        f"uniform. {crowd.train:.0%} to fit on, {crowd.calibrate:.0%} to calibrate intervals, the others held out.",
        f"- **Shapes.** {shapes.seeds} seeds of each, {shapes.fitted} of them to fit on, a graph every {shapes.every} "
        "epochs.",
    ]
    return "\n".join(lines)
