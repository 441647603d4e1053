"""The words of the report: what each part is about, and what to see in each figure."""

from __future__ import annotations

import polars as pl

from synaplex.studies.prediction import PENALTIES
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.robustness import SIZES

VERDICTS = (
    "Each statement can be false: it holds, fails, or stays undecided where an interval covers both. The tests are "
    "part of the code and the same for every dataset. Intervals are 95% bootstrap intervals over networks."
)

NETWORK = (
    "The best network as a graph (the paper's figure 1b). Blue edges have positive weights, orange ones negative; the "
    "wider, the stronger. This is what the measures see: no activations, no data."
)

AVERAGES = (
    "Each network is reduced to the mean of a measure over each hidden layer (the paper's equation 11). Do the best "
    "and the worst networks lie apart?\n\n"
    "Subgraph centrality is given as a share of the largest value in its layer, which changes no correlation."
)

PLANES = (
    "The paper's figure 4: the best and the worst networks in the plane of a measure's two layer averages. In a "
    "corner, how many of them a line tells rightly that was fitted to others, with its interval; chance is 50%. Far "
    "outliers lie outside the frames and are counted: measures that divide by sums of signed weights have poles."
)

INTERACTIVE = (
    "All networks, coloured by accuracy; choose the measure on the left, point at a network to see its numbers. If "
    "structure told accuracy, colours would be sorted."
)

CORRELATIONS = (
    "How each layer average is related to accuracy, beside the same networks with their weights shuffled within each "
    "layer and with signs flipped at random. Where shuffling changes nothing, the relation is one of the weights' "
    "distribution, not of how they are wired; averages of strength and of cliques cannot change under it."
)

RELATIONS_TABLE = "Correlation of each layer average with test accuracy."

RELATIONS_NOTE = "p is Spearman's, adjusted for the number of rows by Holm's rule."

SEPARABILITY = (
    "How many of the best and worst networks a line through the plane of each measure tells rightly, beside null "
    "models, and what plain weight statistics achieve in their own space. A measure that says nothing may come out "
    "below 50%: what a fitted line learns from chance tends to be wrong about the networks held out."
)

SELECTION = (
    "The paper keeps three of the eight measures in two steps, the first by eye. Here both are rules, so that they can "
    "be repeated."
)

SELECTION_TABLE = (
    "What each step does to each measure, the cheapest first. Cost is that of the algorithm used here, for E edges and "
    "two sides of N ≥ m neurons."
)

PAIR_TABLE = "Pearson's correlation of every two measures over all neurons of a hidden layer; bold beyond ±0.8."

TYPES_TABLE = (
    "Table 1 of the paper: the centroids, sorted by strength, each measure on the scale described above, and each "
    "type's share of all hidden neurons."
)

PUBLISHED_TABLE = "The centroids beside the published ones, types matched by their order in strength."

OCCURRENCE = "How often does each type occur in the worst, the median and the best networks?"

DIFFERENCE_TABLE = (
    "How much more often each type occurs in the best than in the worst networks; `top_in_best` is how often it is the "
    "most frequent type of the best networks in bootstrap samples."
)

PREDICTION_TABLE = "Prediction of accuracy from structure and from weight statistics: R² and Kendall's τ."

NULLS_TABLE = "Every relation of this page beside its null models: mean and deviation over the draws, and z."

NULLS_NOTE = (
    "z is how many deviations of the null model the trained networks lie from its mean; “fixed” stands for fixed by "
    "the weight distribution alone, where the null model has no spread. Separability and predictions are "
    "cross-validated in the same splits; share differences, best minus worst, are in the words of the trained "
    "networks' vocabulary."
)

TRAINING = (
    "The paper leaves open how structure emerges from random weights. The neurons were measured after every epoch, "
    "beginning with the untrained networks."
)

EPOCHS_CORRELATIONS = (
    "How much each epoch's layer averages say about the accuracy at the very end; bold lines are measures that the "
    "first selection step keeps. What is there at epoch 0 was decided by the random weights."
)

