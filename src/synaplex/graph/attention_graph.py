"""Attention maps as a graph of tokens: which token reads which, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.attention import AttentionLink
from synaplex.graph.dense import DenseLink
from synaplex.graph.identity import IdentityLink
from synaplex.graph.layer import Layer, Role
from synaplex.graph.link import Link
from synaplex.graph.network import NeuralGraph


def attention_graph(
    maps: Sequence[Float[Tensor, ...]],
    *,
    heads: Literal["mean", "each"] = "mean",
    residual: bool = False,
) -> NeuralGraph:
    """The graph whose neurons are the tokens before and after each layer of attention.

    An edge from token s to token t weighs what t takes from s. It depends on the data: one graph an example.

    Parameters
    ----------
    maps
        Per layer the attention after the softmax, ``(heads, tokens, tokens)``, row t for what token t reads; with a
        leading axis of examples the graph is a batch, an example in place of a network. Models of Hugging Face
        transformers return such maps as ``attentions``.
    heads
        ``"mean"`` averages the heads: a neuron a token. ``"each"`` gives every head tokens of its own, shape
        ``(tokens, heads)``.
    residual
        Whether each token also reads itself by weight 1, as the residual connection around attention does.

    Returns
    -------
    NeuralGraph
        One layer of tokens more than there are maps.

    Raises
    ------
    InvalidGraphError
        If there is no map, or maps differ in their tokens or heads.

    Examples
    --------
    >>> attention_graph([torch.full((2, 3, 3), 1 / 3)]).sizes
    (3, 3)
    """
    shapes = {tuple(one.shape) for one in maps}
    if len(shapes) != 1:
        found = ", ".join(map(str, sorted(shapes))) or "none"
        raise InvalidGraphError(f"attention maps must be of one shape (heads, tokens, tokens); got {found}")
    *lead, count, tokens, read = shapes.pop()
    if tokens != read:
        raise InvalidGraphError(f"attention of {tokens} tokens to {read} others is not between the same tokens")
    shape = (tokens,) if heads == "mean" else (tokens, count)
    links: list[Link] = []
    for i, one in enumerate(maps):
        name = f"attention {i}"
        if heads == "mean":
            links.append(DenseLink(source=i, target=i + 1, name=name, weight=one.mean(-3)))
        else:
            links.append(AttentionLink(source=i, target=i + 1, name=name, attention=one))
        if residual:
            scale = torch.ones(lead, dtype=one.dtype, device=one.device)
            size = tokens * (1 if heads == "mean" else count)
            links.append(IdentityLink(source=i, target=i + 1, name=f"residual {i}", size=size, scale=scale))
    layers = tuple(Layer(f"tokens {i}", shape, _role(i, len(maps))) for i in range(len(maps) + 1))
    return NeuralGraph(layers, tuple(links), {})


def _role(index: int, last: int) -> Role:
    return "input" if index == 0 else "output" if index == last else "hidden"
