"""What the population trainer is compared with: single PyTorch networks, autograd, torch.optim."""

from itertools import pairwise

import torch
from torch import nn

from synaplex.datasets import Dataset
from synaplex.networks import initial_weights
from synaplex.population.trainer import batch_order

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}


def train_single(spec, data, seed, make_optimizer):
    """Train one network; returns it with the loss and accuracy of each epoch, on batches and the test set."""
    dtype = torch.float64 if spec.dtype == "float64" else torch.float32
    modules = []
    drawn = initial_weights(spec.network.widths, [seed], spec.initializer, shared_stream=spec.shared_stream)
    for (before, after), weight in zip(pairwise(spec.network.widths), drawn, strict=True):
        linear = nn.Linear(before, after, bias=spec.network.bias, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(weight[0])
            if spec.network.bias:
                linear.bias.zero_()
        modules += [linear, ACTIVATIONS[spec.network.activation]()]
    network = nn.Sequential(*modules[:-1])
    optimizer = make_optimizer(network.parameters())
    objective = nn.CrossEntropyLoss() if data.classes else nn.MSELoss()
    x, y = data.x_train.to(dtype), data.y_train
    x_test, y_test = data.x_test.to(dtype), data.y_test
    if not data.classes:
        y, y_test = y.to(dtype), y_test.to(dtype)
    history = []
    for epoch in range(1, spec.epochs + 1):
        loss_sum = hits = 0.0
        for batch in torch.split(torch.as_tensor(batch_order(len(x), spec.data_seed, epoch)), spec.batch_size):
            optimizer.zero_grad()
            outputs = network(x[batch])
            loss = objective(outputs, y[batch])
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(batch)
            hits += (outputs.argmax(1) == y[batch]).sum().item() if data.classes else 0
        with torch.no_grad():
            outputs = network(x_test)
            test_hits = (outputs.argmax(1) == y_test).sum().item() if data.classes else 0
            history.append(
                (loss_sum / len(x), hits / len(x), objective(outputs, y_test).item(), test_hits / len(x_test))
            )
    return network, torch.tensor(history, dtype=torch.float64)


def regression(samples=70, features=6, targets=2):
    """Random inputs and targets."""
    generator = torch.Generator().manual_seed(4)
    x = torch.rand(samples, features, generator=generator)
    y = torch.rand(samples, targets, generator=generator)
    return Dataset("random", x[10:], y[10:], x[:10], y[:10])