EPOCHS_AVERAGES = (
    "How the paper's three measures move in the worst, median and best networks (mean and standard error). The groups "
    "are those at the end."
)

EPOCHS_TYPES = (
    "Left: shares of the types, in the words of the final vocabulary. Middle: neurons that are already of the type "
    "they will end with, and the agreement (adjusted Rand index) of the final vocabulary with one found at that epoch. "
    "Right: how well the final accuracy is predicted from that epoch's types and from layer averages of the three "
    "measures."
)

EPOCHS_GROUPS = (
    "Left: how many of the networks that end up as the worst and the best a line through each measure's averages of "
    "that epoch tells rightly (bold: the measures of which the paper says so); dotted: chance. Right: neurons of high "
    "subgraph centrality in the two groups, on the scale of the last snapshot."
)

RELEASED = (
    "The data released with the paper tell the constants by which its MNIST neurons were scaled, and the centroids to "
    "four digits. Here our neurons are put on that scale: largest values of fewer networks are smaller, and only on a "
    "common scale can centroids agree."
)

RELEASED_FIGURE = "Centroids on the scale of the released data, both layers together."

RELEASED_TABLE = "Every centroid beside the released one, both layers together and each alone."

LARGEST_TABLE = "The constants of the scale: the extremes of this population and of the released 1,000 networks."

ROBUSTNESS_FIGURE = (
    "Left: accuracy under attack. Right: how much of the share retained each set of features explains in unseen "
    "networks; the band is what accuracy and weight statistics explain together."
)

INITIALIZATION = (
    "The paper says that initial weights in [−1, 1] tend to give poorer networks and narrower ranges more similar "
    "ones. What it does not say: in its released data all layers of a network start from the same random sequence; and "
    "Keras 2.2, with which it was made, clips probabilities at 10⁻⁷, so that a sample told wrongly with certainty has "
    "no gradient. Networks of the same seeds were trained with each thing changed; a seed draws the same numbers, "
    "stretched."
)

INITIALIZATION_FIGURE = (
    "Left: test accuracy (mean, one deviation, extremes). Right: the centroids of each, on its own scale."
)

INITIALIZATION_TABLE = (
    "Accuracy, its difference and the ratio of deviations to the study's own networks of the same seeds, the "
    "number of types at the elbow, and how far the centroids lie apart (root mean square)."
)

UNDEFINED_TABLE = "Neurons without a value for a measure, counted over all snapshots; they are left out of averages."


def population(results: Results) -> str:
    """What was trained."""
    return (
        f"{len(results.seeds)} networks {results.spec.network} saw the same batches in the same order; they differ in "
        "nothing but their initial weights. The worst, median and best "
        f"{len(results.groups['best'])} of them are compared below."
    )


def accuracy(results: Results) -> str:
    """Of figure 3."""
    return (
        "Test accuracy of all networks (the paper's figure 3): at the end, with the groups compared below, and over "
        f"the epochs (median, middle half, extremes). Half of the networks lie between "
        f"{_percent(results, 'quarter')} and {_percent(results, 'three_quarters')}."
    )


def pairs(layer: int) -> str:
    """Of a panel of figure 5."""
    return (
        f"The paper's figure 5 for hidden layer {layer}: every neuron of every network as a point in the plane of two "
        "measures (brighter where there are more, on a logarithmic scale), with Pearson's correlations above the "
        "diagonal, bold beyond ±0.8."
    )


def types(results: Results) -> str:
    """How types are found."""
    return (
        "A neuron is described by its strength, bipartite clustering and subgraph centrality; k-means groups these "
        f"descriptors into types (best of {results.settings.starts} starts). As in the released data, each layer is "
        "scaled by itself: strength and subgraph centrality by the largest value, clustering from the smallest to the "
        "largest."
    )


