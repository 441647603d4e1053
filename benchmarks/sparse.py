"""Truly sparse training beside masked dense matrices, and beside SciPy with a gradient computed in Python."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import seconds
from synaplex import measure
from synaplex.sparse import SET, SparseLinear
from synaplex.sparse.pattern import Pattern
from synaplex.sparse.products import compute_product, compute_sampled
from synaplex.sparse.topologies import erdos_renyi, random_keys, uniform

WIDTHS = (3072, 4000, 1000, 4000)
CLASSES, BATCH, EPSILON, STEPS_PER_EPOCH = 10, 100, 20.0, 500
LARGE = (300_000, 400_000, 300_000)
LARGE_CONNECTIONS, LARGE_BATCH = 20_000_000, 16
DENSITIES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)

Step = Callable[[], object]


def run() -> Iterator[dict[str, str | float]]:
    """A row a comparison: ``name``, ``ours`` and the ``peer`` in the unit that the name gives, and ``ratio``."""
    masked = _best(_masked_step())
    sparse_network = _sparse(erdos_renyi(_shapes(), EPSILON))
    ours = _best(_step(sparse_network))
    yield _row("CIFAR-10 network, ms a step; peer: masked dense PyTorch", 1e3 * ours, 1e3 * masked)
    scipy_step = _scipy_step(sparse_network)
    yield _row("the same; peer: SciPy CSR, gradient in Python", 1e3 * ours, 1e3 * seconds(scipy_step, repeats=1)[0])
    yield _row("the same, MB above the baseline; peer: masked dense", _memory("sparse"), _memory("masked"))
    yield from _evolution(ours)
    yield from kernels()
    for density in DENSITIES:
        one = _best(_step(_sparse(uniform(_shapes(), density))))
        yield _row(f"density {density:.1%}, ms a step; peer: masked dense", 1e3 * one, 1e3 * masked)
    yield from large()


def kernels() -> Iterator[dict[str, str | float]]:
    """The products of the network's first layer beside those of PyTorch's compressed rows."""
    layer, shape, all_threads = _sparse(erdos_renyi(_shapes(), EPSILON))[0], _shapes()[0], torch.get_num_threads()
    for kind, threads in itertools.product((torch.float32, torch.float64), (1, all_threads)):
        how = f"{str(kind)[6:]}, {threads} thread{'s' * (threads > 1)}, ms"
        torch.set_num_threads(threads)
        try:
            for name, ours, peer in _products(layer.to(kind).pattern, layer.weight.detach(), shape):
                yield _row(f"{name}, {how}; peer: PyTorch CSR", 1e3 * _best(ours), 1e3 * _best(peer))
        finally:
            torch.set_num_threads(all_threads)


def _products(pattern: Pattern, weight: Tensor, shape: tuple[int, int]) -> list[tuple[str, Step, Step]]:
    x, y = (torch.randn(size, BATCH, dtype=weight.dtype) for size in shape[::-1])
    with warnings.catch_warnings(action="ignore"):
        rows = torch.sparse_csr_tensor(pattern.row_start, pattern.column, weight, shape)
        turned = torch.sparse_csr_tensor(pattern.column_start, pattern.row, weight[pattern.order.long()], shape[::-1])
    return [
        ("W x", lambda: compute_product(pattern, weight, x, False), lambda: rows @ x),
        ("W^T y", lambda: compute_product(pattern, weight, y, True), lambda: turned @ y),
        (
            "y x^T at connections",
            lambda: compute_sampled(pattern, x, y),
            lambda: torch.sparse.sampled_addmm(rows, y, x.T, beta=0.0),
        ),
    ]


def large() -> Iterator[dict[str, str | float]]:
    """The network of a million neurons: seconds a step, and gigabytes beside the 8 that it must stay within."""
    peak, spent = _elsewhere("large")
    yield _row("1,000,000 neurons, 20,000,000 connections, s a step", spent, math.nan)
    yield _row("the same, GB in all; peer: the limit", peak / 1e3, 8.0)


def _row(name: str, ours: float, peer: float) -> dict[str, str | float]:
    return {"name": name, "ours": ours, "peer": peer, "ratio": peer / ours}


def _best(step: Step, repeats: int = 9) -> float:
    step()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 4]


def _shapes(widths: Sequence[int] = WIDTHS) -> list[tuple[int, int]]:
    return [(after, before) for before, after in pairwise(widths)]


def _sparse(densities: Iterable[float], widths: Sequence[int] = WIDTHS) -> nn.Sequential:
    generator = torch.Generator().manual_seed(0)
    parts: list[nn.Module] = []
    for shape, density in zip(_shapes(widths), densities, strict=True):
        keys = random_keys(shape, density, generator)
        parts += [SparseLinear(shape[1], shape[0], keys, generator=generator), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(widths[-1], CLASSES))


def _dense() -> nn.Sequential:
    parts = [part for out, into in _shapes() for part in (nn.Linear(into, out), nn.ReLU())]
    return nn.Sequential(*parts, nn.Linear(WIDTHS[-1], CLASSES))


def _batch(features: int, count: int = BATCH) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, features, generator=generator)
    return x, torch.randint(CLASSES, (count,), generator=generator)


def _step(model: nn.Module, after: Step | None = None, x: Tensor | None = None, y: Tensor | None = None) -> Step:
    """A step of training: forward, backward and the update by gradient descent with momentum."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    if x is None or y is None:
        x, y = _batch(WIDTHS[0])

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        if after is not None:
            after()

    return step


