"""Prediction across a population: who is held out, what is shuffled, and the encoder that is saved."""

from contextlib import nullcontext

import numpy as np
import polars as pl
import pytest

from synaplex.encoders import GraphSet, load_encoder
from synaplex.measures import PRESETS, measure
from synaplex.studies.structurereps.methods import EIGHT, OWN, method
from synaplex.studies.structurereps.pieces import Pieces
from synaplex.studies.structurereps.population import METHODS, SHUFFLED, _resplit, draw
from synaplex.studies.structurereps.recipe import Crowd
from synaplex.studies.structurereps.run import Job, _population
from tests.studies.structurereps.conftest import TINY


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population")
    job = Job(TINY.tasks, "digits", TINY, "small", 0, None)
    return folder, *_population(folder, job, Pieces(folder), lambda name: nullcontext())


def test_networks_differ_in_rate_and_scale_and_more_begin_with_the_same():
    few, many = draw(Crowd(networks=20), 0), draw(Crowd(networks=30), 0)
    for one, other in zip(few, many, strict=True):
        np.testing.assert_array_equal(one, other[:20])
    rates, scales = many
    assert 1e-4 <= rates.min() < 1e-3 < 1e-2 < rates.max() <= 3e-2
    assert 0.1 <= scales.min() < scales.max() <= 4.0


def test_the_parts_of_a_population_are_disjoint(made):
    train, calibrate, test = made[1].parts
    assert sorted([*train, *calibrate, *test]) == list(range(40))
    assert (len(train), len(calibrate)) == (20, 12)


def test_shuffled_networks_keep_the_weights_of_each_layer(made):
    population = made[1]
    for link, other in zip(population.graph.links, population.without_places.links, strict=True):
        assert not (link.weight == other.weight).all()
        for one, mixed in zip(link.weight.flatten(1), other.weight.flatten(1), strict=True):
            assert one.sort().values.equal(mixed.sort().values)


def test_the_eight_centralities_are_averages_of_the_preset(made):
    networks = GraphSet.of(made[1].graph)[[3, 8, 21]]
    found = method(EIGHT, epochs=0, seed=0, types=0).fit(networks)
    values = dict(zip(found.columns_, found.transform(networks).T, strict=True))
    table = measure(networks.graphs[0], preset="scabini", undefined="null").filter(pl.col("network").is_in([3, 8, 21]))
    table = table.with_columns(log_subgraph_centrality=pl.col("subgraph_centrality").log())
    names = {name.replace("subgraph", "log_subgraph") for name in PRESETS["scabini"].measures}
    assert set(values) == {f"{name}, layer 1" for name in names}
    for name in names:
        means = table.group_by("network").agg(pl.col(name).mean()).sort("network")[name]
        np.testing.assert_allclose(values[f"{name}, layer 1"], means.to_numpy(), rtol=1e-9)


def test_the_saved_encoder_predicts_what_the_study_says(made):
    folder, population, prediction, best = made
    saved = load_encoder(folder / "encoder")
    test = population.parts[2]
    graphs = [population.graph.network(int(row)) for row in test]
    assert saved.decoder is not None
    predicted = saved.decoder.predict(saved.encoder.transform(graphs))
    np.testing.assert_allclose(predicted, prediction.predicted[OWN, best], atol=1e-4)
    assert saved.card["about"]["dataset"] == "digits"
    assert saved.decoder.calibration_ == "held-out networks"
    assert not saved.encoder.has_seen(graphs).any()
    assert set(prediction.scores["method"]) == set(METHODS)
    rows = prediction.coverage.to_dicts()
    assert all(0 <= row["low"] <= row["mean"] <= row["high"] <= 1 for row in rows)
    assert any(row["method"].endswith(SHUFFLED) for row in rows)


def test_intervals_cover_what_they_promise_on_average():
    """Over new partings of exchangeable errors the mean coverage is (rank of the quantile) / (n + 1)."""
    errors = np.random.default_rng(0).exponential(size=400)
    found = _resplit(errors, 99, 0.9, 0)
    assert found["mean"] == pytest.approx(0.9, abs=0.006)
    assert found["low"] < 0.9 < found["high"]
