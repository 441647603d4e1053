"""What every architecture keeps: modules of the described shapes, made from a seed alone."""

import pytest
import torch
from torch import nn

from synaplex.errors import SpecificationError
from synaplex.networks import (
    CNN,
    MLP,
    RNN,
    Autoencoder,
    GlorotUniform,
    Kaiming,
    Network,
    Normal,
    Specification,
    Uniform,
    autoencoder,
    cnn,
    initial_weights,
    mlp,
    rnn,
)

NETWORKS = [
    mlp(12, 5, 3, bias=True),
    cnn((3, 8, 8), 4, 6, dense=(7, 5), stride=(1, 2), bias=True),
    cnn((1, 6, 5), 2, dense=(3,), kernel=4, padding=1),
    rnn((3, 4, 5), 6, 2, activation="sigmoid", bias=True),
    autoencoder(10, 6, 3, activation="tanh", output_activation="sigmoid", bias=True),
]


@pytest.fixture(params=NETWORKS, ids=str)
def network(request):
    return request.param


class Holder(Specification):
    network: Network


def test_the_module_takes_samples_of_a_dataset(network):
    x = torch.rand(3, network.inputs, generator=torch.Generator().manual_seed(0))
    arranged = network.arrange(x)
    assert tuple(arranged.shape) == (3, *network.input_shape)
    assert torch.equal(arranged.flatten().sort().values, x.flatten().sort().values)
    assert tuple(network.build(seed=1)(arranged).shape) == (3, network.outputs)


