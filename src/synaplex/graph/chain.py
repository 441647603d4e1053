"""From named tensors to a chain of dense layers, as in a file of weights, which holds no computation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from torch import Tensor

from synaplex.errors import InvalidGraphError, SpecificationError, UnknownNameError
from synaplex.graph.coverage import Coverage
from synaplex.graph.network import NeuralGraph

_PASS = "Pass layers=[names in order]"
_MOST_STATES = 10_000
_WRAPPERS = ("module.", "_orig_mod.")


@dataclass(frozen=True)
class NamedTensor:
    """A tensor of a file, read when it is asked for.

    Attributes
    ----------
    name
        Its name in the file.
    shape
        Its shape, matrices as ``(out, in)``.
    read
        Reads it.
    layer
        The layer it belongs to: its name without the last part.
    part
        ``"weight"``, ``"bias"``, or whatever else its name says it is.
    floating
        Whether it holds floating-point numbers.
    reason
        Why it cannot be a link, where the file says so.
    """

    name: str
    shape: tuple[int, ...]
    read: Callable[[], Tensor]
    layer: str
    part: str
    floating: bool = True
    reason: str = ""

    @classmethod
    def of_state(cls, name: str, shape: Sequence[int], read: Callable[[], Tensor], *, floating: bool) -> NamedTensor:
        """A tensor of a PyTorch state dict, named ``layer.part``."""
        layer, _, part = name.rpartition(".")
        return cls(name, tuple(shape), read, layer or name, part, floating)


def state_tensors(state: Mapping[str, Tensor]) -> list[NamedTensor]:
    """The tensors of a PyTorch state dict."""
    return [
        NamedTensor.of_state(name, value.shape, value.detach, floating=value.is_floating_point())
        for name, value in state.items()
    ]


def chain(tensors: Sequence[NamedTensor], *, layers: Sequence[str] | None, ordered: bool, origin: str) -> NeuralGraph:
    """The feed-forward network that the matrices of a file make, one after the other.

    Links are the matrices named ``weight`` or ``*.weight``, or all matrices where none is named so. They must
    chain: each reads as many neurons as the one before it gives. ``X.bias`` beside ``X.weight`` is its bias.
    Other vectors and scalars are left out, and listed by `NeuralGraph.coverage`.

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
    tensors = without_wrapper(tensors)
    chosen = _matrices(tensors, origin) if layers is None else [named_tensor(tensors, name) for name in layers]
    certain = ordered or layers is not None
    if not certain:
        chosen.sort(key=lambda tensor: natural_order(tensor.name))
    _check_chain(chosen, origin)
    if not certain and several_orders(chosen):
        raise InvalidGraphError(
            f"{origin} does not tell the order of its layers, and more than one fits: {listing(chosen)}. {_PASS}"
        )
    return _build(tensors, chosen)


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


def _matrices(tensors: Sequence[NamedTensor], origin: str) -> list[NamedTensor]:
    candidates = [tensor for tensor in tensors if len(tensor.shape) == 2 and not tensor.reason]
    weights = [tensor for tensor in candidates if tensor.part == "weight"]
    weights = weights or [tensor for tensor in candidates if tensor.floating]
    used = {tensor.name for tensor in weights}
    others = [t for t in tensors if len(t.shape) >= 2 and t.floating and t.name not in used]
    if others:
        raise InvalidGraphError(
            f"{origin} holds weights that are no dense layer, and without them it would be another network: "
            f"{listing(others, 4)}. For all of it, build the model, load the weights into it, and call "
            f"sx.graph(model, example_input){_wrapper_hint(tensors)}; for a row of statistics a tensor, call "
            "sx.measure_file on the file; to read only a chain of dense layers, pass layers=[names in order]"
        )
    if not weights:
        raise InvalidGraphError(f"{origin} holds no matrix of weights; it has {listing(tensors) or 'nothing'}")
    return weights


def _check_chain(chosen: Sequence[NamedTensor], origin: str) -> None:
    for tensor in chosen:
        if len(tensor.shape) != 2:
            raise InvalidGraphError(f"{tensor.name!r} of {origin} is no matrix (out, in), but {tensor.shape}")
    for before, after in pairwise(chosen):
        if before.shape[0] != after.shape[1]:
            raise InvalidGraphError(
                f"the layers of {origin} do not chain: {before.name!r} gives {before.shape[0]} neurons, but "
                f"{after.name!r} reads {after.shape[1]}. In this order, each (out, in): {listing(chosen)}. "
                f"{_PASS}"
            )


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
                if taken[i] == len(group) or width not in (None, group[taken[i]].shape[1]):
                    continue
                state = ((*taken[:i], taken[i] + 1, *taken[i + 1 :]), group[taken[i]].shape[0])
                longer[state] = longer.get(state, 0) + count
        states += len(longer)
        if states > _MOST_STATES:
            return True
        partial = longer
    return sum(partial.values()) > 1


def _build(tensors: Sequence[NamedTensor], chosen: Sequence[NamedTensor]) -> NeuralGraph:
    records = {tensor.name: left_out(tensor) for tensor in tensors}
    vectors = {tensor.layer: tensor for tensor in tensors if tensor.part == "bias"}
    biases: list[Tensor | None] = []
    for tensor in chosen:
        records[tensor.name] = Coverage(tensor.name, tensor.shape, "link", f"into layer {tensor.layer}")
        bias = vectors.get("bias" if tensor.name == "weight" else tensor.layer)
        if bias is not None and bias.shape == tensor.shape[:1]:
            records[bias.name] = Coverage(bias.name, bias.shape, "bias", f"of layer {tensor.layer}")
            biases.append(bias.read())
        else:
            biases.append(None)
    graph = NeuralGraph.from_weights([tensor.read() for tensor in chosen], biases, [t.name for t in chosen])
    named = [replace(layer, name=tensor.layer) for layer, tensor in zip(graph.layers[1:], chosen, strict=True)]
    return replace(graph, layers=(graph.layers[0], *named), records=tuple(records.values()))


def left_out(tensor: NamedTensor) -> Coverage:
    """The record of a tensor that became nothing."""
    if tensor.reason:
        reason = tensor.reason
    elif not tensor.floating:
        reason = "holds whole numbers, no weights"
    elif len(tensor.shape) >= 2:
        reason = "not among the layers asked for"
    else:
        reason = "joins no neurons: neither a matrix nor the bias of one"
    return Coverage(tensor.name, tensor.shape, "left out", reason)
