"""Passes of a module over samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Int
from torch import Tensor, nn

from synaplex.errors import SpecificationError, SynaplexError

Inputs = Tensor | Sequence[Tensor] | Mapping[str, Tensor]
"""What a module is called with: one tensor, several in order, or by keyword; samples on the first axis of each."""


def choose(inputs: Inputs, sample: int | None, seed: int) -> tuple[Int[Tensor, " chosen"], int]:
    """Which samples are taken, at random where a number is given, and how many."""
    tensors = (
        [inputs] if isinstance(inputs, Tensor) else list(inputs.values() if isinstance(inputs, Mapping) else inputs)
    )
    lengths = {len(tensor) if tensor.ndim else 0 for tensor in tensors}
    if len(lengths) != 1 or 0 in lengths:
        raise SpecificationError(
            f"inputs need samples, as many in each, on the first axis; got shapes {[tuple(t.shape) for t in tensors]}"
        )
    (there,) = lengths
    if sample is None:
        return torch.arange(there), there
    if not 1 <= sample <= there:
        raise SpecificationError(f"{sample} samples asked, {there} there")
    order = torch.randperm(there, generator=torch.Generator().manual_seed(seed))
    return order[:sample], sample


Batch = tuple[tuple[Tensor, ...], dict[str, Tensor]]
"""Arguments in order, and by keyword."""


def take(inputs: Inputs, rows: Int[Tensor, " rows"], device: torch.device) -> Batch:
    """The arguments of one pass."""
    if isinstance(inputs, Mapping):
        return (), {name: tensor[rows.to(tensor.device)].to(device) for name, tensor in inputs.items()}
    tensors = (inputs,) if isinstance(inputs, Tensor) else inputs
    return tuple(tensor[rows.to(tensor.device)].to(device) for tensor in tensors), {}


def run(module: nn.Module, batch: Batch, restart: Callable[[], list[str]]) -> None:
    """One pass; what goes wrong within the module is said to be its fault, with the name of the submodule."""
    inside = restart()
    try:
        module(*batch[0], **batch[1])
    except SynaplexError:
        raise
    except Exception as error:
        shapes = [tuple(tensor.shape) for tensor in (*batch[0], *batch[1].values())]
        where = f"submodule {inside[-1]!r}" if inside and inside[-1] else "the module itself"
        raise SpecificationError(
            f"{type(module).__name__} cannot be run on inputs of shapes {shapes}; in {where}: {error}"
        ) from error
