"""Normalisations as gains.

Batch normalisation at evaluation is the diagonal gamma / sqrt(running variance + eps). All others divide by
statistics of the input itself, so they have no fixed Jacobian; by convention the input counts as normalised already,
and what remains is the gain gamma (1 where there is none): centring and the derivative of the statistics are left out.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.gain import GainLink


def batch_norm(
    shape: tuple[int, ...],
    *,
    weight: Float[Tensor, "*networks channels"] | None = None,
    running_var: Float[Tensor, "*networks channels"] | None = None,
    eps: float = 1e-5,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> GainLink:
    """Batch normalisation at evaluation: each channel times gamma / sqrt(running variance + eps), in float64.

    Parameters
    ----------
    shape
        ``(channels, *sizes)`` of the layer.
    weight
        gamma; None stands for 1.
    running_var
        None where no statistics are kept (batch or instance statistics at evaluation too): then the gain alone counts.
    """
    gain = _gain(weight, running_var, shape[:1], networks)
    if running_var is not None:
        gain = gain / torch.sqrt(running_var.double() + eps)
    return _link(gain, 1, math.prod(shape[1:]), source, target, name)


def group_norm(
    shape: tuple[int, ...],
    *,
    weight: Float[Tensor, "*networks channels"] | None = None,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> GainLink:
    """Group (or instance) normalisation of ``(channels, *sizes)``: each channel times gamma, by convention."""
    return _link(_gain(weight, None, shape[:1], networks), 1, math.prod(shape[1:]), source, target, name)


def layer_norm(
    shape: tuple[int, ...],
    *,
    weight: Float[Tensor, ...] | None = None,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> GainLink:
    """Layer normalisation over the last axes of `shape`, those of `weight`: each feature times gamma, by convention."""
    axes = len(shape) if weight is None else weight.ndim - (0 if networks is None else 1)
    features = shape[len(shape) - axes :]
    flat = None if weight is None else weight.flatten(-axes)
    gain = _gain(flat, None, (math.prod(features),) if weight is not None else (1,), networks)
    inner = math.prod(shape) if weight is None else 1
    return _link(gain, math.prod(shape) // (gain.shape[-1] * inner), inner, source, target, name)


rms_norm = layer_norm
"""Root-mean-square normalisation over the last axes: each feature times gamma, by convention."""


def _gain(weight: Tensor | None, like: Tensor | None, count: tuple[int, ...], networks: int | None) -> Tensor:
    if weight is None:
        lead = () if networks is None else (networks,)
        device = None if like is None else like.device
        return torch.ones(*lead, *count, dtype=torch.float64, device=device)
    if weight.shape[-1:] != count:
        raise InvalidGraphError(f"a gain of shape {tuple(weight.shape)} does not fit {count[0]} channels or features")
    return weight


def _link(gain: Tensor, outer: int, inner: int, source: int, target: int, name: str) -> GainLink:
    return GainLink(source=source, target=target, name=name, gain=gain, outer=outer, inner=inner)
