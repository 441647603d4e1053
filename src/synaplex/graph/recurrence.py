"""Recurrent layers as graphs: folded into one step, or unfolded over time.

A recurrent layer is a graph of one step whose links carry a delay: 0 within a step, 1 from the step before, -1 from the
step after (the second direction of a bidirectional layer). Folded, the delays are left out and the recurrent link
joins the layer to itself or to the one before it; unfolded, each step has its own copy of every layer.

Conventions
-----------
Weights are read as they are: each gate's pre-activation is a neuron. Where a cell multiplies two signals there is no
fixed Jacobian; a product passes each of its factors by weight 1. So, per layer and direction:

- RNN: ``hidden``; input -> hidden (W_ih), hidden -> hidden (W_hh, delay 1).
- LSTM: ``gates`` (i, f, g, o: 4h neurons), ``cell``, ``hidden``; input -> gates (W_ih), hidden -> gates (W_hh,
  delay 1); c = f c' + i g: gates i, f, g -> cell, cell -> cell (delay 1); h = o tanh(c): gate o -> hidden,
  cell -> hidden. With a projection, hidden -> ``projection`` (W_hr), which then stands for hidden in what follows.
- GRU: ``gates`` (r, z, n: 3h neurons), ``hidden``; input -> gates (W_ih), hidden -> gates (W_hh, delay 1); n reads the
  product of r with its own recurrent part: r -> n; h = (1 - z) n + z h': z, n -> hidden, hidden -> hidden (delay 1).

A bias of a gate is the sum of the two that torch keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph.dense import DenseLink
from synaplex.graph.identity import IdentityLink
from synaplex.graph.layer import Layer, Role
from synaplex.graph.link import Link
from synaplex.graph.network import NeuralGraph
from synaplex.graph.select import select_link

Recurrent = nn.RNN | nn.LSTM | nn.GRU | nn.RNNCell | nn.LSTMCell | nn.GRUCell


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A recurrent module as the graph of one step, with a delay for each link.

    Attributes
    ----------
    layers
        Layer 0 is the input of a step.
    links
        Between these layers.
    delays
        How many steps before its target the source of each link is: 0, 1, or -1.
    biases
        By layer index.
    outputs
        Indices of the layers that the module returns, one per direction.
    """

    layers: tuple[Layer, ...]
    links: tuple[Link, ...]
    delays: tuple[int, ...]
    biases: Mapping[int, Float[Tensor, " neurons"]]
    outputs: tuple[int, ...]

    def folded(self) -> NeuralGraph:
        """The graph of one step, with recurrent links within it."""
        layers = tuple(self._layer(i, "") for i in range(len(self.layers)))
        return NeuralGraph(layers, self.links, self.biases)

    def unfolded(self, steps: int) -> NeuralGraph:
        """The graph of several steps, a copy of every layer for each; links share their weights.

        Layers are named by their step: ``input at 0``, ``hidden at 0``, ..., ``input at 1``, ... The state before the
        first step is zero and no neuron.

        Raises
        ------
        SpecificationError
            If `steps` is not positive.
        """
        if steps < 1:
            raise SpecificationError(f"a network unfolds over 1 step or more, not {steps}")
        count = len(self.layers)
        layers = tuple(self._layer(i, f" at {step}") for step in range(steps) for i in range(count))
        links = tuple(
            link.between((step - delay) * count + link.source, step * count + link.target)
            for step in range(steps)
            for link, delay in zip(self.links, self.delays, strict=True)
            if 0 <= step - delay < steps
        )
        biases = {step * count + layer: bias for step in range(steps) for layer, bias in self.biases.items()}
        return NeuralGraph(layers, links, biases)

    def _layer(self, index: int, suffix: str) -> Layer:
        layer = self.layers[index]
        role: Role = "input" if index == 0 else "output" if index in self.outputs else "hidden"
        return Layer(layer.name + suffix, layer.shape, role)


def recurrence(module: Recurrent, name: str = "") -> Recurrence:
    """The recurrence of a torch module: all its layers and directions, by the conventions of this file.

    Parameters
    ----------
    module
        `torch.nn.RNN`, `LSTM`, `GRU`, or one of their cells. Weights are shared with it.
    name
        Put before the names of parameters, as in ``encoder.weight_ih_l0``.

    Examples
    --------
    >>> recurrence(nn.RNN(3, 2)).folded().sizes
    (3, 2)
    >>> recurrence(nn.LSTM(3, 2)).unfolded(2).sizes
    (3, 8, 2, 2, 3, 8, 2, 2)
    """
    kind = next((kind for kind, classes in _KINDS.items() if isinstance(module, classes)), None)
    if kind is None:
        raise InvalidGraphError(
            f"a {type(module).__name__} is no recurrent module: pass an RNN, LSTM or GRU, or one of their cells"
        )
    step = _Step(module, kind, name, [Layer("input", (module.input_size,))])
    below = [0]
    if isinstance(module, nn.RNNBase):
        for number in range(module.num_layers):
            directions = ("", "_reverse") if module.bidirectional else ("",)
            below = [step.add(below, f"_l{number}", direction) for direction in directions]
    else:
        below = [step.add(below, "", "")]
    return Recurrence(tuple(step.layers), tuple(step.links), tuple(step.delays), step.biases, tuple(below))


