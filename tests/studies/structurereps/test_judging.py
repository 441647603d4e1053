"""Splits keep apart what they should, baselines are what they say, and scores those of other libraries."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau, pearsonr

from synaplex.encoders import ComplexNetworkFeatures, FlatWeights, GraphSet
from synaplex.encoders.scores import SCORES
from synaplex.graph import NeuralGraph
from synaplex.studies.structurereps.judging import _counts, _scores, judged, score_of
from synaplex.studies.structurereps.measured_once import MeasuredOnce
from synaplex.studies.structurereps.padded import PaddedWeights
from synaplex.studies.structurereps.pieces import Pieces
from synaplex.studies.structurereps.published import PUBLISHED, TASKS
from synaplex.studies.structurereps.recipe import SETTINGS, Member, grid, members, network_seed, traced
from synaplex.studies.structurereps.splits import EPOCHS, HALF, UNSEEN, by_epoch, by_network


def dense(networks: int, *widths: int, seed: int = 0) -> NeuralGraph:
    generator = torch.Generator().manual_seed(seed)
    pairs = pairwise(widths)
    return NeuralGraph.from_weights([torch.randn(networks, b, a, generator=generator) for a, b in pairs])


def test_epochs_held_out_are_a_fifth_and_lie_where_they_should():
    for split, first in ((EPOCHS, 0), (HALF, 100)):
        train, test = by_epoch(split, 200, 3)
        assert sorted([*train, *test]) == list(range(first, 200))
        assert len(test) == round(0.2 * (200 - first))
    assert not np.array_equal(by_epoch(EPOCHS, 200, 3)[1], by_epoch(EPOCHS, 200, 4)[1])


@pytest.mark.parametrize("unseen", UNSEEN)
def test_whole_networks_are_held_out_once_each(unseen):
    settings = SETTINGS["small"]
    known = list(grid(settings.tasks[0], settings))
    networks = np.repeat(np.arange(len(known)), 3)
    field = {"seed": "seed", "width": "layout", "learning rate": "rate"}[unseen]
    tested = []
    for _, train, test in by_network(unseen, known, networks):
        fitted = {getattr(known[i], field) for i in networks[train]}
        assert fitted.isdisjoint(getattr(known[i], field) for i in networks[test])
        assert len(train) + len(test) == len(networks)
        tested += test.tolist()
    assert sorted(tested) == list(range(len(networks)))


def test_no_two_networks_share_a_seed():
    settings = SETTINGS["paper"]
    found = [
        network_seed(settings.number(task), member, 0)
        for task in settings.tasks
        for layout in range(3)
        for member in members(task, layout, settings)
    ]
    assert len(found) == len(set(found))
    own = [member for member in members(settings.tasks[0], 1, settings) if traced(settings.tasks[0], member, settings)]
    assert own == [Member(1, 1, seed) for seed in range(settings.seeds)]


def test_the_published_tables():
    own = [[PUBLISHED[target]["EA+TC+LF", task][0] for task in TASKS] for target in ("train", "test")]
    assert own == [[0.74, 0.39, 0.79, 0.94, 0.91], [0.71, 0.42, 0.86, 0.81, 0.83]]
    assert PUBLISHED["train"]["GC+RF", "california-housing"] == (-0.05, 0.0023)
    assert PUBLISHED["test"]["GC+LF", "cifar10"] == (0.55, 0.0020)
    assert {len(table) for table in PUBLISHED.values()} == {20}


def test_scores_are_those_of_scipy_and_differences_are_paired():
    generator = np.random.default_rng(0)
    actual = generator.normal(size=40)
    good, bad = actual + generator.normal(size=40) * 0.3, generator.normal(size=40)
    table = judged(
        {"good": good, "same": good * 2 + 1, "bad": bad, "constant": np.ones(40)},
        actual,
        beside=("good",),
        groups=np.repeat(np.arange(20), 2),
        resamples=200,
        seed=0,
    )
    rows = {row["method"]: row for row in table.iter_rows(named=True)}
    assert rows["good"]["kendall"] == pytest.approx(kendalltau(good, actual).statistic)
    assert rows["bad"]["pearson"] == pytest.approx(pearsonr(bad, actual).statistic)
    assert rows["good"]["r2"] == pytest.approx(1 - ((actual - good) ** 2).sum() / ((actual - actual.mean()) ** 2).sum())
    assert rows["same"]["above good_low"] == rows["same"]["above good_high"] == pytest.approx(0)
    assert rows["bad"]["above good_high"] < 0
    assert rows["bad"]["kendall_low"] < rows["bad"]["kendall"] < rows["bad"]["kendall_high"]
    assert rows["constant"]["pearson"] is None
    assert rows["constant"]["above good"] is None


def test_draws_are_resamples_and_folds_are_scored_apart():
    generator = np.random.default_rng(1)
    actual = generator.normal(size=30).round(1)  # with ties
    predicted = actual + generator.normal(size=30).round(1)
    counts = _counts(np.repeat(np.arange(10), 3), 5, generator)
    found = _scores(predicted, actual, counts)
    for place, row in enumerate(counts.astype(int)):
        drawn = np.repeat(np.arange(30), row)
        assert len(drawn) == 30
        for key, score in SCORES.items():
            assert found[key][place] == pytest.approx(score(predicted[drawn], actual[drawn])), key
    # A method that knows the fold alone ranks nothing within one.
    folds = np.repeat([0, 1], 15)
    table = judged({"fold": folds * 1.0, "own": predicted}, actual, beside=(), folds=folds, resamples=9, seed=0)
    assert table["kendall"][0] is None
    parts = [kendalltau(predicted[folds == i], actual[folds == i]).statistic for i in range(2)]
    assert table["kendall"][1] == pytest.approx(np.mean(parts))
    assert score_of("kendall", predicted, actual, folds) == pytest.approx(np.mean(parts))


def test_padded_weights_of_one_shape_are_flat_weights():
    graph = dense(12, 4, 3, 2)
    mine, theirs = PaddedWeights(5).fit(graph).transform(graph), FlatWeights(5).fit(graph).transform(graph)
    np.testing.assert_allclose(np.abs(mine), np.abs(theirs), atol=1e-9)


def test_padded_weights_of_several_shapes():
    small, large, larger = dense(5, 4, 3, 2), dense(6, 4, 5, 2, seed=1), dense(2, 4, 7, 2, seed=2)
    features = PaddedWeights(4).fit([small, large])
    assert features.shapes_ == ((5, 4), (2, 5))
    weights = [link.weight.double() for link in small.links]
    rows = torch.cat([functional_pad(weights[0], 5, 4), functional_pad(weights[1], 2, 5)], 1).numpy()
    np.testing.assert_allclose(features.transform(small), features.pca_.transform(rows), atol=1e-9)
    assert np.isfinite(features.transform(larger)).all()


def functional_pad(weight: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    return torch.nn.functional.pad(weight, (0, columns - weight.shape[2], 0, rows - weight.shape[1])).flatten(1)


def test_measures_taken_once_are_the_same_measures():
    networks = GraphSet.of([dense(4, 5, 4, 3, seed=1), dense(3, 5, 4, 3, seed=2), dense(2, 5, 6, 3, seed=3)])
    shared = {}
    for train, test in (([0, 2, 5, 8], [1, 3]), ([7, 1, 4], [6, 0, 8])):
        once = MeasuredOnce(types=2, n_init=1).share(shared).fit(networks[train])
        plain = ComplexNetworkFeatures(types=2, n_init=1).fit(networks[train])
        assert once.columns_ == plain.columns_
        np.testing.assert_allclose(once.transform(networks[test]), plain.transform(networks[test]), rtol=1e-6)
    assert sorted(shared) == [0, 1, 2]


def test_a_piece_is_made_once(tmp_path):
    pieces, made = Pieces(tmp_path), []

    def make():
        made.append(1)
        return {"values": np.arange(3.0)}

    first = pieces.get("fits/one", ("a", 1), make)
    again = Pieces(tmp_path).get("fits/one", ("a", 1), make)
    np.testing.assert_array_equal(first["values"], again["values"])
    assert len(made) == 1
    pieces.get("fits/one", ("a", 2), make)
    assert len(made) == 2

    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pieces.get("fits/two", 0, fail)
    assert len(list(tmp_path.rglob("*"))) == 3
