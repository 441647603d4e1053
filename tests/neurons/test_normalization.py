import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.neurons import (
    LARGEST,
    MIN_MAX,
    NORMALIZATIONS,
    RELEASED,
    RELEASED_MNIST,
    Constant,
    Normalization,
)

NAMES = ("strength", "bipartite_clustering", "subgraph_centrality")
LOG_NAMES = ("strength", "bipartite_clustering", "log_subgraph_centrality")

positive = arrays(
    np.float64,
    st.tuples(st.integers(2, 30), st.just(3)),
    elements=st.floats(1e-3, 1e3),
    unique=True,
)


def logarithm_of_last(values: np.ndarray) -> np.ndarray:
    return np.column_stack([values[:, :2], np.log(values[:, 2])])


@given(positive)
def test_largest_divides_by_the_largest(values: np.ndarray) -> None:
    np.testing.assert_allclose(LARGEST.fit_transform(values, NAMES), values / values.max(axis=0), rtol=1e-14)


@given(positive)
def test_min_max_reaches_both_bounds_and_is_idempotent(values: np.ndarray) -> None:
    once = MIN_MAX.fit_transform(values, NAMES)
    assert (once.min(axis=0) == 0).all()
    assert (once.max(axis=0) == 1).all()
    np.testing.assert_allclose(MIN_MAX.fit_transform(once, NAMES), once, atol=1e-15)


@given(positive, st.sampled_from(["largest", "min-max"]))
def test_logarithms_give_the_same_as_the_values(values: np.ndarray, name: str) -> None:
    rule = NORMALIZATIONS[name]
    plain = rule.fit_transform(values, NAMES)
    spread = np.ptp(values[:, 2]) / values[:, 2].max()
    logarithmic = rule.fit_transform(logarithm_of_last(values), LOG_NAMES)
    np.testing.assert_allclose(logarithmic, plain, atol=1e-13 / spread, rtol=1e-12)


@given(positive, positive, st.sampled_from(["largest", "min-max"]))
def test_constants_of_values_serve_logarithms_and_the_reverse(
    values: np.ndarray, others: np.ndarray, name: str
) -> None:
    rule = NORMALIZATIONS[name]
    of_values = rule.fit(values, NAMES)
    of_logarithms = rule.fit(logarithm_of_last(values), LOG_NAMES)
    expected = of_values.transform(others, NAMES)
    tolerance = {"rtol": 1e-10, "atol": 1e-10 * max(1.0, np.abs(expected).max()) ** 2}
    np.testing.assert_allclose(of_values.transform(logarithm_of_last(others), LOG_NAMES), expected, **tolerance)
    np.testing.assert_allclose(of_logarithms.transform(others, NAMES), expected, **tolerance)


def test_logarithms_beyond_float64() -> None:
    values = np.array([[5000.0], [5001.0], [4990.0]])
    result = LARGEST.fit_transform(values, ["log_subgraph_centrality"])
    np.testing.assert_allclose(result[:, 0], np.exp([-1.0, 0.0, -11.0]), rtol=1e-14)


def test_the_largest_strength_is_not_the_largest_absolute_one() -> None:
    result = LARGEST.fit_transform(np.array([[-8.0], [4.0]]), ["strength"])
    assert result[:, 0].tolist() == [-2.0, 1.0]


def test_each_layer_by_itself() -> None:
    values = np.array([[1.0], [2.0], [10.0], [40.0]])
    layers = np.array([1, 1, 2, 2])
    rule = dataclasses.replace(LARGEST, per_layer=True)
    assert rule.fit_transform(values, ["strength"], layers)[:, 0].tolist() == [0.5, 1.0, 0.25, 1.0]
    fitted = rule.fit(values, ["strength"], layers)
    assert fitted.table().select("layer", "high").rows() == [(1, 2.0), (2, 40.0)]
    assert not rule.fitted


