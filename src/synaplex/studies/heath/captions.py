"""What the report says beside its figures and tables."""

from __future__ import annotations

from synaplex.studies.heath.hubs import BEYOND, TOP
from synaplex.studies.heath.plan import Settings
from synaplex.studies.heath.recipe import UNFLIPPED
from synaplex.studies.heath.results import Results

VERDICTS = (
    "Each statement can be false, and its criterion was fixed before the numbers were seen. It holds where all tests "
    "do, fails where all fail, and stays undecided between, or where too little is trained."
)

TOPICS = {
    "comparison": "The methods compared (table 4 and figure 9)",
    "thresholds": "The threshold (tables 5 to 8, figures 6 and 7)",
    "growth": "Centrality over epochs (tables 9 and 10, figures 4 and 8)",
    "hubs": "Hubs, beside null models",
    "accuracy": "Centrality and accuracy (figure 5)",
    "help": "Does centrality help? A grid of rules at equal budget",
}
"""Sections by topic."""

TOPIC_TEXTS = {
    "comparison": (
        "The decisive control is the `static` sparse network: the same first connections, never changed. Sparse "
        "networks of one seed share first weights and connections, and with the MLP the order of samples, augmentation "
        "and dropout, so that differences are taken seed by seed."
    ),
    "thresholds": "CenSET's k, by the released recipe; the rule reads what the code computes, on the right graph.",
    "growth": (
        "Three versions: `exact` is the definition (eqs. 1 to 4) on the whole network; `variant` what CenSET's code "
        "computes, a sum over out-links on a directed graph with strengths truncated to integers; `released` the same "
        "on the graph that the code put together for each method: for SET with misplaced links, for the MLP with its "
        "first link twice. Tables 9 and 10 print the third under the name of the first."
    ),
    "hubs": (
        "The paper takes a wide spread of centrality for hubs. Weights that grow widen it by themselves. Null models "
        "keep each layer's weights: in random order on the same connections (`shuffled`), at random places "
        "(`scattered`), or with random signs (`flipped`)."
    ),
    "accuracy": "Both rise while a network learns; whether they go together is a question beyond that.",
    "help": (
        "Every cell drops the same share of each layer's connections in every round and grows as many, which start "
        "at 0; rules by centrality rank the connections by the less central of their hidden ends. So cells differ in "
        "the choice alone, and plain strength tells what Laplacian centrality adds to it."
    ),
}

FIGURES = {
    "fig4-sigma": (
        "The paper's figure 4: standard deviation of Laplacian centrality over epochs, in three versions; means over "
        "seeds, printed values as crosses. The released version is what the paper shows."
    ),
    "fig5-accuracy-centrality": (
        "The paper's figure 5: test accuracy (full lines, left) and mean centrality in CenSET's variant (dashed, "
        "right)."
    ),
    "fig6-thresholds": (
        "The paper's figures 6 and 7: accuracy over epochs by threshold k, and at the end beside the printed values "
        "(crosses); bars are the standard deviation over seeds. The grey line is the static sparse network."
    ),
    "fig8-densities": (
        "The paper's figure 8: how centralities are distributed over neurons, early (pale) to late (dark); the middle "
        "98% of the values at the end."
    ),
    "fig9-final": (
        "The paper's figure 9: test accuracy over epochs, each seed pale, their mean full; crosses are table 4."
    ),
    "grid": (
        "The grid: difference of accuracy from SET (drop the smallest, grow at random) in points, seed by seed, with "
        "95% intervals. Nothing is corrected for the number of cells here; the table is."
    ),
    "hubs": "z-score of the trained networks beside null models, a dot a seed, by statistic and version.",
}

