import numpy as np
import polars as pl
import pytest

from synaplex.errors import SpecificationError
from synaplex.neurons import PAPER_RANGE, BagOfNeurons, elbow, elbow_by_layer

Population = tuple[np.ndarray, np.ndarray, np.ndarray]


def separated(n_types: int, seed: int = 0) -> np.ndarray:
    """Types at the corners of a hypercube: none is nearer to another than the rest are."""
    generator = np.random.default_rng(seed)
    corners = np.array([[float(bit) for bit in f"{t:03b}"] for t in range(n_types)])
    return np.repeat(corners, 60, axis=0) + generator.normal(scale=0.02, size=(60 * n_types, 3))


@pytest.mark.parametrize("n_types", [3, 4, 6, 8])
def test_finds_as_many_types_as_there_are(n_types: int) -> None:
    assert elbow(separated(n_types), n_init=10).n_types == n_types


def test_the_curve_is_that_of_the_bags() -> None:
    values = separated(4)
    found = elbow(values, range(2, 7), n_init=3, seed=8, rows="mine")
    expected = [BagOfNeurons(k, n_init=3, random_state=8).fit(values).inertia_ for k in range(2, 7)]
    assert found.table["inertia"].to_list() == expected
    assert found.table["rows"].unique().to_list() == ["mine"]
    assert found.table.filter("picked")["n_types"].to_list() == [found.n_types]


def test_the_gap_is_the_distance_from_the_chord() -> None:
    found = elbow(separated(5), n_init=3)
    curve = found.table
    assert curve["n_types"].to_list() == list(PAPER_RANGE)
    assert curve["gap"][0] == curve["gap"][-1] == 0
    ends = np.array([[0.0, 1.0], [1.0, 0.0]])
    first, last = curve["inertia"][0], curve["inertia"][-1]
    points = np.column_stack([np.linspace(0, 1, 17), (curve["inertia"].to_numpy() - last) / (first - last)])
    along = (ends[1] - ends[0]) / np.sqrt(2)
    distance = np.abs((points - ends[0]) @ np.array([along[1], -along[0]]))
    np.testing.assert_allclose(np.abs(curve["gap"].to_numpy()), distance * np.sqrt(2), atol=1e-12)


def test_neither_scale_nor_shift_moves_the_elbow(population: Population) -> None:
    values = population[0][:300]
    found = elbow(values, n_init=3)
    moved = elbow(values * 64 + 5, n_init=3)
    assert moved.n_types == found.n_types
    np.testing.assert_allclose(moved.table["gap"].to_numpy(), found.table["gap"].to_numpy(), atol=1e-6)


def test_each_layer_and_all_together() -> None:
    values = np.concatenate([separated(3), separated(6, seed=1)])
    layers = np.repeat([1, 2], [180, 360])
    found = elbow_by_layer(values, layers, n_init=10)
    assert [(e.rows, e.n_types) for e in found] == [("layer 1", 3), ("layer 2", 6), ("all layers", 6)]
    assert pl.concat([e.table for e in found]).height == 3 * 17
    assert [e.rows for e in elbow_by_layer(values, np.full(540, 4), range(2, 6), n_init=2)] == ["layer 4"]


@pytest.mark.parametrize("n_types", [[2, 3], [2, 4, 3], [2, 2, 3]])
def test_numbers_of_types_that_make_no_curve(n_types: list[int]) -> None:
    with pytest.raises(SpecificationError, match="at least three numbers of types, ascending"):
        elbow(separated(3), n_types)


def test_too_few_neurons() -> None:
    with pytest.raises(SpecificationError, match="n_types=6, but there are only 5 distinct"):
        elbow(np.arange(5.0)[:, None], n_init=2)


def test_a_curve_without_elbow() -> None:
    # One type for each distinct neuron beyond two far pairs: the inertia falls most at the end.
    values = np.array([[0.0], [10.0], [100.0], [110.0]])
    with pytest.raises(SpecificationError, match="no elbow"):
        elbow(values, [2, 3, 4], n_init=20)


@pytest.mark.usefixtures("unchecked")
def test_layers_of_another_population() -> None:
    with pytest.raises(SpecificationError, match="180 neurons, but the layers of 2"):
        elbow_by_layer(separated(3), np.array([1, 2]))
