"""Recurrent modules of PyTorch are unfolded: their states are those that PyTorch computes."""

import pytest
import torch
from torch import nn

from synaplex.measures.activity import activity, neurons_activation, neurons_strength, segment_strength
from synaplex.measures.activity.recurrent import unfold, unfold_cell
from synaplex.networks import Normal, rnn


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Reader(nn.Module):
    def __init__(self, recurrent, state=None):
        super().__init__()
        self.recurrent, self.state = recurrent, state

    def forward(self, x):
        return self.recurrent(x)[0] if self.state is None else self.recurrent(x, self.state)[0]


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize(
    "options", [{}, {"bidirectional": True}, {"bias": False, "batch_first": True}, {"dropout": 0.5}]
)
@pytest.mark.parametrize("given", [False, True])
def test_states_are_those_of_pytorch(kind, options, given):
    module = kind(3, 4, num_layers=2, **options).double().eval()
    directions = 2 if options.get("bidirectional") else 1
    x = random(5, 2, 3).double() if not options.get("batch_first") else random(2, 5, 3).double()
    state = random(2 * directions, 2, 4, seed=1).double() if given else None
    start = (state, state * 2) if given and kind is nn.LSTM else state
    with torch.no_grad():
        output, final = module(x, start)
        final = final[0] if kind is nn.LSTM else final
        parts = {part.name: part for part in unfold(module, x, start)}
    states = [part for name, part in parts.items() if name.endswith(".h") or kind is nn.RNN]
    last = torch.cat([part.activation for part in states[-directions:]], 2)
    torch.testing.assert_close(last, output if options.get("batch_first") else output.transpose(0, 1))
    for number, part in enumerate(states):
        ends = part.activation[:, 0 if number % directions else -1]
        torch.testing.assert_close(ends, final[number])
    for part in parts.values():
        if part.function is not None:
            torch.testing.assert_close(getattr(torch, part.function)(part.strength), part.activation)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_a_projection_is_read():
    module = nn.LSTM(3, 6, proj_size=2, num_layers=2, batch_first=True).eval()
    x = random(4, 5, 3)
    parts = {part.name: part for part in unfold(module, x)}
    torch.testing.assert_close(parts[".l1.h"].activation, module(x)[0])
    assert parts[".l0.i"].strength.shape == (4, 5, 6)


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_cells(kind):
    cell, x, state = kind(3, 4).eval(), random(6, 3), random(6, 4, seed=1)
    start = (state, 2 * state) if kind is nn.LSTMCell else state
    *_, last = unfold_cell(cell, x, start)
    output = cell(x, start)
    torch.testing.assert_close(last.activation[:, 0], output[0] if kind is nn.LSTMCell else output)
    torch.testing.assert_close(
        [*unfold_cell(cell, x)][-1].activation[:, 0], cell(x)[0] if kind is nn.LSTMCell else cell(x)
    )


def test_names_tell_layer_direction_and_gate():
    x = random(4, 5, 3)
    plain = activity(Reader(nn.RNN(3, 4, batch_first=True)), x)
    assert plain.layer_names == ("input", "recurrent")
    assert plain.layers().row(1, named=True)["function"] == "tanh"
    assert plain.layers().row(1, named=True)["steps"] == 5
    stacked = activity(Reader(nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True)), x)
    assert len(stacked.layer_names) == 1 + 4 * 4
    assert {"recurrent.l0.r", "recurrent.l1_reverse.h"} <= set(stacked.layer_names)
    assert set(stacked.coverage()["reason"]) == {None}
    values = neurons_activation(Reader(nn.LSTM(3, 4, batch_first=True)), x, "recurrent.h")
    assert values.shape == (4, 5, 4)


def test_what_cannot_be_unfolded_is_said():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent = nn.RNN(3, 4, batch_first=True)

        def forward(self, x):
            lengths = torch.full((len(x),), x.shape[1])
            return self.recurrent(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[1]

    seen = activity(Packed(), random(4, 5, 3))
    assert seen.layer_names == ("input",)
    assert all("PackedSequence; pad" in reason for reason in seen.coverage()["reason"])


def test_a_recurrent_network_and_that_of_pytorch_are_the_same_layer():
    ours = rnn((1, 6, 4), 5, 3, bias=True).build(2, Normal(std=0.5), biases="weights")
    theirs = nn.RNN(4, 5, batch_first=True)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(ours.cell.weight_ih)
        theirs.weight_hh_l0.copy_(ours.cell.weight_hh)
        theirs.bias_ih_l0.copy_(ours.cell.bias)
        theirs.bias_hh_l0.zero_()
    x = random(7, 6, 4)
    torch.testing.assert_close(
        neurons_strength(ours, x, "cell"), neurons_strength(Reader(theirs), x, "recurrent"), rtol=1e-4, atol=1e-5
    )
    for signed in (True, False):
        torch.testing.assert_close(
            segment_strength(ours, x, signed=signed), segment_strength(Reader(theirs), x, signed=signed)
        )


def test_the_heat_map_of_neurons_holds_their_mean_at_each_step():
    module, x = rnn((1, 6, 4), 5, 3, bias=True).build(2, Normal(std=0.5)), random(30, 6, 4)
    heat = activity(module, x, batch_size=8).moments("cell")
    assert heat.shape == (6, 5)
    torch.testing.assert_close(heat, neurons_strength(module, x, "cell").double().mean(0), rtol=1e-5, atol=1e-6)


def test_features_bring_the_strength_that_does_not_come_from_the_state():
    module, x = rnn((1, 6, 4), 5, 3, bias=True).build(2, Normal(std=0.5), biases="weights"), random(30, 6, 4)
    cell = module.cell
    brought = segment_strength(module, x, batch_size=7)
    assert brought.shape == (6, 4)
    expected = torch.zeros(6, 4, dtype=torch.float64)
    for step in range(6):
        for feature in range(4):
            expected[step, feature] = sum(
                float(x[:, step, feature].double().mean()) * w for w in cell.weight_ih[:, feature].tolist()
            )
    torch.testing.assert_close(brought, expected, rtol=1e-6, atol=1e-7)
    strength = neurons_strength(module, x, "cell").double()
    before = torch.cat([torch.zeros(30, 1, 5), neurons_activation(module, x, "cell")[:, :-1]], 1).double()
    inner = before @ cell.weight_hh.double().T + cell.bias.double()
    total = (strength - inner).sum(2).mean(0).detach()
    torch.testing.assert_close(brought.sum(1), total, rtol=1e-4, atol=1e-4)
