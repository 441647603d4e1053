import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info

from synaplex.errors import SpecificationError
from synaplex.neurons import BagOfNeurons, type_frequencies

Population = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.mark.usefixtures("unchecked")  # one of the checks constructs it with values of any type
@parametrize_with_checks([BagOfNeurons(n_types=2, n_init=2), BagOfNeurons(n_types=3, n_init=3, n_jobs=1)])
def test_scikit_learn_conventions(estimator: BagOfNeurons, check: object) -> None:
    assert callable(check)
    check(estimator)


def test_recovers_the_types_of_a_made_up_population(population: Population) -> None:
    values, _, types = population
    bag = BagOfNeurons(n_types=4, n_init=10).fit(values)
    assert adjusted_rand_score(types, bag.labels_) == 1
    np.testing.assert_array_equal(bag.labels_, types)  # the made-up types are sorted by strength too
    np.testing.assert_allclose(bag.shares_, np.bincount(types) / len(types))
    means = [values[types == t].mean(axis=0) for t in range(4)]
    np.testing.assert_allclose(bag.cluster_centers_, means, atol=1e-12)


def test_agrees_with_k_means(population: Population) -> None:
    values, _, _ = population
    bag = BagOfNeurons(n_types=4, n_init=10).fit(values)
    means = KMeans(4, n_init=10, tol=1e-3, random_state=1).fit(values)
    assert bag.inertia_ == pytest.approx(means.inertia_, rel=1e-12)
    order = np.argsort(means.cluster_centers_[:, 0])
    np.testing.assert_allclose(bag.transform(values), means.transform(values)[:, order], atol=1e-7)


@settings(max_examples=25)
@given(
    arrays(np.float64, st.tuples(st.integers(8, 60), st.integers(1, 3)), elements=st.floats(-1, 1), unique=True),
    st.integers(1, 5),
    st.integers(0, 100),
)
def test_labels_name_the_nearest_of_sorted_centers(values: np.ndarray, n_types: int, seed: int) -> None:
    bag = BagOfNeurons(n_types, n_init=2, random_state=seed).fit(values)
    assert (np.diff(bag.cluster_centers_[:, 0]) >= 0).all()
    distances = bag.transform(values)
    own = distances[np.arange(len(values)), bag.labels_]
    assert (own <= distances.min(axis=1) + 1e-15).all()
    assert bag.inertia_ == pytest.approx((own**2).sum(), abs=1e-12)
    assert bag.shares_.sum() == pytest.approx(1)
    np.testing.assert_array_equal(bag.predict(values), bag.labels_)


def test_the_number_of_threads_changes_no_bit(population: Population) -> None:
    values, _, _ = population
    one, three = (BagOfNeurons(6, n_init=7, n_jobs=jobs).fit(values) for jobs in (1, 3))
    assert one.cluster_centers_.tobytes() == three.cluster_centers_.tobytes()
    assert one.inertia_ == three.inertia_


def test_threads_of_the_process_stay_as_they_are(population: Population) -> None:
    before = [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]
    BagOfNeurons(6, n_init=5, n_jobs=3).fit(population[0])
    assert [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()] == before


def test_more_starts_are_never_worse() -> None:
    values = np.random.default_rng(0).uniform(size=(300, 3))
    inertia = [BagOfNeurons(9, n_init=n).fit(values).inertia_ for n in (1, 2, 4, 8, 32)]
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(inertia))
    assert inertia[-1] < inertia[0]


def test_nothing_depends_on_the_global_random_state(population: Population) -> None:
    values, _, _ = population
    state = np.random.get_state()  # noqa: NPY002
    results = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        results.append(BagOfNeurons(9, n_init=1).fit(values).cluster_centers_.tobytes())
        assert np.random.randint(1000) == np.random.RandomState(seed).randint(1000)  # noqa: NPY002
    np.random.set_state(state)  # noqa: NPY002
    assert results[0] == results[1]


def test_survives_cloning_and_pickling(population: Population) -> None:
    values, _, _ = population
    bag = BagOfNeurons(4, n_init=2, random_state=3).fit(values)
    again = pickle.loads(pickle.dumps(bag))
    np.testing.assert_array_equal(again.predict(values), bag.labels_)
    with pytest.raises(NotFittedError):
        clone(bag).predict(values)


