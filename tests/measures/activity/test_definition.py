"""Strengths and activations equal what the papers' equations say, computed one by one."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from synaplex.measures.activity import activity, neurons_activation, neurons_strength
from synaplex.networks import Normal, autoencoder, cnn, mlp, rnn


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def built(network):
    return network.build(1, Normal(std=0.6), biases="weights").double()


def dense_by_hand(module, x):
    """Eq. 5 and 6, neuron by neuron."""
    strengths, signal = {}, x.tolist()
    for name, layer in module.named_children():
        if isinstance(layer, nn.Linear):
            weight, bias = layer.weight.tolist(), layer.bias.tolist()
            signal = [
                [sum(z * w for z, w in zip(sample, row, strict=True)) + b for row, b in zip(weight, bias, strict=True)]
                for sample in signal
            ]
            strengths[name] = signal
        elif isinstance(layer, nn.ReLU):
            signal = [[max(0.0, z) for z in sample] for sample in signal]
        elif isinstance(layer, nn.Sigmoid):
            signal = [[1 / (1 + math.exp(-z)) for z in sample] for sample in signal]
    return strengths, signal


@pytest.mark.parametrize(
    "network",
    [
        mlp(5, 4, 3, bias=True),
        mlp(5, 4, 4, 3, activation="sigmoid", bias=True),
        autoencoder(5, 4, 2, activation="sigmoid", output_activation="sigmoid", bias=True),
    ],
    ids=str,
)
def test_dense_layers_and_autoencoders(network):
    module, x = built(network), random(7, 5)
    expected, last = dense_by_hand(module, x)
    for name, values in expected.items():
        torch.testing.assert_close(neurons_strength(module, x, name)[:, 0], torch.tensor(values, dtype=torch.float32))
    final = neurons_activation(module, x, name)[:, 0]
    torch.testing.assert_close(final, torch.tensor(last, dtype=torch.float32))


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_convolutions(stride, padding):
    network = cnn((2, 6, 5), 3, 2, dense=(4,), stride=stride, padding=padding, activation="sigmoid", bias=True)
    module, x = built(network), random(3, 2, 6, 5)
    signal = np.pad(x.numpy(), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    for name in ("0", "2"):
        layer = module.get_submodule(name)
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        rows, columns = ((size - 3) // stride + 1 for size in signal.shape[2:])
        strength = np.empty((3, len(weight), rows, columns))
        for sample, channel, i, j in np.ndindex(*strength.shape):
            patch = signal[sample, :, i * stride : i * stride + 3, j * stride : j * stride + 3]
            strength[sample, channel, i, j] = (patch * weight[channel]).sum() + bias[channel]
        measured = neurons_strength(module, x, name)[:, 0]
        np.testing.assert_allclose(measured.numpy(), strength.reshape(3, -1), rtol=1e-5, atol=1e-6)
        active = 1 / (1 + np.exp(-strength))
        np.testing.assert_allclose(neurons_activation(module, x, name)[:, 0], active.reshape(3, -1), rtol=1e-5)
        signal = np.pad(active, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def test_recurrent_layers_step_by_step():
    module, x = built(rnn((1, 4, 3), 5, 2, activation="sigmoid", bias=True)), random(6, 4, 3)
    cell, state = module.cell, torch.zeros(6, 5, dtype=torch.float64)
    strength = neurons_strength(module, x, "cell")
    active = neurons_activation(module, x, "cell")
    assert strength.shape == (6, 4, 5)
    for step in range(4):
        zeta = x[:, step] @ cell.weight_ih.T + state @ cell.weight_hh.T + cell.bias
        state = 1 / (1 + torch.exp(-zeta))
        torch.testing.assert_close(strength[:, step], zeta.detach().float())
        torch.testing.assert_close(active[:, step], state.detach().float())


@pytest.fixture
def seen_and_values():
    module, x = built(cnn((1, 6, 6), 3, dense=(5, 2), bias=True)), random(50, 1, 6, 6)
    return activity(module, x, keep_values=True, batch_size=16)


def test_moments_are_those_of_the_values(seen_and_values):
    table = seen_and_values.neurons()
    for name in seen_and_values.layer_names:
        rows = table.filter(table["layer_name"] == name)
        for quantity in ("strength", "activation"):
            values = seen_and_values.values(name, quantity)[:, 0].double().numpy()
            expected = {
                "mean": values.mean(0),
                "variance": values.var(0),
                "skewness": stats.skew(values, axis=0),
                "kurtosis": stats.kurtosis(values, axis=0, fisher=False),
                "min": values.min(0),
                "max": values.max(0),
            }
            changing = values.min(0) != values.max(0)
            for moment, numbers in expected.items():
                column = rows[f"{quantity}_{moment}"].to_numpy()
                kept = changing if moment in ("skewness", "kurtosis") else slice(None)
                np.testing.assert_allclose(column[kept], numbers[kept], rtol=2e-4, atol=1e-6)
            assert np.isnan(rows[f"{quantity}_kurtosis"].to_numpy()[~changing]).all()


def test_a_row_of_a_layer_is_of_all_its_values(seen_and_values):
    for row in seen_and_values.layers().iter_rows(named=True):
        for quantity in ("strength", "activation"):
            values = seen_and_values.values(row["layer_name"], quantity).double().numpy().ravel()
            assert row[f"{quantity}_mean"] == pytest.approx(values.mean(), rel=1e-5, abs=1e-7)
            assert row[f"{quantity}_variance"] == pytest.approx(values.var(), rel=1e-4)
            assert row[f"{quantity}_skewness"] == pytest.approx(stats.skew(values), rel=1e-3, abs=1e-5)
            assert row[f"{quantity}_kurtosis"] == pytest.approx(stats.kurtosis(values, fisher=False), rel=1e-3)
            assert row[f"{quantity}_q25"] == pytest.approx(np.quantile(values, 0.25), rel=0.05, abs=1e-3)
        zeros = (seen_and_values.values(row["layer_name"], "activation") == 0).double().mean()
        assert row["zeros"] == pytest.approx(float(zeros))


def test_layers_are_numbered_as_in_the_graph(seen_and_values):
    layers = seen_and_values.layers().select("layer", "layer_name", "kind", "shape", "neurons", "function").rows()
    assert layers == [
        (0, "input", "input", "1x6x6", 36, None),
        (1, "0", "Conv2d", "3x4x4", 48, "relu"),
        (2, "3", "Linear", "5", 5, "relu"),
        (3, "5", "Linear", "2", 2, None),
    ]


@pytest.mark.parametrize("sizes", [(1, 50), (7, 13), (50, 49)])
def test_the_batch_size_does_not_matter(sizes):
    module, x = built(rnn((1, 6, 6), 8, 3, activation="relu", bias=True)), random(50, 6, 6)
    one, other = (activity(module, x, batch_size=size) for size in sizes)
    floats = [name for name, dtype in one.neurons().schema.items() if dtype.is_float()]
    for a, b in ((one.neurons(), other.neurons()), (one.layers(), other.layers())):
        for name in a.columns:
            if name in floats or a[name].dtype.is_float():
                np.testing.assert_allclose(a[name].to_numpy(), b[name].to_numpy(), rtol=1e-7, atol=1e-9)
            else:
                assert a[name].equals(b[name])
    np.testing.assert_allclose(one.density("cell").to_numpy(), other.density("cell").to_numpy(), atol=1e-7)


def test_a_sample_is_drawn_from_its_seed():
    module, x = built(mlp(5, 4, 3)), random(200, 5)
    first, same, other = (activity(module, x, sample=20, seed=seed) for seed in (3, 3, 4))
    assert first.samples == 20
    assert first.neurons().equals(same.neurons())
    assert not first.neurons().equals(other.neurons())
    whole = activity(module, x, sample=200, seed=9).neurons()["strength_mean"].to_numpy()
    np.testing.assert_allclose(whole, activity(module, x).neurons()["strength_mean"].to_numpy(), atol=1e-12)
