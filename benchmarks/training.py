"""Training a population as one batch, beside a loop over single PyTorch networks with autograd."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import nn

from synaplex.datasets import Dataset, load
from synaplex.networks import mlp
from synaplex.population import PopulationSpec, Trainer
from synaplex.population.snapshots import take_snapshot
from synaplex.population.trainer import batch_order

REPEATS = 5


PAPER = (784, 200, 100, 10)
"""The network of Scabini & Bruno (2021)."""

CHUNKS = (10, 20, 40)
"""Networks trained at a time."""

MNIST = 60_000
"""Training samples; the images here have as many test samples for each of them, a sixth."""


def run() -> list[dict[str, str | float]]:
    """A row a comparison: ``name``, seconds a network and epoch of ``ours`` and the ``peer``, ``ratio`` = peer / ours.

    Loops over single networks only train. Ours also scores every training batch and, after each epoch, the test set.
    """
    digits = load("digits")
    return [
        _compare("digits 64-32-16-10 / PyTorch one by one", digits, (64, 32, 16, 10), networks=64, single=4),
        _compare("images 784-200-100-10 / PyTorch one by one", _images(), PAPER, networks=16, single=2),
        *products(),
        snapshots(),
    ]


def products() -> list[dict[str, str | float]]:
    """As `run`, but the peer is nothing else than the matrix products of the same shapes.

    For each size of a chunk, once with the products of the training steps alone, once with those that score the test
    set, as ours does; and last the hours that 1,000 networks would take for 30 epochs of MNIST at these rates.
    """
    data = _images()
    rows = []
    result = []
    for networks in CHUNKS:
        steps, scores = _bare_products(data, PAPER, networks)
        ours, training, scoring = _best(_population(data, PAPER, networks), steps, scores)
        rows.append((networks, ours, training + scoring))
        result.append(_row(f"chunks of {networks} / bare products of the training steps", ours, training))
        result.append(_row(f"chunks of {networks} / bare products, scoring included", ours, training + scoring))
    networks, ours, peer = min(rows, key=lambda row: row[1])
    hours = 1000 * 30 * MNIST / len(data.x_train) / 3600
    name = f"hours for 1,000 networks x 30 epochs on MNIST, chunks of {networks}"
    return [*result, _row(name, hours * ours, hours * peer)]


def snapshots(networks: int = 10) -> dict[str, str | float]:
    """Seconds a network for 31 snapshots of all eight measures (``ours``), and for 30 epochs of MNIST (``peer``).

    The ratio is how many times longer training takes.
    """
    data = _images()
    spec = PopulationSpec(dataset=data.name, network=mlp(*PAPER), measures="scabini")
    trainer = Trainer(spec, data, range(networks))
    finite = torch.ones(networks, dtype=torch.bool)
    measure = _timed(lambda: take_snapshot(trainer.weights, [], finite, 1, spec.measures), networks)
    train, once = _best(_timed(lambda: trainer.epoch(), networks), measure)
    return _row("31 snapshots / 30 epochs", 31 * once, 30 * train * MNIST / len(data.x_train))


def _compare(name: str, data: Dataset, widths: Sequence[int], networks: int, single: int) -> dict[str, str | float]:
    return _row(name, *_best(_population(data, widths, networks), _loop(data, widths, single)))


def _row(name: str, ours: float, peer: float) -> dict[str, str | float]:
    return {"name": name, "ours": ours, "peer": peer, "ratio": peer / ours}


def _best(*contenders: Callable[[], float]) -> list[float]:
    """The least time of each, taken in turns after one call to warm up."""
    times = [[contender() for contender in contenders] for _ in range(REPEATS + 1)]
    return [min(column) for column in zip(*times[1:], strict=True)]


def _population(data: Dataset, widths: Sequence[int], networks: int) -> Callable[[], float]:
    trainer = Trainer(PopulationSpec(dataset=data.name, network=mlp(*widths)), data, range(networks))
    return _timed(lambda: trainer.epoch(), networks)


def _loop(data: Dataset, widths: Sequence[int], networks: int) -> Callable[[], float]:
    modules = [mlp(*widths).build(seed) for seed in range(networks)]
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.01) for module in modules]
    loss = nn.CrossEntropyLoss()
    order = torch.as_tensor(batch_order(len(data.x_train), 0, 1))

    def epoch() -> None:
        for module, optimizer in zip(modules, optimizers, strict=True):
            for batch in torch.split(order, 100):
                optimizer.zero_grad()
                loss(module(data.x_train[batch]), data.y_train[batch]).backward()
                optimizer.step()

    return _timed(epoch, networks)


def _bare_products(data: Dataset, widths: Sequence[int], networks: int) -> tuple[Callable[[], float], ...]:
    """Forward, backward and update products of each batch, as a training step needs them; forward ones of all tests."""
    weights = [torch.rand(networks, after, before) for before, after in pairwise(widths)]
    values = [torch.rand(networks, width, 100) for width in widths[1:]]
    inputs = data.x_train[:100]
    stacked = weights[0].flatten(0, 1)

    def forward() -> None:
        torch.mm(stacked, inputs.T)
        for weight, value in zip(weights[1:], values, strict=False):
            torch.bmm(weight, value)

    def steps() -> None:
        for _ in range(len(data.x_train) // 100):
            forward()
            for weight, value, below in zip(weights[:0:-1], values[::-1], values[-2::-1], strict=False):
                torch.bmm(weight.mT, value)
                weight.baddbmm_(value, below.mT, alpha=-1e-9)
            stacked.addmm_(values[0].flatten(0, 1), inputs, alpha=-1e-9)

    def scores() -> None:
        for _ in range(len(data.x_test) // 100):
            forward()

    return _timed(steps, networks), _timed(scores, networks)


def _timed(epoch: Callable[[], object], networks: int) -> Callable[[], float]:
    def seconds() -> float:
        start = time.perf_counter()
        epoch()
        return (time.perf_counter() - start) / networks

    return seconds


def _images() -> Dataset:
    """Random images in the proportions of MNIST; what they show does not change how long training takes."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3500, 784, generator=generator)
    y = torch.randint(0, 10, (3500,), generator=generator)
    return Dataset("random images", x[:3000], y[:3000], x[3000:], y[3000:], classes=tuple("0123456789"))


def main() -> None:
    for row in run():
        print(f"{row['name']:<70} ours {row['ours']:.2e} s  peer {row['peer']:.2e} s  {row['ratio']:.3f} x")


if __name__ == "__main__":
    main()
