"""The sparse products equal dense ones, in value and in every gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synaplex.sparse import threads
from synaplex.sparse.pattern import Pattern
from synaplex.sparse.products import plain_product, plain_sampled, product, sampled_product
from synaplex.sparse.topologies import distinct


@st.composite
def cases(draw: st.DrawFn) -> tuple[Pattern, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A pattern (rows and columns may be empty), weights, and activations at both sides, in float64."""
    out, into = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    count, samples = draw(st.integers(0, out * into)), draw(st.sampled_from([1, 2, 5, 16, 23, 130]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    pattern = Pattern.from_keys(distinct(out * into, count, generator), (out, into))
    weight = torch.randn(count, dtype=torch.float64, generator=generator)
    x = torch.randn(into, samples, dtype=torch.float64, generator=generator)
    y = torch.randn(out, samples, dtype=torch.float64, generator=generator)
    return pattern, weight, x, y


def dense(pattern: Pattern, weight: torch.Tensor) -> torch.Tensor:
    matrix = torch.zeros(pattern.shape, dtype=weight.dtype)
    return matrix.index_put((pattern.rows, pattern.column.long()), weight)


@given(cases())
def test_products_equal_those_of_the_full_matrix(case):
    pattern, weight, x, y = case
    matrix = dense(pattern, weight)
    rows, columns = pattern.rows, pattern.column.long()
    torch.testing.assert_close(product(pattern, weight, x), matrix @ x)
    torch.testing.assert_close(product(pattern, weight, y, turned=True), matrix.T @ y)
    torch.testing.assert_close(sampled_product(pattern, x, y), (y @ x.T)[rows, columns])


@given(cases())
def test_plain_forms_agree(case):
    pattern, weight, x, y = case
    torch.testing.assert_close(plain_product(pattern, weight, x, False), product(pattern, weight, x))
    torch.testing.assert_close(plain_product(pattern, weight, y, True), product(pattern, weight, y, turned=True))
    torch.testing.assert_close(plain_sampled(pattern, x, y), sampled_product(pattern, x, y))


@settings(max_examples=25)
@given(cases())
def test_gradients_and_their_gradients(case):
    pattern, weight, x, y = case
    for one in (weight, x, y):
        one.requires_grad_()
    functions = [
        (lambda w, x: product(pattern, w, x), (weight, x)),
        (lambda w, y: product(pattern, w, y, turned=True), (weight, y)),
        (lambda x, y: sampled_product(pattern, x, y), (x, y)),
    ]
    for function, inputs in functions:
        assert torch.autograd.gradcheck(function, inputs, fast_mode=True)
        assert torch.autograd.gradgradcheck(function, inputs, fast_mode=True)


@pytest.mark.parametrize("own", [False, True], ids=["as PyTorch has them", "of our own"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_parts_of_the_rows_make_the_whole(monkeypatch, count, own):
    """On several threads, with many empty rows and one that holds most connections."""
    monkeypatch.setattr(threads, "_WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "_WORTH_WAKING", 1)
    if own:
        monkeypatch.setattr(threads, "_openmp", lambda: None)
    generator = torch.Generator().manual_seed(0)
    shape = (500, 400)
    keys = torch.cat([torch.arange(400) + 7 * 400, distinct(500 * 400, 3000, generator)]).unique()
    keys = keys[(keys < 100 * 400) | (keys >= 480 * 400)]
    pattern = Pattern.from_keys(keys, shape)
    weight = torch.randn(len(keys), generator=generator)
    x, y = torch.randn(400, 700, generator=generator), torch.randn(500, 700, generator=generator)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(count)
        made = product(pattern, weight, x), product(pattern, weight, y, turned=True), sampled_product(pattern, x, y)
    finally:
        torch.set_num_threads(before)
    matrix = dense(pattern, weight)
    torch.testing.assert_close(made[0], matrix @ x, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(made[1], matrix.T @ y, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(made[2], (y @ x.T)[pattern.rows, pattern.column.long()], rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@given(cases())
def test_the_same_on_a_gpu(case):
    pattern, weight, x, y = case
    there = Pattern.from_keys(pattern.keys.cuda(), pattern.shape)
    weight_there, x_there, y_there = (one.cuda().requires_grad_() for one in (weight, x, y))
    weight, x, y = (one.requires_grad_() for one in (weight, x, y))
    for ours, theirs in (
        (product(there, weight_there, x_there), product(pattern, weight, x)),
        (product(there, weight_there, y_there, turned=True), product(pattern, weight, y, turned=True)),
        (sampled_product(there, x_there, y_there), sampled_product(pattern, x, y)),
    ):
        torch.testing.assert_close(ours.cpu(), theirs)
