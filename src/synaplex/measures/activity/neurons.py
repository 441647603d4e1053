"""Which numbers of a layer's output are neurons, and which are observations of them."""

from __future__ import annotations

import math
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

Cells = Callable[[Tensor], Tensor]
"""Turns the output of a layer into ``(observations, neurons)``."""

_CHANNELS_SECOND = ("Conv", "BatchNorm", "InstanceNorm", "GroupNorm")
_NORMS_OF_LAST = ("LayerNorm", "RMSNorm")


def neuron_axes(module: nn.Module, output: Tensor, *, pool_positions: bool) -> tuple[int, tuple[int, ...]]:
    """Where the neurons are in the output of a layer, as in its graph.

    Convolutions and norms of channels have a neuron for each channel and position. Dense layers, embeddings and all
    that works on the last axis alone have one a feature: tokens or positions are observations. Any other module has one
    for each number that it makes of a sample.

    Parameters
    ----------
    module
        The layer.
    output
        What it made of a batch, samples first.
    pool_positions
        Count all positions of a channel as observations of one neuron.

    Returns
    -------
    first, shape
        The first axis of the neurons, and their shape from there on; with `pool_positions` and channels, axis 1 alone.
    """
    kind = type(module).__name__
    if any(part in kind for part in _CHANNELS_SECOND) and not kind.endswith("Conv1D") and output.ndim > 2:
        return 1, tuple(output.shape[1:2] if pool_positions else output.shape[1:])
    if output.ndim <= 2:
        return 1, tuple(output.shape[1:]) or (1,)
    normalized = getattr(module, "normalized_shape", None)
    if any(part in kind for part in _NORMS_OF_LAST) and isinstance(normalized, tuple):
        axes = len(normalized)
        return output.ndim - axes, tuple(output.shape[output.ndim - axes :])
    if _works_on_last_axis(module, output):
        return output.ndim - 1, (output.shape[-1],)
    return 1, tuple(output.shape[1:])


def cells(first: int, shape: tuple[int, ...], output: Tensor) -> Float[Tensor, "observations neurons"]:
    """An output, or the activations made of it, as ``(observations, neurons)``, by what `neuron_axes` told."""
    if first + len(shape) < output.ndim:  # channels, positions pooled
        output = output.movedim(first, -1)
    return output.reshape(-1, math.prod(shape))


def _works_on_last_axis(module: nn.Module, output: Tensor) -> bool:
    known = (nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag, nn.MultiheadAttention, nn.LSTMCell)
    if isinstance(module, known):
        return True
    own = list(module.parameters(recurse=False))
    return bool(own) and all(p.ndim <= 2 and output.shape[-1] in p.shape for p in own)
