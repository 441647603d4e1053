"""Ranking networks without data, their neighbours, and every reason not to trust it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from scipy.stats import kendalltau

from synaplex.encoders import PerformanceDecoder, SavedEncoder, StructureEncoder, embed, load_encoder, rank
from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph
from tests.encoders.populations import ALL, FITTED, OPTIONS, fitted, networks, performance, write_encoder
from tests.encoders.structures import dense, renumbered


@pytest.fixture(scope="module")
def saved() -> SavedEncoder:
    return fitted()


def times(graph: NeuralGraph, factor: float) -> NeuralGraph:
    return NeuralGraph.from_weights([link.to_dense() * factor for link in graph.links])


def test_networks_that_were_held_out_are_ranked_and_intervals_cover_them(saved: SavedEncoder) -> None:
    unseen = networks().subset(FITTED, ALL)
    found = rank({"p": unseen}, saved)
    actual = dict(zip((f"p:{i}" for i in range(FITTED, ALL)), performance()[FITTED:], strict=True))
    table = found.table.with_columns(actual=pl.col("model").replace_strict(actual))
    assert table["rank"].to_list() == list(range(1, ALL - FITTED + 1))
    assert table["predicted"].is_sorted(descending=True)
    assert kendalltau(table["predicted"], table["actual"]).statistic > 0.4
    covered = table.select(((pl.col("low") <= pl.col("actual")) & (pl.col("actual") <= pl.col("high"))).mean()).item()
    assert 0.84 < covered < 0.96
    assert not table["fitted"].any()
    assert table["outside"].mean() < 0.1
    assert saved.decoder is not None
    np.testing.assert_allclose(
        np.sort(saved.decoder.predict(saved.encoder.transform(unseen)))[::-1], table["predicted"], atol=1e-4
    )
    undecided = table.filter(pl.col("high") >= table["low"][0])["model"].to_list()
    assert list(found.undecided) == undecided
    assert len(found.undecided) < len(table)
    narrow = rank({"p": unseen}, saved, coverage=0.5).table
    assert (narrow["high"] - narrow["low"]).max() < (table["high"] - table["low"]).min()


def test_of_errors_the_smallest_is_the_best(saved: SavedEncoder, tmp_path: Path) -> None:
    """Whatever the prediction is called, what is the best as an accuracy is the worst as an error."""
    models = {"p": networks().subset(FITTED, ALL)}
    accuracies = rank(models, saved)
    assert accuracies.larger_is_better
    of_errors = load_encoder(write_encoder(tmp_path / "encoder", fitted(larger_is_better=False)))
    for found in (rank(models, of_errors), rank(models, saved, larger_is_better=False)):
        assert not found.larger_is_better
        assert found.table["predicted"].is_sorted()
        assert found.table["rank"].to_list() == list(range(1, ALL - FITTED + 1))
        assert found.table["model"].to_list() == accuracies.table["model"].to_list()[::-1]
        reach = found.table["high"][0]  # the first may be as bad as this, and others as good
        assert list(found.undecided) == found.table.filter(pl.col("low") <= reach)["model"].to_list()
        assert found.undecided[0] == found.table["model"][0]
        assert len(found.undecided) < len(found.table)
    assert rank(models, of_errors, larger_is_better=True).table.equals(accuracies.table)


def test_networks_that_differ_in_biases_alone(saved: SavedEncoder) -> None:
    """An encoder that reads biases tells them apart; to another they are one network, which is said."""
    first, other = networks().network(3), networks().network(FITTED)
    moved = NeuralGraph.from_weights([link.weight for link in first.links], [first.biases[1] + 1, first.biases[2]])
    models = {"a": first, "b": moved, "c": other, "d": first}
    found = rank(models, saved)
    row = {name: found.table.filter(model=name).row(0, named=True) for name in models}
    assert {name: row[name]["same_as"] for name in models} == {"a": None, "b": "a", "c": None, "d": "a"}
    assert {name: row[name]["fitted"] for name in models} == {"a": True, "b": True, "c": False, "d": True}
    assert found.embedding.unread.tolist() == [False, True, False, False]
    assert any(text == "exactly the same weights: d as a" for text in found.warnings)
    assert any(text.endswith("normalisations are not read): b as a") for text in found.warnings)
    with pytest.raises(SpecificationError, match="nothing to rank by an encoder that does not read biases"):
        rank({"a": first, "b": moved}, saved)

    train = networks().subset(0, FITTED)
    encoder = StructureEncoder(**OPTIONS, node_features=("bias",)).fit(train)
    decoder = PerformanceDecoder("ridge").fit(encoder.transform(train), performance()[:FITTED])
    found = rank(models, SavedEncoder(encoder, decoder, {}))
    row = {name: found.table.filter(model=name).row(0, named=True) for name in models}
    assert {name: row[name]["same_as"] for name in models} == {"a": None, "b": None, "c": None, "d": "a"}
    assert {name: row[name]["fitted"] for name in models} == {"a": True, "b": False, "c": False, "d": True}
    assert not found.embedding.unread.any()
    np.testing.assert_allclose(found.embedding.values, encoder.transform(list(models.values())), atol=1e-6)
    assert not np.allclose(found.embedding.values[0], found.embedding.values[1], atol=1e-3)


def test_networks_outside_the_population_are_named(saved: SavedEncoder) -> None:
    inside = networks().network(FITTED + 1)
    found = rank({"usual": inside, "wild": times(inside, 10), "other": dense(None, 6, 9, 3)}, saved)
    away = dict(zip(found.table["model"], found.table["outside"], strict=True))
    assert away == {"usual": False, "wild": True, "other": True}
    first = next(text for text in found.warnings if "outside the population" in text)
    assert "wild" in first
    assert "usual" not in first
    assert any("layout: other (6-9-3)" in text for text in found.warnings)
    assert any("beyond the performance" in text and "wild" in text for text in found.warnings)
    assert not rank({"usual": inside}, saved).warnings


def test_networks_of_the_fit_and_equal_ones_are_named(saved: SavedEncoder) -> None:
    first, second = networks().network(FITTED + 1), networks().network(FITTED + 2)
    found = rank({"a": first, "b": networks().network(3), "c": second, "d": first}, saved)
    row = {name: found.table.filter(model=name).row(0, named=True) for name in "abcd"}
    assert [name for name in row if row[name]["fitted"]] == ["b"]
    assert {name: row[name]["same_as"] for name in row} == {"a": None, "b": None, "c": None, "d": "a"}
    assert row["a"]["rank"] == row["d"]["rank"]
    assert any("fitted on b" in text for text in found.warnings)
    assert any("same weights: d as a" in text for text in found.warnings)
    with pytest.raises(SpecificationError, match="all 3 networks have the same weights"):
        rank({"a": first, "b": first, "c": first}, saved)
    other = rank({"a": first, "b": renumbered(first)}, saved)  # another file, the same function
    assert other.table["same_as"].to_list() == [None, None]
    assert other.table["predicted"][0] == pytest.approx(other.table["predicted"][1], abs=1e-4)


def test_what_an_encoder_cannot_tell_is_said(saved: SavedEncoder) -> None:
    train, models = networks().subset(0, FITTED), networks().subset(FITTED, FITTED + 3)
    embedded = saved.encoder.transform(train)
    with pytest.raises(SpecificationError, match="without a decoder"):
        rank(models, replace(saved, decoder=None))
    with pytest.raises(SpecificationError, match="no models are given"):
        rank([], saved)
    with pytest.raises(SpecificationError, match="coverage"):
        rank(models, saved, coverage=1.0)
    constant = PerformanceDecoder().fit(embedded, np.full(FITTED, 0.5))
    found = rank(models, replace(saved, decoder=constant))
    assert any("all have a performance of 0.5" in text for text in found.warnings)
    assert found.table["rank"].to_list() == [1, 1, 1]
    few = PerformanceDecoder().fit(embedded[:6], performance()[:6])
    found = rank(models, replace(saved, decoder=few))
    assert found.table["low"].to_list() == [None] * 3
    assert found.undecided == ()
    assert any("needs 9 calibration residuals" in text for text in found.warnings)


def test_the_nearest_networks_are_those_of_brute_force(saved: SavedEncoder) -> None:
    models = networks().subset(FITTED - 1, FITTED + 6)
    found = embed({"m": models}, saved)
    unit = saved.encoder.transform(networks().subset(0, FITTED)).std(0)

    def nearest(one: np.ndarray, others: np.ndarray, k: int) -> tuple[list[int], list[float]]:
        away = [float(np.sqrt(np.mean(((one - other) / unit) ** 2))) for other in others]
        order = sorted(range(len(others)), key=lambda j: away[j])[:k]
        return order, [away[j] for j in order]

    table = found.nearest(3)
    fitted_values = saved.encoder.transform(networks().subset(0, FITTED))
    for i, name in enumerate(found.names):
        order, away = nearest(found.values[i], fitted_values, 3)
        mine = table.filter(model=name)
        assert mine["place"].to_list() == [1, 2, 3]
        np.testing.assert_allclose(mine["distance"], away, atol=1e-3)
        if i:  # the first is one of those fitted, which are found to rounding
            assert mine["neighbour"].to_list() == [f"seed {j}" for j in order]
            np.testing.assert_allclose(mine["performance"], performance()[order])
    assert table["neighbour"][0] == f"seed {FITTED - 1}"
    assert table["distance"][0] == pytest.approx(0, abs=1e-3)
    own = found.nearest(50, among="given")
    assert len(own) == 7 * 6  # all others, not itself
    order, away = nearest(found.values[2], np.delete(found.values, 2, 0), 6)
    np.testing.assert_allclose(own.filter(model=found.names[2])["distance"], away)
    assert own["performance"].null_count() == len(own)


def test_neighbours_that_are_not_there(saved: SavedEncoder) -> None:
    found = embed(networks().network(5), saved)
    with pytest.raises(SpecificationError, match="one network has no neighbours"):
        found.nearest(1, among="given")
    with pytest.raises(SpecificationError, match="positive"):
        found.nearest(0)
    with pytest.raises(SpecificationError, match="among"):
        found.nearest(1, among="all")
    nameless = embed(networks().network(5), replace(saved, names=None, performance=None)).nearest(1)
    assert nameless.row(0)[2] == "network 5"
    assert nameless["performance"].to_list() == [None]
    forgetful = fitted()
    forgetful.encoder.embedding_ = None
    with pytest.raises(SpecificationError, match="without the embeddings"):
        embed(networks().network(5), forgetful).nearest(1)


def test_the_table_of_an_embedding(saved: SavedEncoder) -> None:
    graphs = [networks().network(FITTED), dense(None, 6, 4, 3, zeros=0.5)]
    found = embed(graphs, saved)
    table = found.table()
    assert table["model"].to_list() == ["network 0", "network 1"]
    assert table["layout"].to_list() == ["6-5-3", "6-4-3"]
    columns = [name for name in table.columns if name.startswith("embedding_")]
    np.testing.assert_allclose(table.select(columns).to_numpy(), saved.encoder.transform(graphs), atol=1e-6)
    np.testing.assert_allclose(table["distance"], saved.encoder.distance(graphs), atol=1e-5)


def test_progress_is_told_and_a_portion_is_of_the_size_of_a_batch(saved: SavedEncoder) -> None:
    told: list[str] = []
    graphs = {str(i): networks().network(i) for i in range(70)}
    found = embed(graphs, saved, progress=told.append)
    assert told == ["embedding 0 and 31 more", "embedding 32 and 31 more", "embedding 64 and 5 more"]
    assert torch.equal(torch.from_numpy(found.fitted), torch.ones(70, dtype=torch.bool))
