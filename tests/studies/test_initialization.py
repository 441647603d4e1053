"""Networks that differ in one thing: the comparison on made-up populations, and the variants themselves."""

import numpy as np
import pytest

from synaplex.datasets import load
from synaplex.networks import initial_weights
from synaplex.studies.scabini import published
from synaplex.studies.scabini.initialization import OWN, compare_initializations
from synaplex.studies.scabini.recipe import Analysis, specification, variant_specification, variants
from tests.studies.made_up import neurons

QUICK = Analysis(starts=8, elbow_starts=1, resamples=200)
CENTERS = published.released_types().select(published.KEPT).to_numpy()
ACCURACY = np.random.default_rng(0).normal(0.8, 0.05, size=30)


def compared(other: np.ndarray, moved: np.ndarray = CENTERS) -> dict[str, dict[str, float]]:
    shares = np.tile([0.1, 0.2, 0.3, 0.1, 0.2, 0.1], (4, 1))
    frames = {OWN: neurons(CENTERS, shares), "other": neurons(moved, shares, seed=1)}
    table, types = compare_initializations(frames, {OWN: ACCURACY, "other": other}, QUICK)
    assert types.height == 12
    return {row["initialization"]: row for row in table.iter_rows(named=True)}


def test_differences_and_ratios_are_those_put_in() -> None:
    found = compared(0.7 + 0.5 * (ACCURACY - ACCURACY.mean()))
    other = found["other"]
    assert other["difference"] == pytest.approx(0.7 - ACCURACY.mean())
    assert other["difference_low"] < other["difference"] < other["difference_high"] < 0
    assert other["ratio"] == pytest.approx(0.5)
    assert other["ratio_high"] == pytest.approx(0.5)
    assert found[OWN]["difference"] == 0
    assert found[OWN]["ratio"] == 1
    assert found[OWN]["distance"] == 0


def test_equal_populations_do_not_differ_by_more_than_chance() -> None:
    other = compared(np.random.default_rng(5).normal(0.8, 0.05, size=30))["other"]
    assert other["difference_low"] < 0 < other["difference_high"]
    assert other["ratio_low"] < 1 < other["ratio_high"]
    assert other["distance"] < 0.06


def test_a_type_elsewhere_moves_the_centroids_apart() -> None:
    moved = CENTERS.copy()
    moved[0] = [-0.9, 0.1, 0.9]
    assert compared(ACCURACY, moved)["other"]["distance"] > 0.15


def test_diverged_networks_are_left_out_of_pairs() -> None:
    other = ACCURACY - 0.1
    other[[3, 7]] = np.nan
    row = compared(other)["other"]
    assert (row["networks"], row["diverged"]) == (28, 2)
    assert row["difference"] == pytest.approx(-0.1)


@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_each_variant_differs_from_the_recipe_in_one_thing(recipe: str) -> None:
    base = specification(load("digits"), 3, 0, recipe)
    changed = []
    for variant in variants(base):
        differences = base.differences(variant_specification(base, variant))
        assert differences.pop("snapshots") == ([0, 1, 2, 3], [3])
        names = {name.split(".")[0] for name in differences}
        assert len(names) == 1
        changed.append(names.pop())
    assert changed == ["shared_stream", "loss", "initializer", "initializer", "initializer"]


def test_a_seed_draws_the_same_numbers_in_every_range() -> None:
    base = specification(load("digits"), 3, 0)
    own = initial_weights(base.network.widths, [4], base.initializer)
    for variant in variants(base)[2:]:
        spec = variant_specification(base, variant)
        bound = float(variant.name)
        for first, second in zip(own, initial_weights(base.network.widths, [4], spec.initializer), strict=True):
            np.testing.assert_allclose(second, first * bound / 0.9, atol=1e-6)