def elbow(results: Results) -> str:
    """Of figure 6."""
    return (
        "The paper's figure 6: the inertia over the number of types, and how far it lies below the straight line "
        "between its ends; the elbow is where that is most (dots). Dashed and dotted: neurons of networks that learned "
        f"nothing. Each point is the best of {results.settings.elbow_starts} starts."
    )


def stability(results: Results) -> str:
    """How much the types depend on the networks drawn."""
    steady = results.stability
    return (
        f"Types found again in {len(steady.scores)} resampled populations agree with these by an adjusted Rand index "
        f"of {steady.mean:.2f} [{steady.low:.2f}, {steady.high:.2f}]; 1 is perfect, 0 chance."
    )


def centroids(results: Results) -> str:
    """Of the figure for table 1."""
    return (
        f"The six types here, on {results.spec.dataset}, and on the four published benchmarks, types in order of "
        "strength. The same shape means the same kinds of neurons; the scale depends on the largest values of a "
        "population."
    )


def occurrence(results: Results) -> str:
    """Of figure 7."""
    return (
        f"The paper's figure 7. Left: mean share of each type in {len(results.groups['best'])} networks a group, with "
        "95% intervals. Right: best minus worst, beside the null models (± 2 deviations). A type that tells good from "
        "poor by its wiring would lie away from zero and away from the shuffled networks."
    )


def controls(results: Results) -> str:
    """What the controls are."""
    settings = results.settings
    return (
        "Structure can be related to accuracy just because weights are. So every relation is also computed on two null "
        f"models, {settings.draws} draws each:\n\n"
        "- **weights shuffled** within each layer of every network: each layer keeps its weights, not their places;\n"
        "- **signs flipped** at random: each |w| keeps its place.\n\n"
        "And every prediction is held against the **weight statistics** of Unterthiner et al. (2020), StatNN: mean, "
        "variance and five quantiles of each layer's weights. All use one regressor (ridge, features centred, scaled "
        f"by quartiles and cut off at 3, penalty from {PENALTIES[0]:g} to {PENALTIES[-1]:g} chosen on the training "
        f"networks) and the same {settings.folds} folds, {settings.repeats} times over."
    )


def prediction(results: Results) -> str:
    """Of the figure of predictions."""
    return (
        "How much of the accuracy of unseen networks each set of features explains. The band is what weight statistics "
        "explain: whatever lies left of it says less than they do. The finite test set leaves at most "
        f"{results.ceiling:.2f} to be explained."
    )


def robustness(results: Results) -> str:
    """What the attack is."""
    sizes = ", ".join(f"{size:g}" for size in SIZES)
    samples = min(results.settings.attacked, len(results.dataset.x_test))
    return (
        "The paper asks for the impact of adversarial samples. Each network is attacked by the sign of its own "
        f"gradient (FGSM), on the first {samples:,} test samples, each input changed by {sizes}. How robust a "
        "network is: the share of the samples it tells rightly that it still does "
        "under attack, mean over these sizes."
    )


def method(results: Results) -> str:
    """Rules and settings."""
    settings = results.settings
    return (
        f"- Groups: the worst, median and best {len(results.groups['best'])} networks, a tenth of all but at least "
        "five.\n"
        "- Relations: Spearman and Pearson correlation; percentile bootstrap over networks, "
        f"{settings.resamples} resamples.\n"
        f"- Separability: the line of a ridge regression in the plane of the averages, ten folds, "
        f"{settings.separations} "
        "times over.\n"
        "- Elbow: the number of types where the inertia lies farthest below its chord, over 2 to 18 types.\n"
        f"- Stability: {settings.vocabulary_resamples} populations drawn with replacement.\n"
        "- Average neighbor strength is the variant of the released data, with unweighted degrees of neighbors.\n"
        f"- {results.dataset.description}.\n"
        "- All numbers are in `tables/` beside this page, all figures in `figures/`."
    )


def _percent(results: Results, name: str) -> str:
    table = results.tables["accuracy"].filter((pl.col("set") == "test") & (pl.col("epoch") == results.spec.epochs))
    return f"{100 * float(table[name][0]):.0f}%"
