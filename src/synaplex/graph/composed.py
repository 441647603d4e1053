"""Weights that a file spreads over several tensors, put together: sparse layers, and layers pruned by a mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.named import NamedTensor

Parts = Mapping[str, NamedTensor]


def composed(tensors: Sequence[NamedTensor]) -> list[NamedTensor]:
    """The tensors of a file, those that make one weight put together; all others as they are.

    - A sparse layer holds ``weight``, ``row_start`` and ``column``, compressed rows, and ``in_features`` or not: a
      matrix ``(out, in)``, which is read as a sparse tensor.
    - A layer pruned by `torch.nn.utils.prune` holds ``weight_orig`` and ``weight_mask``, of which the weight is the
      product; its bias likewise.

    Raises
    ------
    InvalidGraphError
        If the connections of a sparse layer are damaged, or have no values; names the layer.
    """
    layers: dict[str, dict[str, NamedTensor]] = {}
    for tensor in tensors:
        layers.setdefault(_owner(tensor), {})[tensor.part] = tensor
    made: dict[str, NamedTensor] = {}  # by the name of the first tensor of each, in whose place it is put
    gone: set[str] = set()
    for parts in layers.values():
        for one in (_sparse(parts), *(_pruned(parts, part) for part in ("weight", "bias"))):
            if one is not None:
                made[one.made_of[0].name] = one
                gone |= {stored.name for stored in one.made_of}
    return [made.get(one.name, one) for one in tensors if one.name in made or one.name not in gone]


def with_sources(tensor: NamedTensor, sources: int) -> NamedTensor:
    """A sparse matrix that reads so many neurons, where its file did not tell."""
    shape = (tensor.shape[0], sources)
    return replace(tensor, shape=shape, read=_reading(tensor.made_of, shape), sources_known=True)


def _owner(tensor: NamedTensor) -> str:
    """The layer of a tensor; a module that is one layer gives none."""
    return "" if tensor.layer == tensor.name else tensor.layer


def _named(stored: tuple[NamedTensor, ...], part: str) -> NamedTensor:
    """A tensor that is called `part` and belongs where those belong that it is put together from."""
    first = stored[0]
    prefix = first.name.removesuffix(first.part)
    layer = first.layer if _owner(first) else part
    return replace(first, name=f"{prefix}{part}", layer=layer, part=part, made_of=stored)


def _pruned(parts: Parts, part: str) -> NamedTensor | None:
    kept, mask = parts.get(f"{part}_orig"), parts.get(f"{part}_mask")
    if kept is None or mask is None or kept.shape != mask.shape or part in parts:
        return None
    return replace(_named((kept, mask), part), read=partial(_masked, kept.read, mask.read))


def _masked(kept: Callable[[], Tensor], mask: Callable[[], Tensor]) -> Tensor:
    values = kept()
    return values * mask().to(values.dtype)


def _sparse(parts: Parts) -> NamedTensor | None:
    lists = [parts.get(name) for name in ("weight", "row_start", "column")]
    given = tuple(one for one in lists if one is not None and len(one.shape) == 1)
    if len(given) < len(lists) or not given[0].floating or given[1].floating or given[2].floating:
        return None
    told = parts.get("in_features")
    if told is not None and not told.floating and told.shape in ((), (1,)):
        given = (*given, told)
    rows, sources = _check(given)
    named = _named(given, "weight")
    shape = (rows, sources)
    return replace(named, shape=shape, read=_reading(given, shape), sources_known=len(given) > len(lists))


def _check(stored: tuple[NamedTensor, ...]) -> tuple[int, int]:
    """``(out, in)`` of compressed rows that are sound; in is the least that it can be where it is not told."""
    weight, (row_start, column, *told) = stored[0], [one.read() for one in stored[1:]]
    where = f"the connections of the sparse layer {weight.layer!r}"
    if row_start.is_meta or column.is_meta:
        raise InvalidGraphError(f"{where} are on the meta device and have no values: load them first")
    least = int(column.max()) + 1 if len(column) else 1
    sources = int(told[0]) if told else least
    if (
        weight.shape != tuple(column.shape)
        or not len(row_start)
        or int(row_start[0]) != 0
        or int(row_start[-1]) != len(column)
        or bool((row_start.diff() < 0).any())
        or (len(column) and int(column.min()) < 0)
        or sources < least
    ):
        raise InvalidGraphError(
            f"{where} are damaged: row_start, column and weight do not make a matrix in compressed rows. Save the "
            "model again"
        )
    return len(row_start) - 1, sources


def _reading(stored: tuple[NamedTensor, ...], shape: tuple[int, int]) -> Callable[[], Tensor]:
    weight, row_start, column = stored[:3]

    def read() -> Tensor:
        source = column.read().long()
        target = torch.repeat_interleave(row_start.read().diff().long(), output_size=len(source))
        made = torch.sparse_coo_tensor(torch.stack([target, source]), weight.read(), shape, check_invariants=True)
        return made.coalesce()

    return read
