"""The row of a tensor equals what NumPy says of the whole tensor in float64, in every format and whatever its parts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

import synaplex as sx
from synaplex.checkpoint import measuring, scan
from synaplex.errors import SpecificationError, UnknownNameError

FORMATS = ("float64", "float32", "bfloat16", "float16", "float8_e5m2", "float8_e4m3fn")
QUANTILES = {"quantile_1": 0.01, "quantile_25": 0.25, "median": 0.5, "quantile_75": 0.75, "quantile_99": 0.99}


def measure(tensors: dict[str, torch.Tensor], **options: Any) -> pl.DataFrame:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        save_file(tensors, file)
        return sx.measure_file(file, **options)


def check_row(row: dict[str, Any], tensor: torch.Tensor) -> None:
    """Every column against its definition."""
    values = tensor.double().numpy()
    flat = values[np.isfinite(values)]
    assert row["shape"] == list(tensor.shape)
    assert row["parameters"] == tensor.numel()
    assert row["nan"] == np.isnan(values).sum()
    assert row["infinite"] == np.isinf(values).sum()
    if not len(flat):
        assert row["mean"] is None
        return
    scale = np.abs(flat).max() or 1.0
    close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-12 * scale)
    close(row["mean"], flat.mean())
    close(row["std"], flat.std(), atol=1e-9 * scale)
    close(row["norm"], np.linalg.norm(flat))
    assert (row["min"], row["max"]) == (flat.min(), flat.max())
    assert row["positive"] == (flat > 0).mean()
    assert row["zero"] == (flat == 0).mean()
    error = row["quantile_error"]
    for name, share in QUANTILES.items():
        assert abs(row[name] - np.quantile(flat, share)) <= error + 1e-12 * scale
    assert error <= scale / 128
    if tensor.dtype.itemsize <= 2:
        assert error == 0
    if flat.std() > 1e-3 * scale:
        z = (flat - flat.mean()) / flat.std()
        close(row["skewness"], (z**3).mean(), rtol=1e-6, atol=1e-6)
        close(row["kurtosis"], (z**4).mean(), rtol=1e-6)
    if values.ndim < 2:
        assert row["in_strength_mean"] is None
        return
    finite = np.where(np.isfinite(values), values, 0)
    received, sent = (
        finite.reshape(len(finite), -1).sum(1),
        np.moveaxis(finite, 1, 0).reshape(finite.shape[1], -1).sum(1),
    )
    for side, strength in (("in", received), ("out", sent)):
        close(row[f"{side}_strength_mean"], strength.mean(), atol=1e-12 * scale * values.size)
        close(row[f"{side}_strength_std"], strength.std(), atol=1e-9 * scale * values.size)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    shape = draw(st.lists(st.integers(1, 9), max_size=4).map(tuple) | st.tuples(st.integers(1, 300)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = random.standard_normal(shape) * 10.0 ** draw(st.integers(-3, 1)) + draw(st.sampled_from([0.0, 0.0, 1.0]))
    for odd in draw(st.lists(st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-44, -1e-44, 1e-7]), max_size=4)):
        values = np.where(random.random(shape) < draw(st.sampled_from([0.02, 0.5])), odd, values)
    return torch.as_tensor(values).to(getattr(torch, draw(st.sampled_from(FORMATS))))


@given(tensors())
def test_every_column_equals_its_definition(tensor: torch.Tensor) -> None:
    check_row(measure({"w": tensor}).row(0, named=True), tensor)


@given(tensors(), st.sampled_from([64, 200, 1000]), st.sampled_from([16, 56]))
@settings(max_examples=60)
def test_parts_and_blocks_change_nothing(tensor: torch.Tensor, part: int, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "_TILE", 4)
        patch.setattr(scan, "_BLOCK", block)
        patch.setattr(measuring, "parts", partial(scan.parts, size=part))
        check_row(measure({"w": tensor}, threads=3).row(0, named=True), tensor)


@pytest.mark.parametrize("name", FORMATS)
def test_many_threads_give_the_same_digits(name: str) -> None:
    generator = torch.Generator().manual_seed(1)
    weights = {f"w{i}": torch.randn(70, 3000, generator=generator).to(getattr(torch, name)) for i in range(3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "parts", partial(scan.parts, size=100_000))
        one, many = measure(weights, threads=1), measure(weights, threads=5)
    assert one.equals(many)
    for row in one.iter_rows(named=True):
        check_row(row, weights[row["name"]])


def test_float32_moments_of_values_far_from_zero() -> None:
    """Sums of powers about zero would have no correct digit here."""
    values = 1000 + torch.randn(200_000, generator=torch.Generator().manual_seed(0)) / 100
    row = measure({"w": values}).row(0, named=True)
    exact = values.double().numpy()
    z = (exact - exact.mean()) / exact.std()
    np.testing.assert_allclose([row["std"], row["kurtosis"]], [exact.std(), (z**4).mean()], rtol=1e-9)


def test_rows_come_in_natural_order_and_say_what_is_no_weight() -> None:
    frame = measure(
        {
            "layer.10.weight": torch.ones(2, 2),
            "layer.2.weight": torch.ones(2, 2),
            "count": torch.tensor(3),
            "empty": torch.ones(0, 4),
            "bad": torch.full((3,), torch.nan),
        }
    )
    assert frame["name"].to_list() == ["bad", "count", "empty", "layer.2.weight", "layer.10.weight"]
    reasons = dict(zip(frame["name"], frame["reason"], strict=True))
    assert "int64" in reasons["count"]
    assert reasons["empty"] == "it has no values"
    bad = frame.filter(name="bad").row(0, named=True)
    assert (bad["nan"], bad["mean"], bad["reason"]) == (3, None, None)
    assert frame.filter(pl.col("name") == "layer.2.weight")["skewness"].to_list() == [None]


def test_only_the_names_asked_for() -> None:
    weights = {"a": torch.ones(2), "b": torch.ones(3)}
    assert measure(weights, names=["b"])["name"].to_list() == ["b"]
    with pytest.raises(UnknownNameError, match="unknown tensor 'bb'; did you mean 'b'"):
        measure(weights, names=["bb"])
    with pytest.raises(SpecificationError, match="list of names"):
        measure(weights, names="b")
    with pytest.raises(SpecificationError, match="threads=0"):
        measure(weights, threads=0)


@pytest.mark.parametrize("shape", [(40, 25), (25, 40), (1, 30), (30, 1), (6, 4, 3, 3)])
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_spectral_norm(shape: tuple[int, ...], name: str) -> None:
    tensor = torch.randn(shape, generator=torch.Generator().manual_seed(3)).to(getattr(torch, name))
    row = measure({"w": tensor, "b": torch.ones(4)}, spectral_norm=True).filter(name="w").row(0, named=True)
    largest = float(torch.linalg.matrix_norm(tensor.double().flatten(1), 2))
    assert abs(row["spectral_norm"] - largest) <= row["spectral_norm_error"] + 1e-12
    np.testing.assert_allclose(row["spectral_norm"], largest, rtol=1e-6)
    assert "spectral_norm" not in measure({"w": tensor}).columns


def test_a_zero_matrix_has_spectral_norm_zero() -> None:
    row = measure({"w": torch.zeros(3, 4)}, spectral_norm=True).row(0, named=True)
    assert (row["spectral_norm"], row["norm"], row["zero"], row["positive"]) == (0, 0, 1, 0)
