"""The paper's claims, as data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synaplex.studies.la_malfa_2024 import comparisons
from synaplex.studies.la_malfa_2024.claim import Claim, Criterion
from synaplex.studies.la_malfa_2024.comparisons import of
from synaplex.studies.la_malfa_2024.recipe import Cell

OVERLAP = 0.25
"""Standard deviations between two distributions up to which they overlap."""

UNCORRELATED = 0.3
GAUSSIAN_IDLE = 0.0797
"""Share of a Gaussian within a tenth of its standard deviation."""


def _kind(*kinds: str) -> Callable[[Cell], bool]:
    return lambda cell: cell.kind in kinds


def _bent(*kinds: str) -> Callable[[Cell], bool]:
    return lambda cell: cell.activation != "linear" and (not kinds or cell.kind in kinds)


def _squashed(*kinds: str) -> Callable[[Cell], bool]:
    return lambda cell: cell.activation == "sigmoid" and (not kinds or cell.kind in kinds)


def _any_layer(cell: Cell, layer: int) -> bool:
    return True


def _first_layer(cell: Cell, layer: int) -> bool:
    return layer == 1


def _largest(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.max(axis=0))


def _smallest(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.min(axis=0))


CLAIMS = (
    Claim(
        "node-strength",
        "nodes",
        "Nodes Strength does not correlate with Neurons Strength.",
        "section 4.1, figures 5 to 7",
        "correlation over neurons of in-strength with mean Neurons Strength",
        of("node-strength"),
        Criterion(-UNCORRELATED, UNCORRELATED),
        layers=_any_layer,
        where="last",
        depths=(3, 7),
    ),
    Claim(
        "node-strength, single",
        "nodes",
        "Nodes Strength does not correlate with Neurons Strength, inputs one by one.",
        "section 4.1, figures 5 to 7, read otherwise",
        "correlation over neurons and inputs of in-strength with Neurons Strength",
        comparisons.pooled,
        Criterion(-UNCORRELATED, UNCORRELATED),
        layers=_any_layer,
        where="last",
        depths=(3, 7),
    ),
    Claim(
        "node-activation",
        "nodes",
        "Nodes Strength does not correlate with Neurons Activation.",
        "section 4.1, figures 5 to 7",
        "correlation over neurons of in-strength with mean Neurons Activation",
        of("node-activation"),
        Criterion(-UNCORRELATED, UNCORRELATED),
        where="last",
        depths=(3, 7),
    ),
    Claim(
        "depth strength FC",
        "depth",
        "FCs: Neurons Strengths of layers 4 and 7 of seven match those of layers 2 and 3 of three.",
        "section 4.1, figures 5 and 6",
        "Wasserstein distance in standard deviations",
        comparisons.depth_distance("strength"),
        Criterion(high=OVERLAP),
        _kind("dense"),
        _any_layer,
        "last",
    ),
    Claim(
        "depth activation FC",
        "depth",
        "FCs: Neurons Activations of layers 4 and 7 of seven match those of layers 2 and 3 of three.",
        "section 4.1, figures 5 and 6",
        "Wasserstein distance in standard deviations",
        comparisons.depth_distance("activation"),
        Criterion(high=OVERLAP),
        _kind("dense"),
        _any_layer,
        "last",
    ),
    Claim(
        "depth nearest FC",
        "depth",
        "FCs: of the hidden layers of seven, layer 4 is the nearest to layer 2 of three.",
        "section 4.1, figures 5 and 6",
        "distance of layer 4 less that of the nearest other hidden layer",
        comparisons.nearest,
        Criterion(high=0.0),
        _kind("dense"),
        _any_layer,
        "last",
    ),
    Claim(
        "depth strength AE",
        "depth",
        "AEs: Neurons Strengths of layers 4 and 7 of seven do not match those of layers 2 and 3 of three.",
        "section 4.1, figures 5 and 6",
        "Wasserstein distance in standard deviations",
        comparisons.depth_distance("strength"),
        Criterion(low=OVERLAP),
        _kind("autoencoder"),
        _any_layer,
        "last",
    ),
    Claim(
        "depth activation AE",
        "depth",
        "AEs: Neurons Activations of layers 4 and 7 of seven do not match those of layers 2 and 3 of three.",
        "section 4.1, figures 5 and 6",
        "Wasserstein distance in standard deviations",
        comparisons.depth_distance("activation"),
        Criterion(low=OVERLAP),
        _kind("autoencoder"),
        _any_layer,
        "last",
    ),
    Claim(
        "deeper is better",
        "depth",
        "Deeper FCs solve the task more accurately than those of three layers.",
        "section 4.1",
        "gain in test accuracy",
        comparisons.deeper,
        Criterion(low=0.0),
        _kind("dense"),
        _first_layer,
        "last",
        nulls=False,
    ),
    Claim(
        "CNN node humps",
        "architectures",
        "CNNs: Nodes Strength of convolutional layers is multimodal.",
        "section 4.I, figure 2",
        "share of networks whose distribution has two humps",
        of("node humps"),
        Criterion(low=0.5),
        _kind("cnn"),
        where="first",
        depths=(3,),
    ),
    Claim(
        "CNN humps",
        "architectures",
        "CNNs: Neurons Strength of convolutional layers is multimodal.",
        "section 4.I, figure 2",
        "share of networks whose distribution has two humps",
        of("humps"),
        Criterion(low=0.5),
        _kind("cnn"),
        where="first",
        depths=(3,),
    ),
    Claim(
        "CNN negative",
        "architectures",
        "CNNs have a profusion of negative weights.",
        "section 4.I, figure 2",
        "share of negative weights",
        of("negative weights"),
        Criterion(low=0.55),
        _kind("cnn"),
        where="first",
        depths=(3,),
    ),
    Claim(
        "balanced",
        "architectures",
        "FCs, AEs and RNNs have as many negative as positive weights.",
        "section 4.I, figure 2",
        "share of negative weights",
        of("negative weights"),
        Criterion(0.45, 0.55),
        _kind("dense", "autoencoder", "rnn"),
        _any_layer,
        "first",
        (3,),
    ),
    Claim(
        "RNN kurtosis",
        "architectures",
        "RNNs: Neurons Strength has a pronounced kurtosis.",
        "section 4.I, figure 2",
        "kurtosis less 3",
        of("kurtosis"),
        Criterion(low=1.0),
        _kind("rnn"),
        where="first",
    ),
    Claim(
        "RNN kurtosis gap",
        "architectures",
        "RNNs: the kurtosis of Neurons Strength is not that of Nodes Strength.",
        "section 4.I, figure 2",
        "kurtosis of Neurons Strength less that of in-strength",
        comparisons.kurtosis_gap,
        Criterion(low=0.0),
        _kind("rnn"),
        where="first",
    ),
    Claim(
        "RNN middle",
        "architectures",
        "RNNs: more sigmoid activations lie between 0.4 and 0.6 than in any other architecture.",
        "section 4.I, figure 2",
        "share between 0.4 and 0.6, less the largest of the others",
        comparisons.beyond("middle", _largest, activation="sigmoid"),
        Criterion(low=0.0),
        _kind("rnn"),
        where="first",
    ),
    Claim(
        "RNN region",
        "architectures",
        "Trained RNNs draw their strength from the middle of the image, beyond where the input itself is.",
        "section 4.I, figure 3",
        "share of the heat map in the middle quarter, less that of the mean input",
        comparisons.region,
        Criterion(low=0.05),
        _kind("rnn"),
    ),
    Claim(
        "AE bottleneck",
        "architectures",
        "AEs: the middle layer spreads over the fewest dimensions.",
        "section 4.I, figure 2",
        "participation ratio of the middle layer, less the least of the others",
        comparisons.narrowing,
        Criterion(high=0.0),
        _kind("autoencoder"),
        where="first",
        depths=(3,),
        nulls=False,
    ),
    Claim(
        "dead units",
        "dead",
        "There are dead units in every architecture.",
        "section 4.I, figure 2",
        "share of hidden neurons that stay at zero (ReLU) or at their lower end (sigmoid)",
        of("dead"),
        Criterion(low=0.05),
        _bent(),
        where="first",
        depths=(3,),
    ),
    Claim(
        "AE dead units",
        "dead",
        "AEs have more dead units than any other architecture.",
        "section 4.I, figure 2",
        "share of dead hidden neurons, less the largest of the others",
        comparisons.beyond("dead", _largest),
        Criterion(low=0.0),
        _bent("autoencoder"),
        where="first",
        depths=(3,),
    ),
    Claim(
        "idle weights",
        "dead",
        "There is an abundance of weights close to zero in every architecture.",
        "section 4.I, figure 2",
        "share within a tenth of a standard deviation of zero, where a Gaussian has 0.08",
        of("idle weights"),
        Criterion(low=GAUSSIAN_IDLE),
        layers=_any_layer,
        where="first",
        depths=(3,),
    ),
    Claim(
        "linear centred",
        "activations",
        "Linear networks: Neurons Strength is centred around zero.",
        "section 4.II, figure 4",
        "mean over standard deviation",
        of("offset"),
        Criterion(-0.25, 0.25),
        lambda cell: cell.activation == "linear",
        where="last",
        depths=(3,),
    ),
    Claim(
        "bent negative",
        "activations",
        "ReLU and sigmoid networks: Neurons Strength favours negative values.",
        "section 4.II, figure 4",
        "share of negative Neurons Strengths",
        of("negative"),
        Criterion(low=0.55),
        _bent(),
        where="last",
        depths=(3,),
    ),
    Claim(
        "ReLU reach",
        "activations",
        "ReLU networks reach farther into negative values than sigmoid networks.",
        "section 4.II, figure 4",
        "from the 1% quantile to the median in interquartile ranges, ReLU less sigmoid",
        comparisons.relu_reach,
        Criterion(low=0.0),
        lambda cell: cell.activation == "relu",
        where="last",
        depths=(3,),
    ),
    Claim(
        "AE even",
        "activations",
        "Sigmoid AEs: Neurons Activation is spread evenly over its support.",
        "section 4.II, figure 4",
        "Wasserstein distance to uniform on [0, 1]; 0.25 if all are 0.5, or half 0 and half 1",
        of("unevenness"),
        Criterion(high=0.1),
        _squashed("autoencoder"),
        where="last",
        depths=(3,),
    ),
    Claim(
        "AE more even",
        "activations",
        "Sigmoid AEs spread more evenly than FCs, CNNs and RNNs do.",
        "section 4.II, figure 4",
        "Wasserstein distance to uniform, less the smallest of the others",
        comparisons.beyond("unevenness", _smallest, activation="sigmoid"),
        Criterion(high=0.0),
        _squashed("autoencoder"),
        where="last",
        depths=(3,),
    ),
    Claim(
        "extremes",
        "activations",
        "Sigmoid FCs and RNNs: Neurons Activation gathers at 0 and 1.",
        "section 4.II, figure 4",
        "share within 0.05 of either",
        of("ends"),
        Criterion(low=0.5),
        _squashed("dense", "rnn"),
        where="last",
        depths=(3,),
    ),
    Claim(
        "CNN low variance",
        "activations",
        "Linear CNNs: Neurons Activation varies less than in any other architecture.",
        "section 4.II, figure 4",
        "standard deviation, less the smallest of the others",
        comparisons.beyond("activation deviation", _smallest, activation="linear"),
        Criterion(high=0.0),
        lambda cell: cell.kind == "cnn" and cell.activation == "linear",
        where="last",
        depths=(3,),
    ),
    Claim(
        "CNN best",
        "performance",
        "CNNs classify CIFAR-10 better than FCs and RNNs.",
        "section 4, table 1",
        "test accuracy less that of the best other",
        comparisons.best,
        Criterion(low=0.0),
        _kind("cnn"),
        _first_layer,
        "last",
        nulls=False,
    ),
)
"""In the order of the report's topics."""
