import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis import given
from hypothesis.extra.numpy import arrays
from scipy import stats

from synaplex.measures.activity.moments import Moments
from synaplex.measures.activity.sketch import Sketch

values = arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(1, 4)), elements=st.floats(-100, 100, width=32))


@given(values, st.integers(1, 29))
def test_merging_is_exact(x, cut):
    cut = min(cut, len(x) - 1)
    x = torch.from_numpy(x)
    merged, whole = Moments.of(x[:cut]).merge(Moments.of(x[cut:])), Moments.of(x)
    assert merged.count == whole.count
    size = 1 + x.abs().max()
    for power, name in enumerate(("mean", "m2", "m3", "m4"), 1):
        torch.testing.assert_close(
            getattr(merged, name), getattr(whole, name), rtol=1e-8, atol=float(1e-9 * size**power)
        )
    assert torch.equal(merged.low, whole.low)
    assert torch.equal(merged.high, whole.high)


@given(values)
def test_pooling_is_that_of_all_values(x):
    pooled = Moments.of(torch.from_numpy(x)).pool()
    everything = Moments.of(torch.from_numpy(x).reshape(-1, 1))
    size = 1 + np.abs(x).max()
    for power, name in enumerate(("mean", "m2", "m3", "m4"), 1):
        torch.testing.assert_close(getattr(pooled, name), getattr(everything, name), rtol=1e-8, atol=1e-9 * size**power)


def test_a_mean_far_from_zero_costs_no_digits():
    x = 1e6 + np.random.default_rng(0).exponential(size=(10_000, 3))
    parts = [Moments.of(part) for part in torch.from_numpy(x).split(17)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    np.testing.assert_allclose(merged.variance, x.var(0), rtol=1e-9)
    np.testing.assert_allclose(merged.skewness, stats.skew(x), rtol=1e-6)
    np.testing.assert_allclose(merged.kurtosis, stats.kurtosis(x, fisher=False), rtol=1e-6)


def test_what_never_changes_has_no_spread_and_no_shape():
    moments = Moments.of(torch.full((7, 1), 0.1)).merge(Moments.of(torch.full((3, 1), 0.1)))
    assert moments.variance.item() == 0
    assert torch.isnan(moments.skewness).all()
    assert torch.isnan(moments.kurtosis).all()


def test_wide_batches_are_read_in_blocks(monkeypatch):
    x = torch.rand(5, 1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole = Moments.of(x)
    monkeypatch.setattr("synaplex.measures.activity.moments.BLOCK", 64)
    for name in ("mean", "m2", "m3", "m4", "low", "high"):
        torch.testing.assert_close(getattr(Moments.of(x), name), getattr(whole, name))


magnitudes = st.floats(2.0**-30, 2.0**30, width=32) | st.floats(-(2.0**30), -(2.0**-30), width=32) | st.just(0.0)


@given(arrays(np.float32, st.integers(1, 200), elements=magnitudes), st.floats(0, 1))
def test_quantiles_are_right_within_a_64th(x, share):
    sketch = Sketch()
    sketch.add(torch.from_numpy(x))
    found = sketch.quantiles(np.array([share]), float(x.min()), float(x.max()))[0]
    place = share * (len(x) - 1)
    low, high = (float(np.sort(x)[int(near(place))]) for near in (np.floor, np.ceil))
    assert low - abs(low) / 60 <= found <= high + abs(high) / 60


def test_histograms_count_every_value_once():
    generator = torch.Generator().manual_seed(0)
    x = torch.cat([torch.randn(5000, generator=generator).relu(), torch.ones(300)]).double()
    sketch = Sketch()
    sketch.add(x)
    low, high = float(x.min()), float(x.max())
    edges = np.linspace(low, high, 40)
    counted = sketch.histogram(edges, low, high)
    assert counted.sum() == len(x)
    expected, _ = np.histogram(x.numpy(), edges)
    assert counted[0] >= int((x == 0).sum())
    assert np.abs(counted - expected).sum() < 0.05 * len(x)
    np.testing.assert_allclose(sketch.histogram(np.array([-1.0, 0.5, 9.0]), low, high).sum(), len(x))


def test_point_masses_at_the_ends_are_kept():
    sketch = Sketch()
    sketch.add(torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0]))
    np.testing.assert_array_equal(sketch.histogram(np.linspace(0, 1, 11), 0.0, 1.0), [2, *[0] * 8, 3])
    assert sketch.quantiles(np.array([0.1, 0.9]), 0.0, 1.0).tolist() == [0.0, 1.0]
