import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synaplex.errors import SpecificationError
from synaplex.neurons import accuracy_groups, occurrence


@given(st.data(), st.integers(1, 20))
def test_groups_are_apart_and_in_order(data: st.DataObject, n: int) -> None:
    total = data.draw(st.integers(3 * n, 100))
    accuracy = data.draw(arrays(np.float64, total, elements=st.floats(0, 1)))
    groups = accuracy_groups(accuracy, n)
    members = np.concatenate(list(groups.values()))
    assert len(members) == len(set(members.tolist())) == 3 * n
    worst, median, best = (accuracy[groups[name]] for name in ("worst", "median", "best"))
    assert worst.max() <= median.min()
    assert median.max() <= best.min()
    rest = np.setdiff1d(np.arange(total), members)
    below, above = (accuracy[rest] <= median.min()).sum(), (accuracy[rest] >= median.max()).sum()
    assert below + above >= len(rest)
    assert accuracy[groups["worst"]].sum() == pytest.approx(np.sort(accuracy)[:n].sum())
    assert accuracy[groups["best"]].sum() == pytest.approx(np.sort(accuracy)[total - n :].sum())


def test_the_median_group_lies_around_the_median() -> None:
    groups = accuracy_groups(np.arange(1000) / 1000, 100)
    assert groups["median"].tolist() == list(range(450, 550))


@pytest.mark.parametrize(("networks", "size"), [(1000, 100), (300, 30), (25, 2), (10, 1), (3, 1)])
def test_a_tenth_by_default(networks: int, size: int) -> None:
    assert len(accuracy_groups(np.linspace(0, 1, networks))["best"]) == size


def test_equals_stay_in_their_order() -> None:
    groups = accuracy_groups(np.zeros(7), 2)
    assert [groups[name].tolist() for name in ("worst", "median", "best")] == [[0, 1], [2, 3], [5, 6]]


@pytest.mark.parametrize(
    ("accuracy", "n", "message"),
    [
        (np.zeros(299), 100, "299 networks are too few for three groups of 100 .* at most 99"),
        (np.zeros(2), None, "2 networks are too few"),
        (np.zeros(9), 0, "at least one, got n=0"),
        (np.array([0.1, np.nan, 0.3]), 1, "1 networks have no accuracy, the first at position 1"),
    ],
)
def test_groups_that_cannot_be(accuracy: np.ndarray, n: int | None, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        accuracy_groups(accuracy, n)


@pytest.fixture
def drifting() -> tuple[np.ndarray, np.ndarray]:
    """Networks whose first type gives way to the second as accuracy grows, a third staying at a fifth."""
    accuracy = np.random.default_rng(0).permutation(np.linspace(0.5, 1.0, 60))
    first = 0.8 * (1 - accuracy)
    return np.column_stack([first, 0.8 - first, np.full(60, 0.2)]), accuracy


def test_shares_by_group(drifting: tuple[np.ndarray, np.ndarray]) -> None:
    frequencies, accuracy = drifting
    table = occurrence(frequencies, accuracy, 15)
    assert table["type"].to_list() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert table["group"].to_list() == ["worst", "median", "best"] * 3
    assert (table["networks"] == 15).all()
    worst = frequencies[np.argsort(accuracy)[:15]]
    row = table.row(0, named=True)
    assert row["mean_share"] == pytest.approx(worst[:, 0].mean())
    assert row["standard_deviation"] == pytest.approx(worst[:, 0].std())
    for group in ("worst", "median", "best"):
        assert table.filter(group=group)["mean_share"].sum() == pytest.approx(1)
    first = table.filter(type=1)["mean_share"].to_list()
    assert first == sorted(first, reverse=True)


def test_intervals(drifting: tuple[np.ndarray, np.ndarray]) -> None:
    frequencies, accuracy = drifting
    table = occurrence(frequencies, accuracy, 15, resamples=4000)
    moving = table.filter(table["type"] < 3)
    assert (moving["low"] < moving["mean_share"]).all()
    assert (moving["mean_share"] < moving["high"]).all()
    normal = 2 * 1.96 * moving["standard_deviation"] / np.sqrt(15)
    np.testing.assert_allclose((moving["high"] - moving["low"]).to_numpy(), normal.to_numpy(), rtol=0.1)
    constant = table.filter(type=3)
    np.testing.assert_allclose(constant.select("low", "high").to_numpy(), 0.2)
    narrow = occurrence(frequencies, accuracy, 15, confidence=0.5)
    assert (narrow["high"] - narrow["low"] <= table["high"] - table["low"]).all()


def test_the_seed_decides(drifting: tuple[np.ndarray, np.ndarray]) -> None:
    frequencies, accuracy = drifting
    one, same, other = (occurrence(frequencies, accuracy, seed=seed, resamples=50) for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)
    assert one.equals(occurrence(frequencies, accuracy, seed=np.random.default_rng(1), resamples=50))


def test_arguments_that_make_no_sense(drifting: tuple[np.ndarray, np.ndarray]) -> None:
    frequencies, accuracy = drifting
    with pytest.raises(SpecificationError, match="confidence"):
        occurrence(frequencies, accuracy, confidence=1.0)
    with pytest.raises(SpecificationError, match="at least one resample"):
        occurrence(frequencies, accuracy, resamples=0)


@pytest.mark.usefixtures("unchecked")
def test_accuracies_of_another_population(drifting: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(SpecificationError, match="types of 60 networks, but accuracies of 59"):
        occurrence(drifting[0], drifting[1][1:])
