"""A graph under construction: what a walk through a model adds to."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.coverage import Coverage, Outcome
from synaplex.graph.gap import Gap
from synaplex.graph.layer import Layer, Role
from synaplex.graph.network import NeuralGraph
from synaplex.graph.tracing.axis import Axis
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.signal import Signal, spread

_RANK: tuple[Outcome, ...] = ("left out", "bias", "link", "not understood")


@dataclass(frozen=True, eq=False)
class Hole:
    """A gap between layers under construction."""

    module: str
    reason: str
    sources: frozenset[Draft]
    targets: tuple[Draft, ...]


class Assembly:
    """Layers and links collected so far, and what became of each parameter.

    Parameters
    ----------
    parameters
        The parameters of the model by name. Each is left out until a rule says otherwise.
    """

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        self.parameters = parameters
        found = next((parameter.device for parameter in parameters.values()), torch.device("cpu"))
        self.device = torch.device("cpu") if found.type == "meta" else found
        self.drafts: list[Draft] = []
        self.holes: list[Hole] = []
        self.copies: list[tuple[Tensor, tuple[int, ...], Signal]] = []
        self.words: dict[str, list[tuple[Tensor, int, Draft]]] = {}
        self._by_base: list[Draft] = []
        self._next = 1
        self._details: dict[str, tuple[Outcome, list[str]]] = {}
        self._names: Counter[str] = Counter()

    def add_layer(
        self, name: str, shape: Sequence[int], axes: Sequence[Axis] | None = None, *, is_input: bool = False
    ) -> Draft:
        """A new layer; a name used before gets a number."""
        shape = tuple(shape) or (1,)
        known = tuple(axes) if axes else tuple(Axis() for _ in shape)
        draft = Draft(self._unused(name), shape, self._next, known, is_input)
        self._next += draft.size
        self.drafts.append(draft)
        self._by_base.append(draft)
        return draft

    def _unused(self, name: str) -> str:
        self._names[name] += 1
        count = self._names[name]
        return name if count == 1 else f"{name} ({count})"

    def rename(self, draft: Draft, name: str) -> None:
        """Give a layer another name."""
        if draft.name != name:
            draft.name = self._unused(name)

    def owner(self, number: int) -> Draft:
        """The layer of a neuron."""
        return self._by_base[bisect_right(self._by_base, number, key=lambda draft: draft.base) - 1]

    def signal(self, draft: Draft, axes: Sequence[int], shape: Sequence[int], order: Sequence[int] = ()) -> Signal:
        """The activations of a layer as a tensor.

        Parameters
        ----------
        axes
            The axis of the tensor that each dimension of the layer becomes, in ascending order.
        shape
            Shape of the tensor; along other axes the numbers repeat.
        order
            Where the tensor has the dimensions in another order: which dimension comes first, second, ...
        """
        ids = draft.ids.permute(*order) if order else draft.ids
        if not axes:
            ids = ids.reshape(())
        return Signal(spread(ids, axes, shape), frozenset({draft}))

    def absorb(self, draft: Draft, other: Draft) -> None:
        """Make two layers one that sums what both got; nothing may have read either."""
        draft.incoming += other.incoming
        if other.bias is not None:
            self.add_bias(draft, other.bias)
        draft.name = f"{other.name} + {draft.name}"
        self.drafts.remove(other)

    def add_bias(self, draft: Draft, bias: Tensor) -> None:
        """Add a bias to a layer's neurons."""
        draft.bias = bias if draft.bias is None else draft.bias + bias

    def move_last(self, draft: Draft) -> None:
        """Put a layer that nothing has read behind all others, so that links keep pointing forward."""
        self.drafts.remove(draft)
        self.drafts.append(draft)

    def record(self, parameters: Collection[str], outcome: Outcome, detail: str) -> None:
        """Note what parameters became; a link outweighs a bias, and that outweighs being left out."""
        for parameter in parameters:
            before, details = self._details.get(parameter, ("left out", []))
            if _RANK.index(outcome) > _RANK.index(before):
                self._details[parameter] = (outcome, [detail])
            elif outcome == before and detail not in details:
                self._details[parameter] = (outcome, [*details, detail])

    def recorded(self, parameter: str) -> bool:
        """Whether anything was noted of a parameter."""
        return parameter in self._details

    def coverage(self) -> tuple[Coverage, ...]:
        """What became of every parameter, and of the modules without parameters that were noted."""
        unused: tuple[Outcome, list[str]] = ("left out", ["the forward pass does not use it"])
        known = {**dict.fromkeys(self.parameters, unused), **self._details}
        for name, parameter in self.parameters.items():
            twin = next(
                (other for other in self._details if self.parameters.get(other) is parameter and other != name), None
            )
            if twin is not None:
                outcome, details = known[name] if name in self._details else (self._details[twin][0], [])
                known[name] = (outcome, [*details, f"the same tensor as {twin}"])
        shapes = {name: tuple(parameter.shape) for name, parameter in self.parameters.items()}
        return tuple(
            Coverage(name, shapes.get(name, ()), outcome, "; ".join(details))
            for name, (outcome, details) in known.items()
        )

    def build(self, returned: Collection[Draft]) -> NeuralGraph:
        """The finished graph; `returned` are the layers that the model gives back."""
        self._drop_unread(returned)
        self.drafts.sort(key=lambda draft: not draft.is_input)
        index = {draft: i for i, draft in enumerate(self.drafts)}
        links = tuple(
            link.between(index[source], index[draft]) for draft in self.drafts for source, link in draft.incoming
        )
        gaps = tuple(
            Gap(
                hole.module,
                hole.reason,
                tuple(sorted(index[draft] for draft in hole.sources if draft in index)),
                tuple(index[draft] for draft in hole.targets if draft in index),
            )
            for hole in self.holes
        )
        if not links:
            raise InvalidGraphError(
                "the model holds no layer of weights, so there is no graph of it"
                + "".join(f"; {gap.module} is not understood: {gap.reason}" for gap in gaps)
            )
        feeding = {link.source for link in links}.union(*(gap.sources for gap in gaps))
        given = {index[draft] for draft in returned if draft in index and not draft.is_input}
        last = given - feeding or given
        layers = tuple(Layer(draft.name, draft.shape, _role(draft, i in last)) for i, draft in enumerate(self.drafts))
        biases = {index[draft]: draft.bias for draft in self.drafts if draft.bias is not None}
        return NeuralGraph(layers, links, biases, records=self.coverage(), gaps=gaps)

    def _drop_unread(self, returned: Collection[Draft]) -> None:
        """Leave out inputs that nothing reads, and means, variances and the like that served a normalisation."""
        while True:
            read = {source for draft in self.drafts for source, _ in draft.incoming}.union(
                *(hole.sources for hole in self.holes)
            )
            unread = [d for d in self.drafts if (d.summary_of or d.is_input) and d not in read and d not in returned]
            if not unread:
                return
            for draft in unread:
                self.drafts.remove(draft)


def _role(draft: Draft, last: bool) -> Role:
    return "input" if draft.is_input else "output" if last else "hidden"


def common_shape(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that several broadcast to."""
    return tuple(torch.broadcast_shapes(*(tuple(shape) for shape in shapes)))  # type: ignore[no-untyped-call]
