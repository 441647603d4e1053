"""The loop: what is conserved, what is carried along, and that a resumed run is the same run."""

import copy
import inspect
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch import nn

from synaplex.errors import SpecificationError, TrainingError
from synaplex.sparse import SET, CenSET, Evolution, SparseLinear, sparsify
from synaplex.sparse.drop import Random
from synaplex.sparse.explored import Explored
from synaplex.sparse.rewiring import Rewiring
from synaplex.sparse.topologies import distinct
from tests.sparse.networks import small, train_step

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True),
}


def censet(*arguments, **options):
    return CenSET(*arguments, k=0.5, variant="censet", **options)


@pytest.mark.parametrize("method", [SET, pytest.param(censet, marks=pytest.mark.slow)])
def test_connections_are_conserved_over_a_thousand_rounds(method):
    model = small(epsilon=3)
    evolution = method(model, schedule="steps:1")
    before = {name: layer.connections for name, layer in evolution.layers.items()}
    parameters = {name: layer.weight for name, layer in evolution.layers.items()}
    for _ in range(1000):
        evolution.step()
    for name, layer in evolution.layers.items():
        assert layer.connections == before[name]
        assert layer.weight is parameters[name]
        assert len(layer.pattern.keys.unique()) == before[name]
    log = evolution.log
    assert log["rounds"].to_list() == list(range(1, 1001))
    assert (log["dropped"] == log["grown"]).all()
    assert (log["dropped"] > 0).any()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["steps:1", "steps:1+accset"])
def test_weights_and_state_stay_with_their_connections(name, schedule):
    model = small()
    optimizer = OPTIMIZERS[name](model.parameters())
    evolution = SET(model, optimizer, zeta=0.4, schedule="steps:1", values="zero")
    if schedule != "steps:1":
        evolution.schedule.grown = lambda moment, kept, dropped, possible: dropped // 2
    for step in range(3):
        train_step(model, optimizer, step)
        before = {}
        for path, layer in evolution.layers.items():
            state = {k: v.clone() for k, v in optimizer.state[layer.weight].items() if v is not None}
            before[path] = (layer.pattern.keys.clone(), layer.weight.detach().clone(), state)
        evolution.step()
        for path, layer in evolution.layers.items():
            keys, weight, state = before[path]
            old = {int(key): place for place, key in enumerate(keys)}
            kept = 0
            for place, key in enumerate(layer.pattern.keys.tolist()):
                value = float(layer.weight.detach()[place])
                survived = key in old and value == weight[old[key]] and value != 0
                kept += survived
                for part, now in optimizer.state[layer.weight].items():
                    if now is not None and now.ndim:
                        assert float(now[place]) == (float(state[part][old[key]]) if survived else 0)
                    elif now is not None:
                        assert now == state[part]
                assert survived or value == 0
            assert 0 < kept < len(keys)
    assert all(torch.isfinite(torch.tensor(train_step(model, optimizer, step))) for step in range(3))


@settings(max_examples=40)
@given(st.integers(0, 2**20), st.integers(0, 60), st.data())
def test_rewiring_equals_sets_of_connections(seed, count, data):
    generator = torch.Generator().manual_seed(seed)
    layer = SparseLinear(10, 6, distinct(60, count, generator), generator=generator)
    keys = layer.pattern.keys
    dropped = torch.rand(count, generator=generator) < 0.4
    free = sorted(set(range(60)) - set(keys[~dropped].tolist()))
    grown = torch.tensor(
        sorted(data.draw(st.sets(st.sampled_from(free)) if free else st.just(set()))), dtype=torch.long
    )
    values = torch.arange(len(grown)).float() + 100
    wanted = dict(zip(keys[~dropped].tolist(), layer.weight.detach()[~dropped].tolist(), strict=True))
    wanted |= dict(zip(grown.tolist(), values.tolist(), strict=True))
    Rewiring.of(layer, keys, dropped, grown, values).apply(layer, None)
    assert dict(zip(layer.pattern.keys.tolist(), layer.weight.tolist(), strict=True)) == wanted
    torch.testing.assert_close(layer(torch.eye(10)).T - layer.bias[:, None], layer.to_dense())


