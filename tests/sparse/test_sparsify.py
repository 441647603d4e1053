"""Models made sparse and dense again."""

import inspect

import pytest
import torch
from torch import nn

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.sparse import SET, DenseLayerWarning, SparseLinear, sparsify, to_dense
from tests.sparse.networks import small


def plain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 5))


def test_all_but_the_last_linear_layer():
    model = plain()
    assert sparsify(model, 4) is model
    assert [type(one).__name__ for one in model] == ["SparseLinear", "ReLU", "SparseLinear", "ReLU", "Linear"]
    assert all(isinstance(one, SparseLinear) for one in sparsify(plain(), 2, skip=[])[::2])
    chosen = sparsify(model := plain(), 4, skip=["0", model[4]])
    assert [type(one) for one in chosen[::2]] == [nn.Linear, SparseLinear, nn.Linear]


def test_the_same_seed_gives_the_same_network():
    first, second, other = small(0), small(0), small(1)
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first[0].to_dense(), other[0].to_dense())


def test_magnitude_keeps_the_largest_weights():
    model = plain()
    weight, bias = model[0].weight.detach().clone(), model[0].bias.detach().clone()
    sparsify(model, density=0.25, init="magnitude")
    kept = model[0].to_dense()
    assert model[0].connections == 80
    assert torch.equal(kept[kept != 0], weight[kept != 0])
    assert weight[kept == 0].abs().max() <= kept[kept != 0].abs().min()
    assert torch.equal(model[0].bias, bias)


def test_a_dense_start():
    model = plain()
    weight = model[0].weight.detach().clone()
    sparsify(model, density=1, init="magnitude")
    assert model[0].density == 1
    assert torch.equal(model[0].to_dense(), weight)


@pytest.mark.parametrize("topology", ["erk", "uniform"])
def test_densities(topology):
    model = sparsify(
        nn.Sequential(nn.Linear(200, 300), nn.Linear(300, 100), nn.Linear(100, 4)), topology=topology, density=0.1
    )
    connections = model[0].connections + model[1].connections
    assert connections == pytest.approx(0.1 * 90_000, rel=0.05)


def test_dense_again():
    model = small().eval()
    dense = to_dense(model)
    x = torch.randn(6, 20, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(dense(x), model(x))
    assert not any(isinstance(one, SparseLinear) for one in dense.modules())
    assert isinstance(model[0], SparseLinear)
    assert not dense.training
    assert dense[0].weight.count_nonzero() == model[0].weight.count_nonzero()


def test_a_layer_used_twice_stays_one():
    shared = nn.Linear(8, 8)
    model = sparsify(nn.Sequential(shared, nn.ReLU(), shared, nn.Linear(8, 2)), 1)
    assert model[0] is model[2]
    dense = to_dense(model)
    assert dense[0] is dense[2]


def test_layers_inside_transformers():
    model = nn.Sequential(nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True), nn.Linear(16, 2))
    sparsify(model, 2)
    assert isinstance(model[0].linear1, SparseLinear)
    assert isinstance(model[0].self_attn.out_proj, nn.Linear)
    x = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0))
    trained = model(x)
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(x), trained)


def test_more_connections_than_a_full_matrix():
    with pytest.warns(DenseLayerWarning, match=r"'2' \(16 to 3\).*left dense: epsilon below 2\.526"):
        model = sparsify(nn.Sequential(nn.Linear(40, 16), nn.ReLU(), nn.Linear(16, 3), nn.Linear(3, 2)), 4)
    assert [type(one) for one in (model[0], model[2])] == [SparseLinear, nn.Linear]


def test_more_connections_than_all_full_matrices():
    """Said in one warning, and the model stays dense; what evolves connections then says what it needs."""
    model = nn.Sequential(nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 2))
    with pytest.warns(DenseLayerWarning, match=r"epsilon=20 .*'0' \(20 to 10\).*below 6\.667$"):
        sparsify(model)
    assert type(model[0]) is nn.Linear
    with pytest.raises(SpecificationError, match="epsilon or density that leaves layers sparse"):
        SET(model, torch.optim.SGD(model.parameters(), 0.1))
    assert isinstance(sparsify(model, 6.6)[0], SparseLinear)
    with pytest.warns(DenseLayerWarning, match=r"below 6\.857 \(below 8\.889 for one of them\)"):
        sparsify(plain(), 9)
    with pytest.warns(DenseLayerWarning):
        assert isinstance(sparsify(plain(), 8)[0], SparseLinear)


def test_an_epsilon_beside_a_density_is_refused():
    with pytest.raises(SpecificationError, match=r"epsilon=5 and density=0\.1 both"):
        sparsify(plain(), epsilon=5, density=0.1)


def test_too_high_a_density_of_one_layer_is_told():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 100), nn.Linear(100, 100), nn.Linear(100, 2))
    with pytest.warns(DenseLayerWarning, match=r"'0' .*a lower density makes it sparse"):
        sparsify(model, topology="erk", density=0.1)


def test_wrong_types_are_named():
    with pytest.raises(SpecificationError, match=r"list cannot be made sparse.*torch\.nn\.Module"):
        inspect.unwrap(sparsify)([1.0, 2.0])


def test_no_linear_layer():
    with pytest.raises(SpecificationError, match="ReLU has no linear layer"):
        sparsify(nn.ReLU())
    with pytest.raises(SpecificationError, match=r"Sequential.*\(0\) are skipped.*pass skip=\[\]"):
        sparsify(nn.Sequential(nn.Linear(3, 3)))
    with pytest.raises(SpecificationError, match="Sequential"):
        sparsify(nn.Linear(3, 3))


def test_tied_weights():
    model = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 7, bias=False), nn.Linear(7, 2))
    model[1].weight = model[0].weight
    with pytest.raises(SpecificationError, match="'1' shares its weights with '0'"):
        sparsify(model, 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epsilon": 0}, SpecificationError, "epsilon"),
        ({"density": 2}, SpecificationError, "density"),
        ({"topology": "erk"}, SpecificationError, "takes density="),
        ({"topology": "erdos-renyi", "density": 0.1}, SpecificationError, "takes epsilon"),
        ({"topology": "erdos"}, UnknownNameError, "erdos-renyi"),
        ({"skip": ["9"]}, UnknownNameError, "linear layer '9'"),
        ({"init": "zero"}, UnknownNameError, "fresh"),
    ],
)
def test_settings_out_of_range(options, error, message):
    with pytest.raises(error, match=message):
        sparsify(plain(), **options)
