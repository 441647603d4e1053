import numpy as np
import pytest

from synaplex.errors import SpecificationError
from synaplex.neurons import BagOfNeurons, stability

Population = tuple[np.ndarray, np.ndarray, np.ndarray]


def test_distinct_types_are_stable(population: Population) -> None:
    values, groups, _ = population
    found = stability(BagOfNeurons(4, n_init=5), values, groups, resamples=10)
    assert found.scores.tolist() == [1.0] * 10
    assert found.mean == found.low == found.high == 1


def test_types_of_noise_are_not(population: Population) -> None:
    noise = np.random.default_rng(0).normal(size=(1000, 3))
    found = stability(BagOfNeurons(6, n_init=5), noise, population[1], resamples=20, confidence=0.9)
    assert found.high < 0.9
    assert found.low < found.mean < found.high
    inside = (found.scores >= found.low) & (found.scores <= found.high)
    assert inside.mean() == pytest.approx(0.9, abs=0.05)


def test_networks_are_resampled_whole() -> None:
    # Two kinds of networks, each with neurons of its own two types. A resample of networks misses one
    # kind with probability 2 / 2^2 and then finds three types at most; resampling neurons never would.
    generator = np.random.default_rng(0)
    centers = np.array([[0.0, 0.0], [0.0, 1.0], [9.0, 0.0], [9.0, 1.0]])
    types = np.repeat([[0, 1], [2, 3]], 50, axis=1).ravel()
    values = centers[types] + generator.normal(scale=0.01, size=(200, 2))
    groups = np.repeat([0, 1], 100)
    found = stability(BagOfNeurons(4, n_init=20), values, groups, resamples=30)
    missed = (found.scores < 0.99).mean()
    assert 0.2 < missed < 0.8


def test_the_order_of_neurons_and_names_of_networks_do_not_matter(population: Population) -> None:
    values, groups, _ = population
    bag = BagOfNeurons(6, n_init=5).fit(values)
    names = np.array([f"network {g:03d}" for g in groups])
    one = stability(bag, values, groups, resamples=5)
    two = stability(bag, values, names, resamples=5)
    np.testing.assert_array_equal(one.scores, two.scores)


def test_the_reference_is_left_alone(population: Population) -> None:
    values, groups, _ = population
    bag = BagOfNeurons(6, n_init=5)
    before = stability(bag, values, groups, resamples=3)
    assert not hasattr(bag, "cluster_centers_")
    bag.fit(values)
    after = stability(bag, values, groups, resamples=3)
    np.testing.assert_array_equal(before.scores, after.scores)
    assert bag.n_init == 5


def test_resamples_are_a_function_of_seed_and_number(population: Population) -> None:
    values, groups, _ = population
    bag = BagOfNeurons(6, n_init=3).fit(values)
    few, many = (stability(bag, values, groups, resamples=n, n_init=2) for n in (4, 8))
    np.testing.assert_array_equal(few.scores, many.scores[:4])
    other = stability(bag, values, groups, resamples=4, n_init=2, seed=1)
    assert not np.array_equal(few.scores, other.scores)


def test_a_given_vocabulary_is_a_reference_too(population: Population) -> None:
    values, groups, _ = population
    bag = BagOfNeurons.from_centers(BagOfNeurons(4, n_init=5).fit(values).cluster_centers_)
    assert stability(bag, values, groups, resamples=2, n_init=5).mean == 1


def test_arguments_that_make_no_sense(population: Population) -> None:
    values, groups, _ = population
    bag = BagOfNeurons(4, n_init=2)
    with pytest.raises(SpecificationError, match="there is only one"):
        stability(bag, values, np.zeros(1000))
    with pytest.raises(SpecificationError, match="confidence"):
        stability(bag, values, groups, confidence=0.0)
    with pytest.raises(SpecificationError, match="at least one resample"):
        stability(bag, values, groups, resamples=0)


@pytest.mark.usefixtures("unchecked")
def test_networks_of_another_population(population: Population) -> None:
    with pytest.raises(SpecificationError, match="1000 neurons, but the networks of 2"):
        stability(BagOfNeurons(4), population[0], np.array([0, 1]))
