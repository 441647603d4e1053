import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from sklearn.exceptions import NotFittedError

from synaplex.errors import SpecificationError
from synaplex.neurons import BagOfNeurons, jensen_shannon, vocabulary_divergence

Population = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two batches of frequencies: counts of types in a few networks, with zeros, no network empty."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 7)))
    counts = arrays(np.float64, shape, elements=st.integers(0, 50).map(float))
    p, q = draw(counts), draw(counts)
    p[:, 0] += p.sum(axis=1) == 0
    q[:, -1] += q.sum(axis=1) == 0
    return p, q


@given(pairs(), st.sampled_from([2, "e"]))
def test_its_root_is_the_distance_of_scipy(pair: tuple[np.ndarray, np.ndarray], base: object) -> None:
    p, q = pair
    expected = jensenshannon(p, q, axis=1, base=2 if base == 2 else np.e)
    # Roots of rounding errors near zero: compare the divergences to 1e-15, the roots to 1e-7.
    np.testing.assert_allclose(jensen_shannon(p, q, base=base), expected**2, atol=1e-15)
    np.testing.assert_allclose(jensen_shannon(p, q, base=base, root=True), expected, atol=1e-7)


@given(pairs())
def test_symmetric_and_between_zero_and_one(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, q = pair
    divergence = jensen_shannon(p, q)
    np.testing.assert_array_equal(divergence, jensen_shannon(q, p))
    assert (divergence >= 0).all()
    assert (divergence <= 1).all()
    np.testing.assert_array_equal(jensen_shannon(p, p), 0)


@given(pairs(), st.randoms(use_true_random=False))
def test_the_names_of_types_do_not_matter(pair: tuple[np.ndarray, np.ndarray], random: object) -> None:
    p, q = pair
    order = np.random.default_rng(random.randrange(1000)).permutation(p.shape[1])  # type: ignore[attr-defined]
    np.testing.assert_allclose(jensen_shannon(p[:, order], q[:, order]), jensen_shannon(p, q), atol=1e-15)


@given(pairs())
def test_a_batch_is_its_networks(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, q = pair
    single = [float(jensen_shannon(a, b)) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(jensen_shannon(p, q), single, atol=1e-15)
    against_first = jensen_shannon(p, q[0])
    assert against_first.shape == (len(p),)
    assert float(against_first[0]) == pytest.approx(single[0], abs=1e-15)


def test_known_values() -> None:
    apart = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert float(jensen_shannon(*apart)) == 1
    assert float(jensen_shannon(*apart, base="e")) == pytest.approx(np.log(2), rel=1e-15)
    assert float(jensen_shannon(*apart, base="e", root=True)) == pytest.approx(np.sqrt(np.log(2)), rel=1e-15)
    half = float(jensen_shannon(np.array([1.0, 0.0]), np.array([0.5, 0.5])))
    assert half == pytest.approx(1.5 - 0.75 * np.log2(3), rel=1e-14)


@pytest.mark.parametrize("wrong", [[-0.1, 1.1], [np.nan, 1.0], [0.0, 0.0], [np.inf, 1.0]])
def test_what_is_no_distribution(wrong: list[float]) -> None:
    with pytest.raises(SpecificationError, match="p is no distribution"):
        jensen_shannon(np.array(wrong), np.array([0.5, 0.5]))


@pytest.mark.usefixtures("unchecked")
def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(SpecificationError, match="do not pair up"):
        jensen_shannon(np.ones(3), np.ones(2))
    with pytest.raises(SpecificationError, match="do not pair up"):
        jensen_shannon(np.ones((3, 2)), np.ones((4, 2)))
    with pytest.raises(SpecificationError, match="2 or 'e', got 10"):
        jensen_shannon(np.ones(2), np.ones(2), base=10)  # type: ignore[arg-type]


def test_a_vocabulary_is_not_apart_from_itself(population: Population) -> None:
    values, groups, _ = population
    bag = BagOfNeurons(4, n_init=5).fit(values)
    same = vocabulary_divergence(bag, bag, values, groups)
    assert same.mean == same.standard_deviation == 0
    assert same.values.shape == (40,)


def test_the_vocabulary_of_another_population(population: Population) -> None:
    values, groups, _ = population
    bag = BagOfNeurons(4, n_init=5).fit(values)
    other = BagOfNeurons.from_centers(bag.cluster_centers_ + np.array([0.35, 0.0, 0.0]))
    found = vocabulary_divergence(bag, other, values, groups, base="e", root=True)
    expected = [
        jensenshannon(
            np.bincount(bag.predict(values[groups == g]), minlength=4),
            np.bincount(other.predict(values[groups == g]), minlength=4),
        )
        for g in range(40)
    ]
    np.testing.assert_allclose(found.values, expected, atol=1e-12)
    assert found.mean == pytest.approx(np.mean(expected))
    assert found.standard_deviation == pytest.approx(np.std(expected))
    assert found.mean > 0


def test_each_vocabulary_sees_the_neurons_in_its_own_normalization(population: Population) -> None:
    values, groups, _ = population
    bag = BagOfNeurons(4, n_init=5).fit(values)
    other = BagOfNeurons.from_centers(bag.cluster_centers_ * 2)
    assert vocabulary_divergence(bag, other, values, groups, other_values=values * 2).mean == 0
    assert vocabulary_divergence(bag, other, values, groups).mean > 0


def test_vocabularies_that_cannot_be_matched(population: Population) -> None:
    values, groups, _ = population
    four, three = (BagOfNeurons(k, n_init=2).fit(values) for k in (4, 3))
    with pytest.raises(SpecificationError, match="4 types of 3 measures and of 3 types of 3"):
        vocabulary_divergence(four, three, values, groups)
    with pytest.raises(NotFittedError):
        vocabulary_divergence(four, BagOfNeurons(4), values, groups)
