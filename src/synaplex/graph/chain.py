"""From named tensors to a chain of dense layers, as in a file of weights, which holds no computation."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from torch import Tensor

from synaplex.errors import InvalidGraphError, SpecificationError, UnknownNameError
from synaplex.graph.composed import composed, with_sources
from synaplex.graph.coverage import Coverage
from synaplex.graph.named import NamedTensor
from synaplex.graph.network import NeuralGraph
from synaplex.graph.unchained import why_unchained

_PASS = "pass layers=[names in order]"
_MOST_STATES = 10_000
_WRAPPERS = ("module.", "_orig_mod.")


def chain(
    tensors: Sequence[NamedTensor],
    *,
    layers: Sequence[str] | None,
    ordered: bool,
    origin: str,
    confirmed: bool = False,
) -> NeuralGraph:
    """The feed-forward network that the matrices of a file make, one after the other.

    Links are the matrices named ``weight`` or ``*.weight``, or all matrices where none is named so. They must
    chain: each reads as many neurons as the one before it gives. ``X.bias`` beside ``X.weight`` is its bias.
    Sparse and pruned layers, which are spread over several tensors, are put together: see
    `synaplex.graph.composed.composed`. Other vectors and scalars are left out, and listed by
    `NeuralGraph.coverage`.

    Parameters
    ----------
    tensors
        All tensors of the file.
    layers
        Names of the matrices to chain, in order (``"fc1"`` for ``"fc1.weight"`` will do); all else is left
        out.
    ordered
        Whether the tensors come in the order of the layers. If not, they are taken in the natural order of
        their names (2 before 10), provided that no other order fits as well.
    origin
        What errors call the file.
    confirmed
        Whether the file tells that each layer feeds the next. If not, and other orders of its layers fit as well, a
        warning says that their order is assumed, and so does `NeuralGraph.coverage`.

    Raises
    ------
    InvalidGraphError
        If the matrices do not chain, if their order is not certain, or if there are weights that are no dense
        layer, without which it would be another network. Lists names with shapes.
    UnknownNameError
        If `layers` names what is not there.
    """
    if isinstance(layers, str):
        raise SpecificationError(f"layers must be a list of names, not the text {layers!r}")
    tensors = composed(without_wrapper(tensors))
    chosen = _matrices(tensors, origin) if layers is None else [named_tensor(tensors, name) for name in layers]
    if not ordered and layers is None:
        chosen.sort(key=lambda tensor: natural_order(tensor.name))
    _check_chain(chosen, origin, tensors)
    assumed = layers is None and not confirmed and several_orders(chosen)
    if assumed and not ordered:
        raise InvalidGraphError(
            f"{origin} does not tell the order of its layers, and more than one fits: {listing(chosen)}. If they make "
            f"one chain, {_PASS}. {_other_ways(tensors)}"
        )
    if assumed:
        warnings.warn(
            f"{origin} does not tell how its layers are joined: they are read one after the other in the order in "
            f"which it lists them, {_arrows(chosen)}, and other orders fit as well. To say the order, {_PASS}; if they "
            "make no chain, build the model, load the weights into it, and call sx.graph(model, example_input)",
            stacklevel=4,
        )
    return _build(tensors, _with_sources(chosen, origin, tensors), "; its place is assumed" if assumed else "")


def _wrapper(tensors: Iterable[NamedTensor]) -> str:
    """What a wrapper such as DataParallel or a compiled module has put before all names; empty where none did."""
    return next((one for one in _WRAPPERS if all(tensor.name.startswith(one) for tensor in tensors)), "")


def without_wrapper(tensors: Sequence[NamedTensor]) -> list[NamedTensor]:
    """The same with layers called as in the model inside a wrapper; the tensors keep the names of the file."""
    prefix = _wrapper(tensors)
    return [replace(one, layer=one.layer.removeprefix(prefix)) for one in tensors] if prefix else list(tensors)


def _wrapper_hint(tensors: Sequence[NamedTensor]) -> str:
    prefix = _wrapper(tensors)
    return f" (take {prefix!r}, which a wrapper put there, off the names)" if prefix else ""


def named_tensor(tensors: Iterable[NamedTensor], name: str) -> NamedTensor:
    """The tensor of that name, or the weight of the layer of that name."""
    known = {tensor.name: tensor for tensor in tensors}
    weights = {tensor.layer: tensor for tensor in known.values() if tensor.part == "weight"}
    found = known.get(name) or weights.get(name)
    if found is None:
        raise UnknownNameError("weight matrix", name, known)
    return found


def _other_ways(tensors: Sequence[NamedTensor]) -> str:
    """What to do with a file that is no chain of dense layers."""
    return (
        "For all of it, build the model, load the weights into it, and call "
        f"sx.graph(model, example_input){_wrapper_hint(tensors)}; for a row of statistics a tensor, call "
        "sx.measure_file on the file"
    )


def _matrices(tensors: Sequence[NamedTensor], origin: str) -> list[NamedTensor]:
    candidates = [tensor for tensor in tensors if len(tensor.shape) == 2 and not tensor.reason]
    weights = [tensor for tensor in candidates if tensor.part == "weight"]
    weights = weights or [tensor for tensor in candidates if tensor.floating]
    used = {tensor.name for tensor in weights}
    others = [t for t in tensors if len(t.shape) >= 2 and t.floating and t.name not in used]
    to_chain = f"to read only a chain of dense layers, {_PASS}"
    if why := why_unchained(tensors):
        raise InvalidGraphError(
            f"{origin} holds weights that are no dense layer of a chain: {why}. {_other_ways(tensors)}; {to_chain}"
        )
    if others:
        raise InvalidGraphError(
            f"{origin} holds weights that are no dense layer, and without them it would be another network: "
            f"{listing(others, 4)}. {_other_ways(tensors)}; {to_chain}"
        )
    if not weights:
        raise InvalidGraphError(f"{origin} holds no matrix of weights; it has {listing(tensors) or 'nothing'}")
    return weights


def _feeds(width: int, tensor: NamedTensor) -> bool:
    """Whether a layer of so many neurons can feed a matrix."""
    return width == tensor.shape[1] if tensor.sources_known else width >= tensor.shape[1]


def _check_chain(chosen: Sequence[NamedTensor], origin: str, tensors: Sequence[NamedTensor]) -> None:
    for tensor in chosen:
        if len(tensor.shape) != 2:
            raise InvalidGraphError(f"{tensor.name!r} of {origin} is no matrix (out, in), but {tensor.shape}")
    for before, after in pairwise(chosen):
        if not _feeds(before.shape[0], after):
            least = "" if after.sources_known else " or more"
            raise InvalidGraphError(
                f"the layers of {origin} do not chain: {before.name!r} gives {before.shape[0]} neurons, but "
                f"{after.name!r} reads {after.shape[1]}{least}. In this order, each (out, in): {listing(chosen)}. "
                f"If they make a chain in another order, {_PASS}. {_other_ways(tensors)}"
            )


def _with_sources(chosen: Sequence[NamedTensor], origin: str, tensors: Sequence[NamedTensor]) -> list[NamedTensor]:
    """The same, each sparse matrix with as many sources as the layer before it has neurons."""
    if chosen and not chosen[0].sources_known:
        first = chosen[0]
        raise InvalidGraphError(
            f"{origin} does not tell how many neurons feed its first layer, {first.layer!r}, which is sparse: "
            f"{first.shape[1]} or more, as others may have no connection. A state dict of "
            f"synaplex.sparse.SparseLinear tells it, as X.in_features. {_other_ways(tensors)}"
        )
    widths = [None, *(tensor.shape[0] for tensor in chosen)]
    return [
        tensor if width is None or tensor.sources_known else with_sources(tensor, width)
        for width, tensor in zip(widths, chosen, strict=False)
    ]


def _arrows(tensors: Sequence[NamedTensor], most: int = 12) -> str:
    names = [tensor.layer for tensor in tensors]
    return " -> ".join(names if len(names) <= most else [*names[: most - 1], "...", names[-1]])


def listing(tensors: Sequence[NamedTensor], most: int = 12) -> str:
    """Names with shapes in a row."""
    text = ", ".join(f"{tensor.name} {tensor.shape}" for tensor in tensors[:most])
    return text if len(tensors) <= most else f"{text} and {len(tensors) - most} more"


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sorting key under which numbers inside names count as numbers."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def several_orders(chosen: Sequence[NamedTensor]) -> bool:
    """Whether more than one order chains, where names that differ only in their numbers keep their order."""
    groups: dict[str, list[NamedTensor]] = {}
    for tensor in chosen:
        groups.setdefault(re.sub(r"\d+", "#", tensor.name), []).append(tensor)
    names = list(groups.values())
    # Partial orders that took as many of each group and end in the same width continue alike: one count.
    partial: dict[tuple[tuple[int, ...], int | None], int] = {((0,) * len(names), None): 1}
    states = 0
    for _ in chosen:
        longer: dict[tuple[tuple[int, ...], int | None], int] = {}
        for (taken, width), count in partial.items():
            for i, group in enumerate(names):
                if taken[i] == len(group) or not (width is None or _feeds(width, group[taken[i]])):
                    continue
                state = ((*taken[:i], taken[i] + 1, *taken[i + 1 :]), group[taken[i]].shape[0])
                longer[state] = longer.get(state, 0) + count
        states += len(longer)
        if states > _MOST_STATES:
            return True
        partial = longer
    return sum(partial.values()) > 1


def _build(tensors: Sequence[NamedTensor], chosen: Sequence[NamedTensor], note: str) -> NeuralGraph:
    records = {part.name: left_out(tensor, part) for tensor in tensors for part in tensor.stored}
    vectors = {tensor.layer: tensor for tensor in tensors if tensor.part == "bias"}
    biases: list[Tensor | None] = []
    for tensor in chosen:
        for part in tensor.stored:
            records[part.name] = Coverage(part.name, part.shape, "link", f"into layer {tensor.layer}{note}")
        bias = vectors.get("bias" if tensor.name == "weight" else tensor.layer)
        if bias is not None and bias.shape == tensor.shape[:1]:
            for part in bias.stored:
                records[part.name] = Coverage(part.name, part.shape, "bias", f"of layer {tensor.layer}")
            biases.append(bias.read())
        else:
            biases.append(None)
    graph = NeuralGraph.from_weights([tensor.read() for tensor in chosen], biases, [t.name for t in chosen])
    named = [replace(layer, name=tensor.layer) for layer, tensor in zip(graph.layers[1:], chosen, strict=True)]
    return replace(graph, layers=(graph.layers[0], *named), records=tuple(records.values()))


def left_out(tensor: NamedTensor, part: NamedTensor | None = None) -> Coverage:
    """The record of a tensor that became nothing, or of one that it is put together from."""
    if tensor.reason:
        reason = tensor.reason
    elif not tensor.floating:
        reason = "holds whole numbers, no weights"
    elif len(tensor.shape) >= 2:
        reason = "not among the layers asked for"
    else:
        reason = "joins no neurons: neither a matrix nor the bias of one"
    stored = part or tensor
    return Coverage(stored.name, stored.shape, "left out", reason)
