"""Small populations of modules that several tests read."""

import polars as pl
import pytest
import torch

from synaplex.networks import autoencoder, cnn, mlp, rnn
from synaplex.population import Adam
from synaplex.population.modules import train_modules

NETWORKS = {
    "dense": mlp(64, 9, 7, 10, bias=True),
    "cnn": cnn((1, 8, 8), 3, 4, dense=(6, 10), stride=(1, 2), bias=True),
    "rnn": rnn((1, 8, 8), 6, 10, activation="sigmoid", bias=True),
    "autoencoder": autoencoder(64, 9, activation="tanh", output_activation="sigmoid", bias=True),
}
RECIPE = {
    "network": NETWORKS["cnn"],
    "dataset": "digits",
    "steps": 12,
    "snapshots": (0, 1, 5, 12),
    "kept": (5, 12),
    "initializer": "glorot_normal",
    "biases": "weights",
    "optimizer": Adam(learning_rate=0.01),
    "batch_size": 25,
    "train_size": 120,
    "test_size": 40,
    "progress": False,
}
SEEDS = range(5)


def norms(snapshot):
    """A measuring function: the norm of each parameter of each network."""
    rows = [
        {"seed": seed, "parameter": name, "norm": float(parameter.detach().norm())}
        for seed, module in snapshot.modules()
        for name, parameter in module.named_parameters()
    ]
    return pl.DataFrame(rows)


@pytest.fixture(scope="session")
def population(tmp_path_factory):
    """Five networks in chunks of two; not to be changed."""
    folder = tmp_path_factory.mktemp("modules") / "store"
    return train_modules(**RECIPE, seeds=SEEDS, store=folder, chunk_size=2, measure=norms)


def accuracy(module, x, y):
    with torch.no_grad():
        return float((module(x).argmax(1) == y).double().mean())
