"""The compiled kernels: every sample once, whatever the length of a line and the registers of the processor."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synaplex.sparse import kernels
from synaplex.sparse.pattern import Pattern
from synaplex.sparse.products import compute_product, compute_sampled
from synaplex.sparse.topologies import distinct


@given(st.integers(0, 500), st.sampled_from([4, 8]), st.integers(1, 15))
def test_pieces_see_every_sample_once(beyond, itemsize, most):
    size = kernels.lanes(itemsize)
    batch = size + beyond
    seen: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "most", lambda: most)
        for count, at, last, again in kernels.pieces(batch, itemsize):
            assert 1 <= count <= most
            seen += range(at, at + (count - 1) * size)
            seen += range(at + last + again, at + last + size)
    assert sorted(seen) == list(range(batch))


@pytest.mark.parametrize("most", [2, 14])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("samples", [1, 33, 100, 250])
def test_lines_of_any_length(monkeypatch, samples, dtype, most):
    monkeypatch.setattr(kernels, "most", lambda: most)
    generator = torch.Generator().manual_seed(samples)
    shape = (13, 17)
    pattern = Pattern.from_keys(distinct(13 * 17, 60, generator), shape)
    weight, x, y = (
        torch.randn(size, dtype=torch.float64, generator=generator) for size in ((60,), (17, samples), (13, samples))
    )
    matrix = torch.zeros(shape, dtype=torch.float64).index_put((pattern.rows, pattern.column.long()), weight)
    wanted = matrix @ x, matrix.T @ y, (y @ x.T)[pattern.rows, pattern.column.long()]
    weight, x, y = (one.to(dtype) for one in (weight, x, y))
    made = (
        compute_product(pattern, weight, x, False),
        compute_product(pattern, weight, y, True),
        compute_sampled(pattern, x, y),
    )
    within = 1e-12 if dtype == torch.float64 else 1e-4
    for one, other in zip(made, wanted, strict=True):
        assert one.dtype == dtype
        torch.testing.assert_close(one.double(), other, rtol=within, atol=within)


@pytest.mark.parametrize("samples", [3, 40])
def test_lines_that_lie_apart_in_memory(samples):
    """A view of every second sample, and one of rows that are columns elsewhere."""
    generator = torch.Generator().manual_seed(0)
    pattern = Pattern.from_keys(distinct(30, 12, generator), (5, 6))
    weight = torch.randn(12, generator=generator)
    x = torch.randn(6, 2 * samples, generator=generator)[:, ::2]
    turned = torch.randn(samples, 6, generator=generator).T
    for one in (x, turned):
        torch.testing.assert_close(
            compute_product(pattern, weight, one, False), compute_product(pattern, weight, one.contiguous(), False)
        )