@pytest.mark.parametrize(
    "rules",
    [
        {"drop": "set:0.3", "schedule": "epoch+decay:10"},
        {"drop": "censet:0.5", "grow": "central", "schedule": "accset"},
        {"drop": "while-not-rising:censet:0.3:censet", "grow": "gradient", "schedule": "steps:3"},
        {"drop": "lowest:strength:0.2", "grow": "ch2-l3n", "schedule": "while-centrality-falls"},
    ],
)
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_resumed_run_is_the_same_run(rules, optimizer):
    def start():
        model = small(1)
        trainer = OPTIMIZERS[optimizer](model.parameters())
        return model, trainer, Evolution(model, trainer, **rules)

    def run(model, trainer, evolution, epochs):
        for epoch in epochs:
            for step in range(4):
                train_step(model, trainer, 10 * epoch + step)
                evolution.step()
            evolution.epoch(accuracy=[0.5, 0.6, 0.4, 0.7, 0.3, 0.2][epoch])

    whole = start()
    run(*whole, range(6))
    first = start()
    run(*first, range(3))
    kept = [save(first[0].state_dict()), copy.deepcopy(first[1].state_dict()), copy.deepcopy(first[2].state_dict())]
    second = start()
    second[0].load_state_dict(load(kept[0]))
    second[1].load_state_dict(kept[1])
    second[2].load_state_dict(kept[2])
    run(*second, range(3, 6))
    for a, b in zip(whole[0].state_dict().values(), second[0].state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert whole[2].log.equals(second[2].log)
    assert whole[2].log["dropped"].sum() > 0


def test_explored_connections_are_counted_once():
    generator = torch.Generator().manual_seed(0)
    known, seen = Explored(500), set()
    listed = Explored(500)
    listed._bits = None
    for _ in range(20):
        keys = distinct(500, 30, generator)
        seen |= set(keys.tolist())
        for one in (known, listed):
            one.add(keys)
            assert one.count == len(seen)
            assert one.share == len(seen) / 500
    again = Explored(500)
    again.restore(known.state())
    again.add(torch.arange(500))
    assert again.share == 1


def test_the_log_counts_what_happens():
    model = small(epsilon=1.5)
    evolution = SET(model, zeta=0.5, schedule="steps:1")
    for _ in range(5):
        before = {name: set(layer.pattern.keys.tolist()) for name, layer in evolution.layers.items()}
        inputs = {name: layer.pattern.in_degree > 0 for name, layer in evolution.layers.items()}
        evolution.step()
        row = evolution.log.row(-1, named=True)
        lost = sum(len(before[name] - set(layer.pattern.keys.tolist())) for name, layer in evolution.layers.items())
        assert lost <= row["dropped"] == row["grown"]
        without = sum(int((layer.to_dense() != 0).any(1).logical_not().sum()) for layer in evolution.layers.values())
        assert row["neurons_without_inputs"] == without
        silent = sum(int((~had).sum()) for had in inputs.values())
        assert without == silent + row["neurons_dropped"] - row["neurons_grown"]
        assert row["flops"] == 2 * (evolution.connections + 60)


def test_layers_grow_sparser_and_the_optimizer_follows():
    model = small()
    optimizer = torch.optim.Adam(model.parameters())
    evolution = Evolution(model, optimizer, drop="random:0.3", schedule="accset")
    count = evolution.connections
    for accuracy in (0.1, 0.2, 0.3):
        train_step(model, optimizer, 0)
        evolution.epoch(accuracy=accuracy)
    assert evolution.connections < 0.4 * count
    before = model[0].weight.detach().clone()
    train_step(model, optimizer, 1)
    assert not torch.equal(model[0].weight, before)


def test_a_checkpoint_with_other_connections_is_trained_on():
    model = small(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    evolution = SET(model, optimizer, schedule="steps:1000")
    model.load_state_dict(small(1).state_dict())
    evolution.step()
    before = model[0].weight.detach().clone()
    train_step(model, optimizer, 0)
    assert not torch.equal(model[0].weight, before)


def test_wrong_use_is_named():
    model = small()
    with pytest.raises(SpecificationError, match=r"no sparse layer.*sparsify"):
        SET(nn.Sequential(nn.Linear(3, 3)))
    with pytest.raises(SpecificationError, match="does not train the sparse layers 0, 2"):
        SET(model, torch.optim.SGD(small(1).parameters(), lr=0.1))
    with pytest.raises(SpecificationError, match=r"zeta=1\.2"):
        SET(model, zeta=1.2)
    with pytest.raises(TrainingError, match="epoch 1 is not a number"):
        SET(model, schedule="epoch").epoch(loss=float("nan"))
    with pytest.raises(TrainingError, match="epoch 1 is not a number"):
        SET(model, schedule="epoch").epoch(loss=float("inf"))
    model[2].weight.data[3] = torch.nan
    with pytest.raises(TrainingError, match=r"layer '2'.*step 1"):
        SET(model, schedule="steps:1").step()


def test_wrong_types_are_named():
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    make = inspect.unwrap(Evolution.__init__)
    with pytest.raises(SpecificationError, match="the model comes first"):
        make(object(), optimizer, model)
    with pytest.raises(SpecificationError, match=r"torch\.nn\.Module, not in a list"):
        make(object(), [1.0])
    with pytest.raises(SpecificationError, match="a float is no optimiser"):
        make(object(), model, 0.1)


def test_state_that_is_not_by_connection_is_refused():
    class Odd(torch.optim.SGD):
        pass

    model = small()
    optimizer = Odd(model.parameters(), lr=0.1)
    evolution = SET(model, optimizer, schedule="steps:1")
    optimizer.state[model[0].weight]["rows"] = torch.zeros(3)
    with pytest.raises(SpecificationError, match="Odd keeps 'rows'"):
        evolution.step()


def test_a_state_of_other_layers_is_refused():
    state = SET(small()).state_dict()
    other = sparsify(nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 2)), 1)
    with pytest.raises(SpecificationError, match="other layers"):
        SET(other).load_state_dict(state)