_KINDS = {"rnn": (nn.RNN, nn.RNNCell), "lstm": (nn.LSTM, nn.LSTMCell), "gru": (nn.GRU, nn.GRUCell)}


@dataclass
class _Step:
    """The graph of one step while it is put together."""

    module: Recurrent
    kind: str
    name: str
    layers: list[Layer]
    links: list[Link] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    biases: dict[int, Tensor] = field(default_factory=dict)

    def add(self, below: list[int], label: str, direction: str) -> int:
        """One layer of cells in one direction, on the layers below; the index of the layer that it returns."""
        size, delay = self.module.hidden_size, -1 if direction else 1
        suffix = label + direction
        hidden_to = self._parameter(f"weight_hh{suffix}")
        if self.kind == "rnn":
            gates = hidden = self._layer("hidden", suffix, size)
        else:
            gates = self._layer("gates", suffix, hidden_to.shape[0])
            cell = self._layer("cell", suffix, size) if self.kind == "lstm" else -1
            hidden = self._layer("hidden", suffix, size)
        self._read(below, gates, suffix)
        if self.kind == "lstm":
            for gate in (0, 1, 2):
                self._gate(gate, gates, cell)
            self._identity(cell, cell, delay)
            self._gate(3, gates, hidden)
            self._identity(cell, hidden, 0)
        elif self.kind == "gru":
            self._within(gates, reset=0, candidate=2)
            for gate in (1, 2):
                self._gate(gate, gates, hidden)
            self._identity(hidden, hidden, delay)
        returned = hidden
        if getattr(self.module, "proj_size", 0):
            returned = self._layer("projection", suffix, self.module.proj_size)  # type: ignore[arg-type]
            self._dense(hidden, returned, f"weight_hr{suffix}")
        self._dense(returned, gates, f"weight_hh{suffix}", delay)
        return returned

    @property
    def _device(self) -> torch.device:
        device = next(self.module.parameters()).device
        return torch.device("cpu") if device.type == "meta" else device

    def _parameter(self, name: str) -> Tensor:
        parameter: Tensor = getattr(self.module, name)
        return parameter.detach()

    def _layer(self, part: str, suffix: str, size: int) -> int:
        self.layers.append(Layer(part + suffix, (size,)))
        return len(self.layers) - 1

    def _link(self, link: Link, source: int, target: int, delay: int = 0) -> None:
        self.links.append(link.between(source, target))
        self.delays.append(delay)

    def _dense(self, source: int, target: int, name: str, delay: int = 0, columns: slice = slice(None)) -> None:
        weight = self._parameter(name)[:, columns]
        label = f"{self.name}.{name}" if self.name else name
        self._link(DenseLink(source=0, target=0, name=label, weight=weight), source, target, delay)

    def _read(self, below: list[int], gates: int, suffix: str) -> None:
        """What the layers below send, and the biases."""
        start = 0
        for layer in below:
            stop = start + self.layers[layer].size
            self._dense(layer, gates, f"weight_ih{suffix}", columns=slice(start, stop))
            start = stop
        if self.module.bias:
            self.biases[gates] = self._parameter(f"bias_ih{suffix}") + self._parameter(f"bias_hh{suffix}")

    def _gate(self, gate: int, gates: int, target: int) -> None:
        size = self.layers[target].size
        index = gate * size + torch.arange(size)
        self._link(select_link(index.to(self._device), self.layers[gates].size), gates, target)

    def _within(self, gates: int, *, reset: int, candidate: int) -> None:
        """The reset gate reaches the candidate of the same unit."""
        count = self.layers[gates].size
        size = count // 3
        index = torch.full((count,), -1)
        index[candidate * size :] = reset * size + torch.arange(size)
        self._link(select_link(index.to(self._device), count), gates, gates)

    def _identity(self, source: int, target: int, delay: int) -> None:
        size = self.layers[target].size
        scale = torch.ones((), dtype=torch.float64, device=self._device)
        self._link(IdentityLink(source=0, target=0, size=size, scale=scale), source, target, delay)
