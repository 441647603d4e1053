"""Neuron types: descriptors of neurons, the bag of neurons, its elbow, occurrence, divergence and stability.

The way from a table of measures to neuron types::

    found = descriptors(population.neurons(), normalization="released")
    bag = BagOfNeurons(n_types=6).fit(found.values)
    networks, table = found.groups()
    frequencies = bag.histogram(found.values, networks)      # row i belongs to row i of the table
"""

from __future__ import annotations

from synaplex.neurons.accuracy_groups import AccuracyGroup, accuracy_groups, occurrence
from synaplex.neurons.bag import BagOfNeurons, type_frequencies
from synaplex.neurons.bootstrap import Stability, stability
from synaplex.neurons.descriptor import INDEX_COLUMNS, SCABINI_MEASURES, Descriptors, descriptors
from synaplex.neurons.divergence import VocabularyDivergence, jensen_shannon, vocabulary_divergence
from synaplex.neurons.inertia import PAPER_RANGE, Elbow, elbow, elbow_by_layer
from synaplex.neurons.normalization import (
    LARGEST,
    MIN_MAX,
    NORMALIZATIONS,
    RELEASED,
    RELEASED_MNIST,
    Constant,
    Normalization,
)

__all__ = [
    "INDEX_COLUMNS",
    "LARGEST",
    "MIN_MAX",
    "NORMALIZATIONS",
    "PAPER_RANGE",
    "RELEASED",
    "RELEASED_MNIST",
    "SCABINI_MEASURES",
    "AccuracyGroup",
    "BagOfNeurons",
    "Constant",
    "Descriptors",
    "Elbow",
    "Normalization",
    "Stability",
    "VocabularyDivergence",
    "accuracy_groups",
    "descriptors",
    "elbow",
    "elbow_by_layer",
    "jensen_shannon",
    "occurrence",
    "stability",
    "type_frequencies",
    "vocabulary_divergence",
]