STANDING = "How far each run is; only finished runs count in comparisons of methods by finding."
TABLE_4 = (
    "Means over the last epochs of the networks that have gone farthest, ± the standard deviation over seeds for "
    "accuracy, over neurons for centralities (LC). Printed values stand beside the recipe that they come from."
)
DIFFERENCES = (
    "Differences of accuracy between methods of the same seed, in points, with 95% intervals, at the last epoch that "
    "both have reached."
)
THRESHOLDS = (
    "Accuracy in per cent over the last epochs by threshold; neurons below it and connections dropped in a mean round, "
    "and the share of rounds in which nothing falls below it: there CenSET is a static sparse network."
)
CENTRALITIES = (
    "Mean and standard deviation over neurons, means over seeds. Epochs as the paper counts them: its epoch 0 is after "
    "one epoch. Printed means of MLP and SET stand at half the epoch at which the paper prints them, where they belong."
)
HUBS = (
    f"At the end of training: sigma; the part of all centrality that the most central {TOP:.0%} of the neurons have; "
    f"the share of neurons more than {BEYOND:g} sigma above the mean. z-scores against draws of each null model."
)
HUBS_SHUFFLED = HUBS.replace("each null model", "networks with shuffled weights; the report holds the others")
GRID = "Every cell, and its difference from SET; p by a paired t-test, corrected by Holm's method over all cells."
BY_GROWTH = (
    "Dropping by centrality under each grow rule by itself, with 95% intervals: looked at after the averages, which "
    "hide that rules depend on each other, and so no test of a claim."
)
EFFECTS = "One rule in the place of another, averaged over the rules at the other side, seed by seed."
CONTRADICTIONS = "Where the text contradicts the paper's own tables, or the code that its numbers come from."


def missing(results: Results) -> str:
    """What is not there yet, in words; empty where everything is."""
    waiting = [group for group in results.plan if group.name not in results.pieces]
    going = [piece for piece in results.pieces.values() if not piece.finished]
    parts = []
    if going:
        said = ", ".join(f"{one.group.name} (epoch {one.done} of {one.group.epochs})" for one in going)
        parts.append(f"Unfinished: {said}; their rows are shown as far as they go.")
    if waiting:
        parts.append(f"Not begun: {', '.join(group.name for group in waiting)}.")
    return " ".join(parts)


def comparable(results: Results) -> str:
    """What has to be said beside accuracies of a dataset: nothing, for most."""
    return " The images were compressed as JPEG, which is lossy." if "lossy" in results.description else ""


def method(results: Results) -> str:
    """How it was done."""
    settings: Settings = results.settings
    hyper = settings.hyper
    mirrored = results.dataset not in UNFLIPPED
    turned = "mirrored half the time" if mirrored else "not mirrored (a mirrored figure is another sign)"
    size = "all" if settings.train_size is None else f"the first {settings.train_size:,}"
    return (
        f"- **Networks.** Sparse layers hold existing connections only (compressed rows); epsilon {hyper.epsilon:g}, "
        "the output layer dense; weights by Glorot's uniform rule for the full matrix, biases 0.\n"
        f"- **Training.** SGD, learning rate {hyper.learning_rate:g}, momentum {hyper.momentum:g}, batches of "
        f"{hyper.batch_size}, dropout {hyper.dropout:g}; SET's zeta {hyper.zeta:g}; no round after the last epoch. "
        f"Of the training images {size} are used.\n"
        f"- **Images.** Each pixel standardised over the training set, then turned by up to {hyper.rotation:g} "
        f"degrees, shifted by up to {hyper.shift:.0%}, {turned}; border pixels repeated, bilinear.\n"
        "- **Recipes.** `released` is what the notebooks do: ReLU, the optimiser made anew each epoch, grown weights "
        "start at 0, CenSET by the code's variant. `stated` is what the text says: SReLU, momentum goes on, grown "
        "weights from N(0, 0.1²) as in SET's source, CenSET by the exact centrality. One thing of the code is left "
        "out: its masks first act after the first batch, which full matrices compute.\n"
        "- **Lockstep.** Networks of one seed are trained together on the same batches, sparse layers as blocks of one "
        "matrix; seeds share nothing.\n"
        f"- **Accuracy** is the mean over the last {settings.last} epochs. Static networks' centrality is measured as "
        "SET's is; SET's before the round, where the code measures it just after the smallest weights went.\n"
        f"- **Null models**: {settings.draws} draws each, at snapshots every {settings.snapshots} epochs and at the "
        "end."
    )
