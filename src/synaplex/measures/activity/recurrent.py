"""Recurrent modules of PyTorch, unfolded in time: what each neuron and gate receives and sends at every step.

The modules return activations only, and those of the last layer only. Their steps are therefore computed again from
their weights, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None]
"""``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``, and ``weight_hr`` of a projection."""

_GATES = {"LSTM": ("i", "f", "g", "o"), "GRU": ("r", "z", "n")}


@dataclass(frozen=True, eq=False)
class Unfolded:
    """One set of neurons of a recurrent module over time.

    Attributes
    ----------
    name
        What is added to the name of the module: layer, direction and gate; empty where there is only one.
    strength, activation
        Before and after the activation function.
    function
        Name of the activation function; None for a state, which has none of its own.
    """

    name: str
    strength: Float[Tensor, "samples steps neurons"]
    activation: Float[Tensor, "samples steps neurons"]
    function: str | None


def unfold(module: nn.RNNBase, x: Tensor, state: Any = None) -> Iterator[Unfolded]:
    """Every layer and direction of a recurrent module; step t reads position t of the sequence in both directions.

    Of an ``nn.RNN`` the pre-activations (La Malfa et al. 2024, eq. 9) and their activations. Of gated modules each gate
    in that way, ``i``, ``f``, ``g``, ``o`` or ``r``, ``z``, ``n`` as PyTorch's documentation calls them, and the state
    ``h``, whose strength and activation are both its value.

    Parameters
    ----------
    module
        ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, in evaluation mode.
    x
        Its input, batched.
    state
        Its initial state, as the module takes it; zero by default.
    """
    signal = x if module.batch_first else x.transpose(0, 1)
    directions = 2 if module.bidirectional else 1
    first, cells = state if isinstance(state, tuple) else (state, None)
    for layer in range(module.num_layers):
        outputs = []
        for direction in range(directions):
            suffix = f"_l{layer}" + ("_reverse" if direction else "")
            weights = _weights(module, suffix)
            place = layer * directions + direction
            hidden = _start(first, place, signal, weights[1].shape[1])
            cell = _start(cells, place, signal, module.hidden_size)
            label = "" if module.num_layers * directions == 1 else f".{suffix[1:]}"
            steps = list(signal.unbind(1))
            records = []
            for step in reversed(steps) if direction else steps:
                record, hidden, cell = _step(_kind(module), weights, step, hidden, cell)
                records.append(record)
            if direction:
                records.reverse()
            outputs.append(torch.stack([record["h"][1] for record in records], 1))
            yield from _parts(_kind(module), label, records)
        signal = torch.cat(outputs, 2)


def unfold_cell(module: nn.RNNCellBase, x: Tensor, state: Any = None) -> Iterator[Unfolded]:
    """One call of ``nn.RNNCell``, ``nn.GRUCell`` or ``nn.LSTMCell`` as a sequence of one step; see `unfold`."""
    weights = (module.weight_ih, module.weight_hh, module.bias_ih, module.bias_hh, None)
    first, cells = state if isinstance(state, tuple) else (state, None)
    hidden = x.new_zeros(len(x), module.hidden_size) if first is None else first
    cell = x.new_zeros(len(x), module.hidden_size) if cells is None else cells
    record, _, _ = _step(_kind(module), weights, x, hidden, cell)
    yield from _parts(_kind(module), "", [record])


def _kind(module: nn.RNNBase | nn.RNNCellBase) -> str:
    """``"LSTM"``, ``"GRU"``, or the activation function of a plain recurrence."""
    for kind in ("LSTM", "GRU"):
        if kind in type(module).__name__:
            return kind
    return str(module.nonlinearity)


def _weights(module: nn.RNNBase, suffix: str) -> Weights:
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    found: list[Tensor | None] = [getattr(module, name + suffix, None) for name in names]
    assert found[0] is not None
    assert found[1] is not None
    return found[0], found[1], found[2], found[3], found[4]


def _start(given: Tensor | None, place: int, signal: Tensor, size: int) -> Tensor:
    return signal.new_zeros(len(signal), size) if given is None else given[place]


def _step(
    kind: str, weights: Weights, x: Tensor, hidden: Tensor, cell: Tensor
) -> tuple[dict[str, tuple[Tensor, Tensor]], Tensor, Tensor]:
    """What each set of neurons receives and sends in one step, and the states after it."""
    weight_ih, weight_hh, bias_ih, bias_hh, projection = weights
    outer, inner = functional.linear(x, weight_ih, bias_ih), functional.linear(hidden, weight_hh, bias_hh)
    if kind == "LSTM":
        received = dict(zip(_GATES[kind], (outer + inner).chunk(4, 1), strict=True))
        record = {gate: (z, z.tanh() if gate == "g" else z.sigmoid()) for gate, z in received.items()}
        cell = record["f"][1] * cell + record["i"][1] * record["g"][1]
        hidden = record["o"][1] * cell.tanh()
        if projection is not None:
            hidden = functional.linear(hidden, projection)
        record["h"] = (hidden, hidden)
        return record, hidden, cell
    if kind == "GRU":
        (r, z, n), (r2, z2, n2) = outer.chunk(3, 1), inner.chunk(3, 1)
        reset, update = (r + r2).sigmoid(), (z + z2).sigmoid()
        candidate = n + reset * n2
        hidden = (1 - update) * candidate.tanh() + update * hidden
        record = {
            "r": (r + r2, reset),
            "z": (z + z2, update),
            "n": (candidate, candidate.tanh()),
            "h": (hidden, hidden),
        }
        return record, hidden, cell
    received_all = outer + inner
    hidden = received_all.tanh() if kind == "tanh" else received_all.relu()
    return {"h": (received_all, hidden)}, hidden, cell


def _parts(kind: str, label: str, records: list[dict[str, tuple[Tensor, Tensor]]]) -> Iterator[Unfolded]:
    functions: Mapping[str, str | None] = (
        {"i": "sigmoid", "f": "sigmoid", "g": "tanh", "o": "sigmoid", "r": "sigmoid", "z": "sigmoid", "n": "tanh"}
        if kind in _GATES
        else {"h": kind}
    )
    for name in records[0]:
        received, sent = (torch.stack([record[name][side] for record in records], 1) for side in (0, 1))
        yield Unfolded(f"{label}.{name}" if kind in _GATES else label, received, sent, functions.get(name))