def test_a_network_is_a_function_of_its_seed_alone(network):
    before = torch.random.get_rng_state()
    first, same, other = (network.build(seed, Normal(), biases="weights") for seed in (5, 5, 6))
    assert torch.equal(torch.random.get_rng_state(), before)
    for one, two, three in zip(first.parameters(), same.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
        assert not torch.equal(one, three)
        assert one.is_leaf
        assert one.requires_grad


def test_biases_start_at_zero_or_like_weights(network):
    zero = network.build(3, Uniform(low=-2, high=-1))
    drawn = network.build(3, Uniform(low=-2, high=-1), biases="weights")
    for parameter in zero.parameters():
        values = parameter.detach()
        assert bool((values < -1).all() if values.ndim > 1 else (values == 0).all())
    assert all(bool((p.detach() <= -1).all()) for p in drawn.parameters())


def test_parameters_are_counted_as_torch_counts_them(network):
    assert network.parameters == sum(p.numel() for p in network.build().parameters())


def test_specifications_come_back_from_json(network):
    holder = Holder(network=network)
    assert Holder.from_json(holder.model_dump_json()) == holder
    assert type(Holder.from_json(holder.model_dump_json()).network) is type(network)


def test_a_chain_built_by_its_skeleton_is_the_one_of_the_population_trainer():
    network = mlp(9, 7, 4, bias=True)
    for initializer in (Uniform(), GlorotUniform(), Kaiming()):
        expected = initial_weights(network.widths, [8], initializer)
        linears = [layer for layer in network.build(8, initializer) if isinstance(layer, nn.Linear)]
        for linear, weight in zip(linears, expected, strict=True):
            assert torch.equal(linear.weight, weight[0])


def test_fans_of_a_convolution_count_its_kernel():
    network = cnn((5, 9, 9), 40, dense=(10,))
    weight = network.build(0, Kaiming(distribution="uniform"))[0].weight.detach()
    bound = (3 * 2 / (5 * 9)) ** 0.5
    assert 0.99 * bound < float(weight.abs().max()) <= bound
    weight = network.build(0, GlorotUniform())[0].weight.detach()
    bound = (6 / (5 * 9 + 40 * 9)) ** 0.5
    assert 0.99 * bound < float(weight.abs().max()) <= bound


def test_images_of_a_cnn_are_those_torch_makes():
    network = cnn((3, 17, 12), 4, 5, 6, dense=(2,), kernel=4, stride=(1, 3, 2), padding=1)
    x = torch.zeros(1, *network.image)
    for module in network.build():
        x = module(x)
        if isinstance(module, nn.Conv2d):
            assert tuple(x.shape[1:]) in network.images


def test_a_recurrent_network_computes_its_recurrence():
    network = rnn((2, 3, 4), 5, 2, activation="sigmoid", bias=True)
    module = network.build(1, Normal(std=0.5), biases="weights")
    x = torch.rand(4, 24, generator=torch.Generator().manual_seed(1))
    state = torch.zeros(4, 5)
    for row in range(3):
        pixels = torch.cat([x.view(4, 2, 3, 4)[:, channel, row] for channel in range(2)], 1)
        state = torch.sigmoid(pixels @ module.cell.weight_ih.T + state @ module.cell.weight_hh.T + module.cell.bias)
    torch.testing.assert_close(module(network.arrange(x)), module.output(state))


def test_a_recurrent_network_with_tanh_is_that_of_torch():
    network = rnn((1, 6, 4), 5, 3, bias=True)
    module = network.build(2, Normal(std=0.5), biases="weights")
    peer = nn.RNN(4, 5, batch_first=True)
    with torch.no_grad():
        peer.weight_ih_l0.copy_(module.cell.weight_ih)
        peer.weight_hh_l0.copy_(module.cell.weight_hh)
        peer.bias_ih_l0.copy_(module.cell.bias)
        peer.bias_hh_l0.zero_()
    x = torch.rand(7, 6, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(module(x), module.output(peer(x)[0][:, -1]))


def test_an_autoencoder_mirrors_its_encoder():
    network = autoencoder(10, 6, 3, output_activation="sigmoid")
    kinds = [type(module) for module in network.build()]
    assert network.widths == (10, 6, 3, 6, 10)
    assert kinds == [nn.Linear, nn.ReLU] * 3 + [nn.Linear, nn.Sigmoid]
    assert [type(module) for module in autoencoder(4, 2, activation="tanh").build()] == [nn.Linear, nn.Tanh, nn.Linear]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cnn((1, 6, 6), 2, 2, 2, dense=(3,)), "a kernel of 3 x 3 does not fit .* convolution 3 reads"),
        (lambda: cnn((1, 2, 9), 2, dense=(3,)), "a kernel of 3 x 3 does not fit the images of 2 x 9"),
        (lambda: cnn((1, 9, 9), 2, dense=()), "dense"),
        (lambda: cnn((1, 9, 9), dense=(3,)), "channels"),
        (lambda: cnn((1, 9, 9), 2, 3, dense=(3,), stride=(1,)), "2 convolutions need as many strides"),
        (lambda: CNN(image=(1, 9, 9), channels=(2,), dense=(3,), stride=2), "did you mean 'strides'"),
        (lambda: autoencoder(4), "encoder"),
        (lambda: Autoencoder(encoder=(4, 0)), "encoder"),
        (lambda: rnn((1, 0, 3), 4, 2), "image"),
        (lambda: RNN(image=(1, 2, 3), hidden=4, classes=2, activation="step"), "activation"),
        (lambda: MLP(widths=(3,)), "widths"),
        (lambda: mlp(3, 2).build(shared_stream=True, biases="weights"), "biases start at zero"),
        (lambda: mlp(3, 2).build(seed=-1), "a seed is an integer"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(SpecificationError, match=message):
        make()


def test_orthogonal_recurrence_keeps_lengths_and_is_the_factor_of_what_is_drawn():
    drawn = rnn((1, 4, 5), 12, 3, bias=True).build(seed=4, initializer=Normal(std=0.7))
    turned = rnn((1, 4, 5), 12, 3, bias=True, recurrence="orthogonal").build(seed=4, initializer=Normal(std=0.7))
    q, w = turned.cell.weight_hh.detach().double(), drawn.cell.weight_hh.detach().double()
    torch.testing.assert_close(q.T @ q, torch.eye(12, dtype=torch.float64), atol=1e-6, rtol=0)
    r = q.T @ w
    torch.testing.assert_close(r.tril(-1), torch.zeros_like(r), atol=1e-5, rtol=0)
    assert bool((r.diagonal() > 0).all())
    assert torch.equal(turned.cell.weight_ih, drawn.cell.weight_ih)
    assert torch.equal(turned.output.weight, drawn.output.weight)
