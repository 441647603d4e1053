import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

import synaplex as sx
from synaplex.errors import GraphTooLargeError
from synaplex.measures import limits
from synaplex.networks import initial_weights, mlp
from synaplex.population import PopulationSpec, trainer
from synaplex.population.chunk import train_chunk
from synaplex.population.snapshots import spell_out, take_snapshot
from tests.population.conftest import RECIPE, SEEDS


def measured(graph):
    """What `sx.measure` says of a batch, as a snapshot keeps it."""
    frame = sx.measure(graph, preset="scabini", undefined="null")
    return frame.with_columns(pl.col("subgraph_centrality").log()).rename(
        {"subgraph_centrality": "log_subgraph_centrality"}
    )


def assert_snapshot_is(table, expected):
    """Equal as far as float32 goes, with the same nulls for the same reasons."""
    names = [name for name in table.columns if name not in ("seed", "network", "epoch")]
    expected = expected.select(names).cast(table.select(names).schema)
    assert_frame_equal(table.select(names), expected, rel_tol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_last_snapshot_measures_the_weights_that_are_kept(population, seed):
    table = population.neurons().filter(seed=seed, epoch=3)
    assert_snapshot_is(table, measured(population.weights([seed])))


def test_the_first_snapshot_measures_the_untrained_network(population):
    weights = initial_weights(RECIPE["network"].widths, list(SEEDS), sx.networks.Uniform())
    graph = sx.NeuralGraph.from_weights(weights)
    table = population.neurons().filter(epoch=0)
    assert_snapshot_is(table, measured(graph))


def test_a_neuron_cut_off_is_null_with_a_reason_and_the_others_are_measured():
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(3, 6, 8, generator=generator), torch.randn(3, 4, 6, generator=generator)]
    weights[0][1, 2] = -1.0
    weights[1][1, :, 2] = -1.0
    chosen = spell_out("scabini")
    table = take_snapshot(weights, [], torch.ones(3, dtype=torch.bool), 5, chosen)
    cut = table.filter(network=1, neuron=2).row(0, named=True)
    assert cut["second_order_centrality"] is None
    assert "second_order_centrality" in cut["reason"]
    assert cut["strength"] == pytest.approx(-12.0)
    others = table.filter(pl.col("network") != 1)
    assert others["reason"].null_count() == len(others) == 12
    assert others.select(*chosen).null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize("method", ["exact", "iterative"])
def test_a_singular_component_is_null_with_a_reason_and_the_chunk_goes_on(method):
    generator = torch.Generator().manual_seed(1)
    first, second = torch.zeros(2, 5, 5), torch.zeros(2, 3, 5)
    first[:, :3, :3] = torch.randn(2, 3, 3, generator=generator)
    second[:, :2, :3] = torch.randn(2, 2, 3, generator=generator)
    first[:, 3:, 3:] = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    first[0, 4, 4] = 2.0
    chosen = spell_out({"current_flow_closeness": {"on_disconnected": "component", "method": method}})
    table = take_snapshot([first, second], [], torch.ones(2, dtype=torch.bool), 0, chosen)
    lost = table.filter(pl.col("current_flow_closeness").is_null())
    assert lost.select("network", "neuron").rows() == [(1, 3), (1, 4)]
    assert lost["reason"].str.contains("singular").all()
    assert table.filter(pl.col("reason").is_not_null()).height == 2


@pytest.fixture
def second_network_diverges(monkeypatch):
    def spoilt(*args, **kwargs):
        weights = initial_weights(*args, **kwargs)
        weights[0][1, 0, 0] = float("inf")
        return weights

    monkeypatch.setattr(trainer, "initial_weights", spoilt)


def test_a_network_that_diverges_is_null_and_the_others_go_on(second_network_diverges, population):
    data = sx.datasets.load("digits")
    spec = population.spec
    result = train_chunk(spec, data, [0, 1, 2])
    kept = pl.col("seed") != 1
    for ours, whole in ((result.networks, population.networks()), (result.neurons, population.neurons())):
        lost = ours.filter(~kept)
        values = [name for name in ours.columns if name not in ("seed", "epoch", "layer", "neuron", "reason")]
        assert len(lost) == len(whole.filter(seed=1))
        assert lost.select(values).null_count().row(0) == (len(lost),) * len(values)
        assert lost["reason"].unique().to_list() == [
            "the network has diverged: a loss or a weight is not a finite number"
        ]
        assert_frame_equal(ours.filter(kept), whole.filter(kept, pl.col("seed") < 3), rel_tol=1e-5)


def test_a_whole_chunk_can_diverge():
    spec = PopulationSpec(
        dataset="digits",
        network=mlp(64, 5, 10),
        optimizer={"kind": "sgd", "learning_rate": 1e30},
        epochs=2,
        measures=["strength", "maximal_cliques"],
    )
    result = train_chunk(spec, sx.datasets.load("digits").subset(100, 50), [1, 2])
    assert result.networks["test_loss"].null_count() == 4
    assert result.networks.filter(epoch=0)["reason"].null_count() == 2
    assert result.neurons.filter(pl.col("epoch") > 0)["strength"].null_count() == 20


def test_only_the_snapshots_asked_for():
    spec = PopulationSpec(dataset="digits", network=mlp(64, 5, 10), epochs=3, measures="strength", snapshots=[1, 3])
    result = train_chunk(spec, sx.datasets.load("digits").subset(100, 50), [1])
    assert result.neurons["epoch"].unique(maintain_order=True).to_list() == [1, 3]
    assert result.networks["epoch"].to_list() == [0, 1, 2, 3]


def test_biases_are_measured_where_a_measure_reads_them():
    network = mlp(64, 5, 10, bias=True)
    spec = PopulationSpec(dataset="digits", network=network, epochs=1, measures={"strength": {"bias": "once"}})
    result = train_chunk(spec, sx.datasets.load("digits").subset(100, 50), [1])
    incoming, outgoing = (result.weights[0].sum((0, 2)), result.weights[1].sum((0, 1)))
    expected = (incoming + outgoing + result.biases[0][0]).tolist()
    assert result.neurons.filter(epoch=1)["strength"].to_list() == pytest.approx(expected, rel=1e-5)


def test_how_a_measure_is_computed_does_not_hang_on_the_size(monkeypatch):
    """Too large for the exact form: refused, or iterative where that was chosen, with how far values may be off."""
    monkeypatch.setattr(limits, "EXACT_SIDE", 3)
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(2, 6, 8, generator=generator), torch.randn(2, 4, 6, generator=generator)]
    chosen = {"current_flow_closeness": {}, "strength": {}}
    with pytest.raises(GraphTooLargeError, match="iterative"):
        take_snapshot(weights, [], torch.tensor([True, True]), 0, spell_out(chosen))
    chosen["current_flow_closeness"]["method"] = "iterative"
    table = take_snapshot(weights, [], torch.tensor([True, False]), 0, spell_out(chosen))
    sound = table.filter(network=0)
    assert (sound["current_flow_closeness_error"] >= 0).all()
    monkeypatch.undo()
    exact = take_snapshot(weights, [], torch.tensor([True, True]), 0, spell_out({"current_flow_closeness": {}}))
    wanted = exact.filter(network=0)["current_flow_closeness"]
    assert sound["current_flow_closeness"].to_list() == pytest.approx(wanted.to_list(), rel=1e-4)
    assert table.filter(network=1)["current_flow_closeness_error"].null_count() == 6