def _masked_step() -> Step:
    """Full matrices, multiplied by their masks after every step, as the released code of CenSET does."""
    model, generator = _dense(), torch.Generator().manual_seed(0)
    masks = []
    for layer, density in zip(model[:-1:2], erdos_renyi(_shapes(), EPSILON), strict=True):
        masks.append((layer.weight, (torch.rand(layer.weight.shape, generator=generator) < density).float()))

    def mask() -> None:
        with torch.no_grad():
            for weight, kept in masks:
                weight.mul_(kept)

    mask()
    return _step(model, mask)


def _scipy_step(model: nn.Sequential) -> Step:
    """Products by SciPy, and the weights' gradient connection by connection, as SET's own sparse code does."""
    from scipy.sparse import csr_array

    matrices = []
    for layer in model[:-1:2]:
        lists = (layer.weight.detach().numpy(), layer.column.numpy(), layer.row_start.numpy())
        matrices.append(csr_array(lists, shape=layer.shape))
    last = model[-1].weight.detach().numpy()
    x, y = (one.numpy() for one in _batch(WIDTHS[0]))

    def step() -> list[np.ndarray]:
        values = [x.T]
        for matrix in matrices:
            values.append(np.maximum(matrix @ values[-1], 0))
        scores = last @ values[-1]
        chance = np.exp(scores - scores.max(0))
        chance /= chance.sum(0)
        chance[y, np.arange(len(y))] -= 1
        error, gradients = last.T @ chance, []
        for matrix, before, after in zip(matrices[::-1], values[-2::-1], values[:0:-1], strict=True):
            error = error * (after > 0)
            row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
            gradient = np.empty(matrix.nnz, dtype=np.float32)
            for k, (i, j) in enumerate(zip(row, matrix.indices, strict=True)):
                gradient[k] = error[i] @ before[j]
            gradients.append(gradient)
            error = matrix.T @ error
        return gradients

    return step


def _evolution(step: float) -> Iterator[dict[str, str | float]]:
    """A round of SET and the Laplacian centrality of all neurons, beside the epoch of steps between two of them."""
    model = _sparse(erdos_renyi(_shapes(), EPSILON))
    evolution = SET(model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), zeta=0.3, schedule="steps:1")
    evolution._structure.graph()  # traced once a training

    def centrality() -> object:
        return measure(evolution._structure.graph(), ["laplacian_centrality"])

    epoch = 1e3 * STEPS_PER_EPOCH * step
    yield _row("a round of SET, ms; peer: an epoch", 1e3 * _best(evolution.step, 5), epoch)
    yield _row("Laplacian centrality of all neurons, ms; peer: an epoch", 1e3 * _best(centrality, 5), epoch)


def _memory(kind: str) -> float:
    return _elsewhere(kind)[0]


def _elsewhere(kind: str) -> tuple[float, float]:
    """Megabytes and seconds a step in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (kind,))


def _measured(kind: str) -> tuple[float, float]:
    """Peak megabytes above the baseline (of the large network: in all), and seconds of the last step."""
    _step(_sparse([0.5], (8, 8)), x=torch.randn(20, 8), y=torch.zeros(20, dtype=torch.long))()  # libraries, kernels
    Path("/proc/self/clear_refs").write_text("5")
    before = 0.0 if kind == "large" else _status("VmRSS")
    if kind == "large":
        possible = sum(out * into for out, into in _shapes(LARGE))
        x, y = _batch(LARGE[0], LARGE_BATCH)
        step = _step(_sparse([LARGE_CONNECTIONS / possible] * 2, LARGE), x=x, y=y)
    else:
        step = _masked_step() if kind == "masked" else _step(_sparse(erdos_renyi(_shapes(), EPSILON)))
    step()
    start = time.perf_counter()
    step()
    return _status("VmHWM") - before, time.perf_counter() - start


def _status(name: str) -> float:
    """A figure of this process's memory in megabytes, from Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1e3


def main() -> None:
    for row in run():
        print(f"{row['name']:<62} {row['ours']:>10,.4g} {row['peer']:>10,.4g} {row['ratio']:>8.3g} x", flush=True)


if __name__ == "__main__":
    main()
