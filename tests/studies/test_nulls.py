"""Null models keep what they should keep, and change the rest."""

import numpy as np
import torch

from synaplex.graph import NeuralGraph
from synaplex.measures import strength
from synaplex.measures.nulls import FIXED, against_null
from synaplex.population.snapshots import spell_out
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.nulls import measured, null_draws, null_networks

SEEDS = (3, 8, 21)
MEASURES = spell_out("scabini")


def population(seeds: tuple[int, ...] = SEEDS) -> NeuralGraph:
    weights = []
    for shape in ((6, 9), (5, 6), (4, 5)):
        drawn = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        weights.append(torch.stack(drawn))
    return NeuralGraph.from_weights(weights)


def matrices(graph: NeuralGraph) -> list[np.ndarray]:
    return [link.to_dense().numpy() for link in graph.links]


def test_shuffling_keeps_the_weights_of_each_layer_of_each_network() -> None:
    for before, after in zip(
        matrices(population()), matrices(null_networks(population(), "shuffled", 0, SEEDS, seed=0)), strict=True
    ):
        assert not np.array_equal(before, after)
        flat = np.sort(before.reshape(len(SEEDS), -1)), np.sort(after.reshape(len(SEEDS), -1))
        np.testing.assert_array_equal(*flat)


def test_shuffling_keeps_the_mean_strength_of_hidden_layers() -> None:
    before = population()
    after = null_networks(before, "shuffled", 1, SEEDS, seed=0)
    for layer in before.hidden:
        means = [strength(graph)[:, graph.layer_slice(layer)].mean(-1) for graph in (before, after)]
        torch.testing.assert_close(*means)


def test_flipping_keeps_every_magnitude_and_changes_half_the_signs() -> None:
    changed, total = 0, 0
    for before, after in zip(
        matrices(population()), matrices(null_networks(population(), "flipped", 0, SEEDS, seed=0)), strict=True
    ):
        np.testing.assert_array_equal(np.abs(before), np.abs(after))
        changed, total = changed + int((before != after).sum()), total + before.size
    assert 0.4 < changed / total < 0.6


def test_a_draw_of_a_network_is_its_own_whatever_is_beside_it() -> None:
    for null in ("shuffled", "flipped"):
        together = matrices(null_networks(population(), null, 2, SEEDS, seed=5))
        alone = matrices(null_networks(population((8,)), null, 2, (8,), seed=5))
        for all_of_them, one in zip(together, alone, strict=True):
            np.testing.assert_array_equal(all_of_them[1], one[0])


def test_draws_and_seeds_differ() -> None:
    first = matrices(null_networks(population(), "shuffled", 0, SEEDS, seed=0))[0]
    for draw, seed in ((1, 0), (0, 1)):
        assert not np.array_equal(first, matrices(null_networks(population(), "shuffled", draw, SEEDS, seed=seed))[0])


def test_draws_are_measured_like_a_snapshot() -> None:
    frames = {
        (null, draw): frame
        for null, draw, frame in null_draws(lambda seeds: population(tuple(seeds)), SEEDS, MEASURES, draws=2, seed=0)
    }
    assert list(frames) == [("shuffled", 0), ("shuffled", 1), ("flipped", 0), ("flipped", 1)]
    for frame in frames.values():
        assert frame.columns == ["seed", "layer", "neuron", *MEASURES, "reason"]
        assert frame["seed"].unique().sort().to_list() == list(SEEDS)
    assert measured(population(), SEEDS, MEASURES).height == frames["shuffled", 0].height


def test_a_null_model_without_spread_says_that_the_weights_fix_it() -> None:
    fixed = against_null(0.3, np.full(5, 0.3))
    assert (fixed["z"], fixed["remark"]) == (None, FIXED)
    free = against_null(0.5, np.array([0.1, 0.2, 0.3]))
    assert free["remark"] == ""
    assert np.isclose(free["z"], 3.0)


def test_the_study_finds_strength_and_cliques_fixed_and_nothing_else(results: Results) -> None:
    nulls = results.tables["nulls"].filter(quantity="spearman", null="shuffled")
    fixed = set(nulls.filter(remark=FIXED)["subject"])
    assert fixed == {"strength", "maximal_cliques"}
    assert results.tables["nulls"].filter(null="flipped")["z"].null_count() == 0
