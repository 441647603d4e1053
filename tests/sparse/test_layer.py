"""The sparse layer stands where a dense one stood, in everything that people do with layers."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from synaplex.errors import SpecificationError
from synaplex.sparse import SparseLinear
from synaplex.sparse.topologies import distinct
from tests.sparse.networks import small, train_step


def layer(seed: int = 0, count: int = 30, shape: tuple[int, int] = (9, 7), **options: object) -> SparseLinear:
    generator = torch.Generator().manual_seed(seed)
    keys = distinct(shape[0] * shape[1], count, generator)
    return SparseLinear(shape[1], shape[0], keys, generator=generator, **options)


@settings(max_examples=30)
@given(st.integers(0, 2**20), st.integers(0, 63), st.sampled_from([(), (1,), (3,), (20,), (2, 3), (0,)]), st.booleans())
def test_gradients_equal_those_of_the_masked_matrix(seed, count, lead, bias):
    sparse = layer(seed, count, bias=bias, dtype=torch.float64)
    x = torch.randn(*lead, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(seed), requires_grad=True)
    mask = torch.zeros(63).index_fill(0, sparse.pattern.keys, 1).reshape(9, 7)
    full = nn.Parameter(sparse.to_dense().detach())
    expected = nn.functional.linear(x, full * mask, None if sparse.bias is None else sparse.bias.detach())
    made = sparse(x)
    torch.testing.assert_close(made, expected)
    weighted = torch.randn_like(made.detach())
    wanted = torch.autograd.grad((expected * weighted).sum(), (x, full))
    got = torch.autograd.grad((made * weighted).sum(), (x, sparse.weight))
    torch.testing.assert_close(got[0], wanted[0])
    torch.testing.assert_close(got[1], wanted[1].reshape(-1)[sparse.pattern.keys])


@given(st.integers(0, 2**20), st.integers(0, 63))
def test_gradcheck(seed, count):
    sparse = layer(seed, count, dtype=torch.float64)
    sparse.bias.data.normal_(generator=torch.Generator().manual_seed(1))
    x = torch.randn(3, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(seed), requires_grad=True)

    def run(x, weight, bias):
        return torch.func.functional_call(sparse, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(run, (x, sparse.weight, sparse.bias), fast_mode=True)


def test_without_any_connection_the_bias_is_left():
    empty = SparseLinear(4, 3)
    empty.bias.data = torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(empty(torch.ones(2, 4)), torch.tensor([[1.0, 2.0, 3.0]] * 2))
    empty(torch.ones(2, 4)).sum().backward()
    assert empty.weight.grad.shape == (0,)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_low_precision_is_summed_in_single(dtype):
    sparse = layer(count=40).to(dtype)
    x = torch.randn(20, 7, generator=torch.Generator().manual_seed(0)).to(dtype)
    made = sparse(x)
    exact = nn.functional.linear(x.float(), sparse.to_dense().float()).to(dtype) + sparse.bias
    assert made.dtype == dtype
    torch.testing.assert_close(made, exact)
    made.sum().backward()
    assert sparse.weight.grad.dtype == dtype


def test_autocast_keeps_the_precision_of_the_weights():
    model = nn.Sequential(nn.Linear(5, 7), layer())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = model(torch.ones(3, 5))
    assert made.dtype == torch.float32
    made.sum().backward()
    assert model[0].weight.grad.dtype == torch.float32


def test_a_state_with_other_connections_loads(tmp_path):
    first, second = small(0), small(1)
    assert first[0].connections != second[0].connections
    save_file(first.state_dict(), tmp_path / "model.safetensors")
    second.load_state_dict(load_file(tmp_path / "model.safetensors"))
    x = torch.randn(4, 20, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(second(x), first(x))
    optimizer = torch.optim.SGD(second.parameters(), lr=0.1)
    train_step(second, optimizer, 0)
    assert second[0].weight.grad.shape == first[0].weight.shape


def test_a_state_loads_while_an_old_loss_is_alive():
    first, second = small(0), small(1)
    loss = second(torch.ones(2, 20)).sum()
    loss.backward()
    second.load_state_dict(first.state_dict())
    again = second(torch.ones(2, 20)).sum()
    again.backward()
    assert second[0].weight.grad.shape == first[0].weight.shape
    assert loss.requires_grad


def test_a_state_of_an_empty_layer_and_into_one():
    source, target = layer(count=20), SparseLinear(7, 9)
    target.load_state_dict(source.state_dict())
    torch.testing.assert_close(target.to_dense(), source.to_dense())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"column": torch.tensor([0, 9])}, "up to 9"),
        ({"column": torch.tensor([1, 0])}, "not in order"),
        ({"column": torch.tensor([1, 1])}, "twice"),
        ({"row_start": torch.tensor([0, 2, 1])}, "row_start"),
        ({"row_start": torch.tensor([0, 1, 1, 2])}, "layer of 3 neurons"),
    ],
)
def test_a_state_that_is_none_is_refused(changed, message):
    sparse = SparseLinear(3, 2, torch.tensor([0, 1]))
    state = {**sparse.state_dict(), "row_start": torch.tensor([0, 2, 2]), **changed}
    with pytest.raises(SpecificationError, match=message):
        sparse.load_state_dict(state)


def test_copies_are_their_own():
    sparse = layer()
    twin = copy.deepcopy(sparse)
    twin.weight.data += 1
    twin.set_connections(torch.tensor([0, 5]), torch.ones(2))
    assert sparse.connections == 30
    assert not torch.equal(sparse.to_dense(), twin.to_dense())
    torch.testing.assert_close(sparse(torch.ones(2, 7)), layer()(torch.ones(2, 7)))


def test_moved_and_converted():
    sparse = layer().to("cpu", torch.float64)
    assert sparse.weight.dtype == torch.float64
    assert sparse.column.dtype == torch.int32
    assert sparse(torch.ones(2, 7, dtype=torch.float64)).dtype == torch.float64


def test_compiled_the_same():
    sparse = layer(dtype=torch.float64)
    compiled = torch.compile(sparse, backend="aot_eager")
    x = torch.randn(4, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    wanted = torch.autograd.grad(sparse(x).square().sum(), (x, sparse.weight))
    made = torch.autograd.grad(compiled(x).square().sum(), (x, sparse.weight))
    torch.testing.assert_close(made, wanted)


def test_exported():
    model = nn.Sequential(layer(), nn.ReLU())
    program = torch.export.export(model, (torch.ones(4, 7),), strict=False)
    x = torch.randn(4, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(program.module()(x), model(x))


def test_functional_transforms():
    sparse = layer(dtype=torch.float64)
    x = torch.randn(4, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def loss(weight):
        return torch.func.functional_call(sparse, {"weight": weight}, (x,)).square().sum()

    wanted = torch.autograd.grad(loss(sparse.weight), sparse.weight)[0]
    torch.testing.assert_close(torch.func.grad(loss)(sparse.weight.detach()), wanted)


def test_wrong_inputs_are_named():
    with pytest.raises(SpecificationError, match="fed by 7 neurons, not by 6"):
        layer()(torch.ones(2, 6))
    with pytest.raises(SpecificationError, match="ascend"):
        SparseLinear(3, 3, torch.tensor([4, 2]))
    with pytest.raises(SpecificationError, match="0 to 8"):
        SparseLinear(3, 3, torch.tensor([4, 9]))
    with pytest.raises(SpecificationError, match="0 to 3"):
        SparseLinear(0, 3)


@pytest.mark.parametrize("weight", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_what_is_not_trained_stays_so_on_both_ways(weight, bias):
    dense = nn.Linear(5, 4)
    dense.weight.requires_grad_(weight)
    dense.bias.requires_grad_(bias)
    sparse = SparseLinear.from_dense(dense, torch.arange(6))
    assert (sparse.weight.requires_grad, sparse.bias.requires_grad) == (weight, bias)
    again = sparse.to_linear()
    assert (again.weight.requires_grad, again.bias.requires_grad) == (weight, bias)