def test_the_released_mix_is_min_max_for_clustering_only() -> None:
    values = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [4.0, 3.0, 4.0]])
    result = RELEASED.fit_transform(values, NAMES, np.ones(3, dtype=np.int64))
    assert result.tolist() == [[0.25, 0.0, 0.25], [0.5, 0.5, 0.5], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("layer", [1, 2])
def test_the_released_constants_map_to_one_and_zero(layer: int) -> None:
    table = RELEASED_MNIST.table().filter(layer=layer)
    layers = np.array([layer])
    for bound, expected in (("high", [1.0, 1.0, 1.0]), ("low", [0.0, 0.0, 0.0])):
        row = table[bound].to_numpy()[None, :]
        assert RELEASED_MNIST.transform(row, NAMES, layers)[0].tolist() == expected
    top = np.log(table["high"].to_numpy())[None, 2:]
    np.testing.assert_allclose(RELEASED_MNIST.transform(top, ["log_subgraph_centrality"], layers), 1.0, rtol=1e-13)


def test_a_normalization_is_a_value() -> None:
    fitted = LARGEST.fit(np.array([[2.0], [3.0]]), ["strength"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitted.rule = "min-max"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(fitted)) == fitted
    assert Normalization("largest", constants=fitted.constants) == fitted
    assert hash(fitted) != hash(LARGEST)


def test_constants_can_be_set() -> None:
    fixed = Normalization(constants=(Constant("strength", -1.0, 3.0),))
    assert fixed.transform(np.array([[-1.0], [1.0], [7.0]]), ["strength"])[:, 0].tolist() == [0.0, 0.5, 2.0]


@pytest.mark.parametrize(
    ("rule", "values", "message"),
    [
        (LARGEST, [[-3.0], [-1.0]], "largest value of strength is -1"),
        (LARGEST, [[0.0], [0.0]], "largest value of strength is 0"),
        (MIN_MAX, [[2.0], [2.0]], "strength is 2 for all 2 neurons"),
        (LARGEST, [[1.0], [np.nan]], "1 of 2 neurons have values that are not finite"),
        (LARGEST, np.empty((0, 1)), "no neurons"),
        (RELEASED, [[1.0], [2.0]], "each layer by itself"),
    ],
)
def test_rows_that_cannot_be_normalized(rule: Normalization, values: object, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        rule.fit(np.array(values), ["strength"])


def test_what_a_transform_lacks() -> None:
    row, layers = np.array([[1.0]]), np.array([3])
    with pytest.raises(SpecificationError, match="no constants yet"):
        LARGEST.transform(row, ["strength"])
    with pytest.raises(SpecificationError, match="no constant for strength in layer 3; it has: strength in layer 1"):
        RELEASED_MNIST.transform(row, ["strength"], layers)
    with pytest.raises(SpecificationError, match="no constant for disparity"):
        RELEASED_MNIST.transform(row, ["disparity"], np.array([1]))
    with pytest.raises(SpecificationError, match="1 columns of values, but 2 measures"):
        RELEASED_MNIST.transform(row, ["strength", "disparity"], layers)
    with pytest.raises(SpecificationError, match="named twice"):
        LARGEST.fit(np.ones((2, 2)), ["strength", "log_strength"])


def test_constants_out_of_reach() -> None:
    huge = Normalization(constants=(Constant("x", -np.inf, 5000.0, logarithmic=True),))
    with pytest.raises(SpecificationError, match=r"beyond float64.*'log_x'"):
        huge.transform(np.array([[1.0]]), ["x"])
    small = Normalization(constants=(Constant("x", 0.0, 1.0),))
    with pytest.raises(SpecificationError, match="log_x reaches 5000"):
        small.transform(np.array([[5000.0]]), ["log_x"])
    signed = Normalization(constants=(Constant("x", -1.0, 1.0),))
    with pytest.raises(SpecificationError, match="without logarithms"):
        signed.transform(np.array([[1.0]]), ["log_x"])


@pytest.mark.parametrize("bounds", [(1.0, 1.0), (2.0, 1.0), (0.0, np.nan), (0.0, np.inf), (-np.inf, 1.0)])
def test_constants_need_a_range(bounds: tuple[float, float]) -> None:
    with pytest.raises(SpecificationError, match="'strength' in layer 2"):
        Constant("strength", *bounds, layer=2)


def test_constants_that_disagree() -> None:
    one = Constant("strength", 0.0, 1.0, layer=1)
    with pytest.raises(SpecificationError, match="per_layer=False"):
        Normalization(constants=(one,))
    with pytest.raises(SpecificationError, match="two constants"):
        Normalization(per_layer=True, constants=(one, one))


@pytest.mark.usefixtures("unchecked")
def test_a_misspelt_rule_suggests_the_right_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'largest'"):
        Normalization("larges")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="2 rows, but layers of 1"):
        RELEASED.fit(np.ones((2, 1)), ["strength"], np.array([1]))
