"""Embeddings: a table of features is a dense link from a layer with one neuron a token of the vocabulary."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from synaplex.graph.dense import DenseLink


def embedding_link(
    weight: Float[Tensor, "*networks vocabulary features"], *, source: int = 0, target: int = 0, name: str = ""
) -> DenseLink:
    """The link from a one-hot layer over the vocabulary to the features; shares the table's memory."""
    return DenseLink(source=source, target=target, name=name, weight=weight.mT)
