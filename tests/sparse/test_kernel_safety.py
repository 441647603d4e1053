"""The kernels trust addresses: nothing reaches them that would make them read or write beyond an array."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from synaplex.errors import SpecificationError
from synaplex.sparse import SparseLinear, kernels, products, threads
from synaplex.sparse.products import compute_product, compute_sampled
from synaplex.sparse.topologies import distinct
from synaplex.studies.heath.layers import rectified

SHAPE, COUNT, SAMPLES = (9, 7), 30, 40


def layer(**options: object) -> SparseLinear:
    generator = torch.Generator().manual_seed(0)
    made = SparseLinear(SHAPE[1], SHAPE[0], distinct(63, COUNT, generator), generator=generator, **options)
    if made.bias is not None and made.bias.device.type == "cpu":
        made.bias.data.normal_(generator=generator)
    return made


def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


def framed(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same numbers in the midst of a buffer that holds NaN elsewhere, and that buffer."""
    edge = 100
    buffer = torch.full((x.numel() + 2 * edge,), float("nan"), dtype=x.dtype)
    inner = buffer[edge:-edge].view(x.shape)
    inner.copy_(x)
    return inner, buffer


@pytest.mark.parametrize("most", [2, 14])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("samples", [16, 17, 31, 33, 71, 225])
def test_nothing_beyond_an_array_is_read_or_written(monkeypatch, samples, dtype, most):
    monkeypatch.setattr(kernels, "most", lambda: most)
    pattern, matrix = layer().pattern, layer().to_dense().detach().to(dtype)
    weight = matrix.flatten()[pattern.keys]
    x, y = numbers(SHAPE[1], samples, dtype=dtype), numbers(SHAPE[0], samples, dtype=dtype)
    (x_in, _), (y_in, _), (weight_in, _) = map(framed, (x, y, weight))
    for kernel, values, wanted in (
        (kernels.along_rows, weight_in, matrix @ x),
        (kernels.at_connections, y_in, (y @ x.T).flatten()[pattern.keys]),
    ):
        out, buffer = framed(torch.full_like(wanted, float("nan")))
        products._in_pieces(kernel, pattern.row_start, pattern.column, values, x_in, out)
        torch.testing.assert_close(out, wanted, rtol=1e-4, atol=1e-4)
        assert int(buffer.isnan().sum()) == 200


@pytest.mark.parametrize("samples", [33, 71])
def test_infinities_stay_where_they_are(samples):
    """The last register overlaps the one before: what is infinite there must not spread, nor vanish."""
    made = layer(dtype=torch.float64)
    x, y = numbers(SHAPE[1], samples, dtype=torch.float64), numbers(SHAPE[0], samples, dtype=torch.float64)
    for at in range(0, samples, 7):
        extreme = x.clone()
        extreme[at % SHAPE[1], at] = float("inf")
        pattern, matrix = made.pattern, made.to_dense().detach()
        out = compute_product(pattern, made.weight.detach(), extreme, False)
        # A missing connection carries nothing, where the product with a zero would be no number.
        reached = matrix[:, at % SHAPE[1]] != 0
        assert torch.equal(out[:, at].isinf(), reached)
        assert int(out.isfinite().logical_not().sum()) == int(reached.sum())
        sampled = compute_sampled(pattern, extreme, y)
        assert torch.equal(sampled.isfinite(), pattern.column != at % SHAPE[1])


@pytest.mark.parametrize("samples", [2, SAMPLES])
def test_what_does_not_fit_is_refused(samples):
    made, x, y = layer(), numbers(7, samples), numbers(9, samples)
    pattern, weight = made.pattern, made.weight.detach()
    for call, message in (
        (lambda: made.to("meta")(x.T), "lines of x lie on cpu, the connections on meta"),
        (lambda: compute_product(pattern, weight.to("meta"), x, False), "weights lie on meta"),
        (lambda: compute_product(pattern, weight[:-1], x, False), "29 weights do not fit"),
        (lambda: compute_product(pattern, weight, y, False), "9 lines of x do not fit these connections, which need 7"),
        (lambda: compute_product(pattern, weight, x, True), "7 lines of x"),
        (lambda: compute_sampled(pattern, x, x), "7 lines of y"),
        (lambda: compute_sampled(pattern, x, y[:, 1:]), f"{samples} samples and y {samples - 1}"),
        (lambda: compute_product(pattern, weight.cfloat(), x, False), "not torch.complex64 weights"),
        (lambda: compute_product(replace(pattern, row=pattern.row.long()), weight, x, False), "not torch.int64"),
    ):
        with pytest.raises(SpecificationError, match=message):
            call()


