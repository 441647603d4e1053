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
from synaplex.population.trainer import batch_order

REPEATS = 5


def run() -> list[dict[str, str | float]]:
    """A row a comparison: ``name``, seconds a network and epoch of ``ours`` and the ``peer``, ``ratio``.

    The peer only trains. Ours also scores every training batch and, after each epoch, the test set.
    """
    digits = load("digits")
    return [
        _compare("digits 64-32-16-10", digits, (64, 32, 16, 10), networks=64, single=4),
        _compare("images 784-200-100-10", _images(), (784, 200, 100, 10), networks=16, single=2),
    ]


def products() -> list[dict[str, str | float]]:
    """As `run`, but the peer is nothing else than the matrix products that one training epoch needs."""
    data, widths, networks = _images(), (784, 200, 100, 10), 16
    ours = _population(data, widths, networks)
    peer = _bare_products(data, widths, networks)
    return [_row("images 784-200-100-10, beside bare products", *_best(ours, peer))]


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


def _bare_products(data: Dataset, widths: Sequence[int], networks: int) -> Callable[[], float]:
    """Forward, backward and update products of each batch, as a training step needs them."""
    weights = [torch.rand(networks, after, before) for before, after in pairwise(widths)]
    values = [torch.rand(networks, width, 100) for width in widths[1:]]
    inputs = data.x_train[:100]
    stacked = weights[0].flatten(0, 1)

    def epoch() -> None:
        for _ in range(len(data.x_train) // 100):
            torch.mm(stacked, inputs.T)
            for weight, value in zip(weights[1:], values, strict=False):
                torch.bmm(weight, value)
            for weight, value, below in zip(weights[:0:-1], values[::-1], values[-2::-1], strict=False):
                torch.bmm(weight.mT, value)
                weight.baddbmm_(value, below.mT, alpha=-1e-9)
            stacked.addmm_(values[0].flatten(0, 1), inputs, alpha=-1e-9)

    return _timed(epoch, networks)


def _timed(epoch: Callable[[], object], networks: int) -> Callable[[], float]:
    def seconds() -> float:
        start = time.perf_counter()
        epoch()
        return (time.perf_counter() - start) / networks

    return seconds


def _images() -> Dataset:
    """Random images of the size of MNIST; what they show does not change how long training takes."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2200, 784, generator=generator)
    y = torch.randint(0, 10, (2200,), generator=generator)
    return Dataset("random images", x[:2000], y[:2000], x[2000:], y[2000:], classes=tuple("0123456789"))


def main() -> None:
    for row in run() + products():
        print(f"{row['name']:<45} ours {row['ours']:.2e} s  peer {row['peer']:.2e} s  {row['ratio']:.1f} x")


if __name__ == "__main__":
    main()