@pytest.mark.parametrize(
    ("before", "now", "named"),
    [
        ({"drop": "random:0.2"}, {"drop": "set:0.9"}, r"drop=Random\(zeta=0\.2\), not SmallestBySign\(zeta=0\.9\)"),
        ({"drop": "set:0.2"}, {"drop": "set:0.3"}, r"zeta=0\.2"),
        ({"drop": "set:0.2"}, {"drop": "while-not-rising:censet:2"}, "drop="),
        ({"grow": "random"}, {"grow": "central"}, "grow="),
        ({"values": "normal:0.1"}, {"values": "normal:0.2"}, "values="),
        ({"schedule": "epoch"}, {"schedule": "steps:3"}, "schedule="),
        ({"schedule": "epoch+until:3"}, {"schedule": "epoch+accset"}, "schedule="),
    ],
)
def test_a_state_of_other_rules_is_refused(before, now, named):
    state = Evolution(small(), **before).state_dict()
    other = Evolution(small(), **now)
    with pytest.raises(SpecificationError, match=named):
        other.load_state_dict(state)
    assert other.steps == other.rounds == 0


def test_the_same_rules_in_other_words_and_a_longer_schedule_are_taken():
    state = Evolution(small(), drop="censet:2", schedule="epoch+until:3").state_dict()
    Evolution(small(), drop="censet:2.0:exact:signed", schedule="until:5").load_state_dict(state)


def test_a_rule_of_ones_own_is_known_by_its_first_settings():
    class Own(Random):
        name = "own"

        def __init__(self, share, key=lambda: 0):
            super().__init__(share)
            self.key, self.calls = key, 0

        def choose(self, view):
            self.calls += 1
            return super().choose(view)

    def start(share=0.2):
        return Evolution(small(), drop=Own(share, lambda: 0), schedule="steps:1")

    evolution = start()
    evolution.step()
    start().load_state_dict(evolution.state_dict())
    with pytest.raises(SpecificationError, match="Own"):
        start(0.3).load_state_dict(evolution.state_dict())


def test_a_state_from_before_rules_were_kept():
    evolution = SET(small(), schedule="steps:1")
    evolution.step()
    state = evolution.state_dict()
    told = json.loads(state["told"])
    del told["rules"]
    state["told"] = json.dumps(told)
    again = SET(small(), schedule="steps:1")
    again.load_state_dict(state)
    assert again.log.equals(evolution.log)
    with pytest.raises(SpecificationError, match="other rules"):
        Evolution(small(), drop="while-not-rising:censet:2").load_state_dict(state)


def test_rules_by_centrality_need_the_shape_of_the_input():
    class Convolved(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.body = nn.Conv2d(1, 2, 3), nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(self.conv(x).flatten(1))

    model = sparsify(Convolved(), 2)
    evolution = CenSET(model, k=0.1, schedule="steps:1", example_input=torch.zeros(1, 1, 6, 6))
    evolution.step()
    assert evolution.log["neurons_chosen"][0] > 0