def test_a_state_without_all_lists_leaves_the_layer_alone():
    for wrong in (
        {"column": torch.full((COUNT,), 1_000_000, dtype=torch.int32)},
        {"row_start": torch.zeros(10, dtype=torch.int32), "weight": torch.ones(COUNT)},
        {**layer().state_dict(), "weight": torch.ones(COUNT - 1)},
    ):
        made = layer()
        with pytest.raises(SpecificationError, match=r"together, or none|one for each of 30 connections"):
            made.load_state_dict(wrong, strict=False)
        assert torch.equal(made.to_dense(), layer().to_dense())


@pytest.mark.parametrize("lead", [(), (1,), (3,), (SAMPLES,)])
def test_on_a_device_without_kernels(lead):
    """A layer adds its bias in place there as well."""
    assert layer().to("meta")(torch.ones(*lead, 7, device="meta")).shape == (*lead, 9)


def test_gradients_of_long_lines_and_their_gradients():
    made, x = layer(dtype=torch.float64), numbers(SAMPLES, 7, dtype=torch.float64).requires_grad_()

    def run(x, weight, bias):
        return torch.func.functional_call(made, {"weight": weight, "bias": bias}, (x,))

    inputs = x, made.weight, made.bias
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(run, inputs, fast_mode=True)
    # A gradient that is one number, repeated without memory; then an input that is.
    by_x, by_weight = torch.autograd.grad(made(x).sum(), (x, made.weight))
    torch.testing.assert_close(by_x, made.to_dense().detach().sum(0).expand(SAMPLES, 7))
    torch.testing.assert_close(by_weight, x.detach().sum(0)[made.column])
    repeated = x.detach()[:1].expand(SAMPLES, 7)
    torch.testing.assert_close(made(repeated), made(repeated.contiguous()))


def test_gradients_of_the_bias_alone():
    made, x = layer(dtype=torch.float64), numbers(SAMPLES, 7, dtype=torch.float64)
    made.weight.requires_grad_(False)
    (wanted,) = torch.autograd.grad(made(x).square().sum(), made.bias)

    def loss(bias):
        return torch.func.functional_call(made, {"bias": bias}, (x,)).square().sum()

    torch.testing.assert_close(torch.func.grad(loss)(made.bias.detach()), wanted)
    with torch.inference_mode():
        assert torch.equal(made(x), made(x.clone()))


def test_a_hidden_layer_in_one_step_has_the_gradients_of_its_steps():
    made, x, mask = (
        layer(dtype=torch.float64),
        numbers(7, SAMPLES, dtype=torch.float64),
        torch.ones(3, SAMPLES).double(),
    )
    mask[:, ::3], mask[:, 1::3] = 0, 2
    x.requires_grad_()
    inputs = made.weight, made.bias, x
    one = rectified(made.pattern, made.weight, made.bias, x, mask)
    steps = made(x.T).T.relu() * mask.repeat(3, 1)
    torch.testing.assert_close(one, steps)
    factors = numbers(SAMPLES, 9, dtype=torch.float64).T
    got, wanted = (torch.autograd.grad((made * factors).sum(), inputs) for made in (one, steps))
    torch.testing.assert_close(got, wanted)
    (again,) = torch.autograd.grad(rectified(made.pattern, *inputs).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        again.sum().backward()


@pytest.mark.parametrize("own", [False, True], ids=["as PyTorch has them", "of our own"])
def test_callers_at_once(monkeypatch, own):
    """From several Python threads, each call on several threads itself."""
    monkeypatch.setattr(threads, "_WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "_WORTH_WAKING", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    if own:
        monkeypatch.setattr(threads, "_openmp", lambda: None)
    made = layer(dtype=torch.float64)
    inputs = [torch.full((SAMPLES, 7), float(k), dtype=torch.float64) for k in range(20)]

    def gradient(x):
        return torch.autograd.grad(made(x).square().sum(), made.weight)[0]

    with ThreadPoolExecutor(3) as pool:
        at_once = list(pool.map(gradient, inputs))
    assert all(torch.equal(one, gradient(x)) for one, x in zip(at_once, inputs, strict=True))


def test_kernels_are_cached_apart(monkeypatch):
    """By name: a process that finds a cached kernel must not take another variant's, nor one of other registers."""
    monkeypatch.setattr(kernels, "cfunc", lambda *_, **__: lambda function: function)
    compilers = [kernels.along_rows.__wrapped__, kernels.at_connections.__wrapped__]
    variants = [(compiler, size, count) for compiler in compilers for size in (4, 8) for count in (1, 11)]
    names = [compiler(size, count).__qualname__ for compiler, size, count in variants]
    monkeypatch.setattr(kernels, "_sources", lambda: "other")
    names += [compiler(size, count).__qualname__ for compiler, size, count in variants]
    assert len(set(names)) == 16


def test_without_a_cache_kernels_are_compiled(monkeypatch):
    def refuse():
        raise OSError("No space left on device")

    monkeypatch.setattr(kernels, "_sources", refuse)
    assert kernels.along_rows.__wrapped__(4, 1).address
