"""Recurrent cells called in a loop: the graph that the recurrent layer of the same weights unfolds into."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from synaplex.graph import NeuralGraph, trace
from synaplex.measures import disparity, laplacian_centrality, strength

CELLS = {"RNN": nn.RNNCell, "GRU": nn.GRUCell, "LSTM": nn.LSTMCell}


class Looped(nn.Module):
    """A cell over the steps of a sequence, and the last state; from a state that it learns or from zeros."""

    def __init__(self, kind: str, *, learned: bool = False) -> None:
        super().__init__()
        self.cell = CELLS[kind](3, 4)
        self.start = nn.Parameter(torch.randn(1, 4)) if learned else None

    def forward(self, x: Tensor) -> Tensor:
        state: Any = self.start
        for step in range(x.shape[1]):
            state = self.cell(x[:, step], state)
        return state[0] if isinstance(state, tuple) else state


def of(graph: NeuralGraph, values: Tensor, part: str) -> list[Tensor]:
    return [values[graph.layer_slice(i)] for i, layer in enumerate(graph.layers) if part in layer.name]


@pytest.mark.parametrize("kind", CELLS)
def test_a_loop_over_a_cell_is_the_unfolded_layer(kind: str) -> None:
    torch.manual_seed(0)
    looped, whole = Looped(kind), getattr(nn, kind)(3, 4, batch_first=True)
    for name, parameter in looped.cell.named_parameters():
        getattr(whole, f"{name}_l0").data.copy_(parameter)
    first = trace(looped, torch.zeros(1, 5, 3))
    second = trace(whole, torch.zeros(1, 5, 3), unfold=True)
    assert not first.gaps
    for measure in (strength, disparity, laplacian_centrality):
        one, other = measure(first), measure(second)
        for part in ("gates", "cell.cell" if kind == "LSTM" else "cell.hidden"):
            mine = of(first, one, part)
            twin = of(second, other, part.removeprefix("cell."))
            assert len(mine) == len(twin)
            for a, b in zip(mine, twin, strict=True):
                torch.testing.assert_close(a, b)
    outcomes = dict(first.coverage().select("parameter", "outcome").rows())
    assert outcomes == {
        f"cell.{name}_{side}": part for name, part in (("weight", "link"), ("bias", "bias")) for side in ("ih", "hh")
    }
    torch.testing.assert_close(
        next(iter(first.biases.values())), looped.cell.bias_ih.detach() + looped.cell.bias_hh.detach()
    )


def test_a_learned_first_state_joins_no_neurons() -> None:
    graph = trace(Looped("GRU", learned=True), torch.zeros(1, 2, 3))
    rows = {row[0]: row[2:] for row in graph.coverage().rows()}
    assert rows["start"] == ("left out", "the state before the first step; joins no neurons")
    assert rows["cell.weight_hh"] == ("link", "cell.hidden -> cell.gates (2)")


def test_a_state_that_the_model_computes_feeds_the_step() -> None:
    class Started(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.cell = nn.Linear(2, 4), nn.RNNCell(3, 4)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.cell(x, self.first(y))

    model = Started()
    graph = trace(model, (torch.zeros(1, 3), torch.zeros(1, 2)))
    names = [layer.name for layer in graph.layers]
    (link,) = [link for link in graph.links if link.name == "cell.weight_hh"]
    assert (names[link.source], names[link.target]) == ("first", "cell.hidden")
    torch.testing.assert_close(link.to_dense(), model.cell.weight_hh.detach())