def test_a_given_vocabulary(population: Population) -> None:
    values, groups, _ = population
    fitted = BagOfNeurons(4, n_init=5).fit(values)
    given_bag = BagOfNeurons.from_centers(fitted.cluster_centers_[[2, 0, 3, 1]])
    np.testing.assert_array_equal(given_bag.predict(values), fitted.labels_)
    np.testing.assert_array_equal(given_bag.histogram(values, groups), fitted.histogram(values, groups))
    assert given_bag.table(["s", "bc", "sg"]).columns == ["type", "s", "bc", "sg"]
    with pytest.raises(SpecificationError, match="3 features"):
        given_bag.predict(values[:, :2])
    with pytest.raises(SpecificationError, match="finite"):
        BagOfNeurons.from_centers(np.array([[np.nan]]))


def test_the_table_of_types(population: Population) -> None:
    bag = BagOfNeurons(4, n_init=5).fit(population[0])
    table = bag.table(["strength", "bipartite_clustering", "subgraph_centrality"])
    assert table["type"].to_list() == [1, 2, 3, 4]
    assert table["strength"].is_sorted()
    assert table["share"].sum() == pytest.approx(1)
    assert bag.get_feature_names_out().tolist() == ["type_1", "type_2", "type_3", "type_4"]
    with pytest.raises(SpecificationError, match="1 names for 3 measures"):
        bag.table(["strength"])


@given(st.data(), st.integers(1, 5), st.integers(1, 40))
def test_frequencies_are_distributions(data: st.DataObject, n_types: int, neurons: int) -> None:
    labels = data.draw(arrays(np.int64, neurons, elements=st.integers(0, n_types - 1)))
    groups = data.draw(arrays(np.int64, neurons, elements=st.integers(-3, 3)))
    frequencies = type_frequencies(labels, groups, n_types)
    assert frequencies.shape == (len(set(groups.tolist())), n_types)
    np.testing.assert_allclose(frequencies.sum(axis=1), 1)
    counted = [[np.mean(labels[groups == g] == t) for t in range(n_types)] for g in np.unique(groups)]
    np.testing.assert_allclose(frequencies, counted)
    order = np.array(data.draw(st.permutations(range(neurons))))
    np.testing.assert_array_equal(type_frequencies(labels[order], groups[order], n_types), frequencies)


def test_networks_may_be_named() -> None:
    frequencies = type_frequencies(np.array([0, 1, 1]), np.array(["b", "b", "a"]), 2)
    assert frequencies.tolist() == [[0.0, 1.0], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("values", "distinct"),
    [
        (np.ones((10, 3)), 1),
        (np.repeat(np.arange(5.0), 400)[:, None], 5),
        (np.arange(3.0)[:, None], 3),
    ],
)
def test_fewer_distinct_neurons_than_types(values: np.ndarray, distinct: int) -> None:
    with pytest.raises(SpecificationError, match=f"n_types=6, but there are only {distinct} distinct"):
        BagOfNeurons(n_init=2).fit(values)


def test_as_many_distinct_neurons_as_types() -> None:
    values = np.repeat(np.arange(6.0), 50)[:, None]
    assert BagOfNeurons(n_init=20).fit(values).inertia_ == 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_types": 0},
        {"n_init": 0},
        {"max_iter": -1},
        {"tol": -1.0},
        {"tol": float("nan")},
        {"n_jobs": 0},
        {"random_state": -1},
    ],
)
def test_parameters_that_make_no_sense(parameters: dict[str, float], population: Population) -> None:
    with pytest.raises(SpecificationError, match=next(iter(parameters))):
        BagOfNeurons(**parameters).fit(population[0])


@pytest.mark.usefixtures("unchecked")
def test_types_that_make_no_sense(population: Population) -> None:
    with pytest.raises(SpecificationError, match="a function of its seed"):
        BagOfNeurons(random_state=None).fit(population[0])  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="n_types must be a positive integer"):
        BagOfNeurons(n_types=2.5).fit(population[0])  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="1 neurons, but the networks of 2"):
        type_frequencies(np.array([0]), np.array([0, 1]), 2)
    with pytest.raises(SpecificationError, match="labels from 0 to 2 for 2 types"):
        type_frequencies(np.array([0, 2]), np.array([0, 1]), 2)
