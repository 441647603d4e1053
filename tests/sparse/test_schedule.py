"""When rounds take place, and how much they drop and grow."""

import math
from itertools import pairwise

import pytest
import torch

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.sparse import Evolution, sparsify
from synaplex.sparse.rules import schedule
from tests.sparse.networks import small


def rounds(text: str, epochs: int = 6, steps: int = 4) -> list[tuple[int, int]]:
    """Epoch and step of each round."""
    evolution = Evolution(small(), drop="random:0.2", schedule=text)
    for _ in range(epochs):
        for _ in range(steps):
            evolution.step()
        evolution.epoch()
    log = evolution.log.filter(evolution.log["dropped"] > 0)
    return list(zip(log["epoch"], log["step"], strict=True))


def test_every_epoch_and_every_n_steps():
    assert rounds("epoch") == [(e, 4 * e) for e in range(1, 7)]
    assert rounds("epoch:2") == [(2, 8), (4, 16), (6, 24)]
    assert rounds("steps:9") == [(2, 9), (4, 18)]
    assert rounds("decay:10") == rounds("epoch")


def test_none_after_the_last_epoch():
    assert rounds("until:6") == [(e, 4 * e) for e in range(1, 6)]
    assert rounds("steps:4+until:3") == [(0, 4), (1, 8), (2, 12)]


def test_epochs_by_steps():
    evolution = Evolution(small(), drop="random:0.2", schedule="epoch", steps_per_epoch=3)
    for _ in range(10):
        evolution.step()
    assert evolution.log["step"].to_list() == [3, 6, 9]
    with pytest.raises(SpecificationError, match="steps_per_epoch"):
        evolution.epoch()


def test_every_epoch_has_its_row():
    evolution = Evolution(small(), drop="random:0.2", schedule="epoch:2")
    for accuracy in (0.5, 0.6, 0.7):
        evolution.epoch(accuracy=accuracy, loss=1 - accuracy)
    log = evolution.log
    assert log["epoch"].to_list() == [1, 2, 3]
    assert log["rounds"].to_list() == [0, 1, 1]
    assert log["accuracy"].to_list() == [0.5, 0.6, 0.7]
    assert log["dropped"][0] == 0 < log["dropped"][1]


def test_shares_decay_along_half_a_cosine():
    evolution = Evolution(small(epsilon=6), drop="random:0.5", schedule="epoch+decay:10")
    counts = [layer.connections for layer in evolution.layers.values()]
    for _ in range(12):
        evolution.epoch()
    for epoch, dropped in zip(evolution.log["epoch"], evolution.log["dropped"], strict=True):
        share = 0.25 * (1 + math.cos(math.pi * min(epoch, 10) / 10))
        assert dropped == sum(int(share * count + 1e-9) for count in counts)
    assert evolution.log["dropped"][-1] == 0


def test_accset_regrows_only_while_accuracy_falls():
    evolution = Evolution(small(), drop="random:0.2", schedule="accset")
    for accuracy in (0.5, 0.6, 0.4, 0.4, 0.3):
        evolution.epoch(accuracy=accuracy)
    log = evolution.log
    assert [grown > 0 for grown in log["grown"]] == [False, False, True, False, True]
    assert (log["dropped"] > 0).all()
    changes = (log["grown"] - log["dropped"]).to_list()
    assert log["connections"].diff().to_list()[1:] == changes[1:]
    with pytest.raises(SpecificationError, match=r"epoch\(accuracy="):
        evolution.epoch()


def test_regrowth_while_mean_centrality_falls():
    model = small()
    evolution = Evolution(model, drop="random:0.1", values="zero", schedule="while-centrality-falls")
    grown = []
    for factor in (1.0, 3.0, 0.1, 3.0):
        for layer in evolution.layers.values():
            layer.weight.data *= factor
        evolution.epoch()
        grown.append(evolution.log["grown"][-1] > 0)
    assert grown == [False, False, True, False]


def test_a_fall_of_centrality_is_not_hidden_by_the_drop():
    """From before one round to before the next: the drop itself is part of what lies between."""
    evolution = Evolution(small(), drop="random:0.5", values="zero", schedule="while-centrality-falls")
    for factor in (1.0, 1.05):  # half the connections are gone: training that adds 5% makes up for little of it
        for layer in evolution.layers.values():
            layer.weight.data *= factor
        evolution.epoch()
    assert [grown > 0 for grown in evolution.log["grown"]] == [False, True]


def test_centrality_is_compared_between_rounds_not_with_the_end_of_an_epoch():
    evolution = Evolution(small(), drop="random:0.05", values="zero", schedule="steps:2+while-centrality-falls")

    def scale(factor: float) -> None:
        for layer in evolution.layers.values():
            layer.weight.data *= factor

    evolution.step()
    evolution.step()
    scale(10.0)
    evolution.epoch()
    scale(0.3)  # three times the weights of the round before, though less than at the epoch's end
    evolution.step()
    evolution.step()
    rounds = evolution.log.filter(evolution.log["dropped"] > 0)
    assert rounds["grown"].to_list() == [0, 0]


@pytest.mark.parametrize("text", ["epoch", "steps:10+until:3", "steps:25+decay:5"])
def test_epochs_that_nobody_ends_are_told_once(text, monkeypatch):
    monkeypatch.setattr("synaplex.sparse.evolution.PATIENCE", 50)
    evolution = Evolution(small(), drop="random:0.1", schedule=text)
    for _ in range(49):
        evolution.step()
    with pytest.warns(UserWarning, match=r"counts epochs.*evolution\.epoch\(\).*steps_per_epoch"):
        evolution.step()
    for _ in range(60):
        evolution.step()


@pytest.mark.parametrize(("text", "options"), [("steps:50", {}), ("epoch:9", {"steps_per_epoch": 50})])
def test_no_warning_where_no_epoch_is_missing(text, options, monkeypatch):
    monkeypatch.setattr("synaplex.sparse.evolution.PATIENCE", 50)
    evolution = Evolution(small(), drop="random:0.1", schedule=text, **options)
    for _ in range(60):
        evolution.step()
    evolution = Evolution(small(), drop="random:0.1", schedule="until:3")
    evolution.epoch()
    for _ in range(60):
        evolution.step()


def test_thinning_out_a_dense_start():
    model = sparsify(small_dense(), density=1, init="magnitude")
    evolution = Evolution(model, drop="magnitude:0.4", grow="random", schedule="epoch+thinning:0.2:5")
    densities = []
    for _ in range(8):
        evolution.epoch()
        densities.append(model[0].density)
    assert all(a >= b for a, b in pairwise(densities))
    assert densities[-1] == pytest.approx(0.2, abs=0.01)
    assert (evolution.log["grown"][-3:] > 0).all()


def small_dense() -> torch.nn.Sequential:
    from torch import nn

    return nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 5))


def test_schedules_as_text():
    assert [type(part).__name__ for part in schedule("accset+decay:5").parts] == [
        "EveryEpoch",
        "WhileAccuracyFalls",
        "Decay",
    ]
    with pytest.raises(UnknownNameError, match="epoch"):
        schedule("epochs")
    with pytest.raises(SpecificationError, match="at least 1"):
        schedule("steps:0")
    with pytest.raises(SpecificationError, match="density"):
        schedule("thinning:1.5")
