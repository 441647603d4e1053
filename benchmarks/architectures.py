"""How long a network of the size of ResNet-50 takes at 224 x 224, beside scalar loops, and in how much memory."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))
MEASURES = ("strength", "disparity", "laplacian_centrality")
LOOPED = 4
"""Output channels that the loops run over; their time grows in proportion to that number."""


class Bottleneck(nn.Module):
    """A residual block of three convolutions that narrows and widens."""

    def __init__(self, inner: int, middle: int, stride: int) -> None:
        super().__init__()
        self.narrow, self.first = nn.Conv2d(inner, middle, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv, self.second = nn.Conv2d(middle, middle, 3, stride, 1, bias=False), nn.BatchNorm2d(middle)
        self.widen, self.third = nn.Conv2d(middle, 4 * middle, 1, bias=False), nn.BatchNorm2d(4 * middle)
        same = stride == 1 and inner == 4 * middle
        shortcut = [nn.Conv2d(inner, 4 * middle, 1, stride, bias=False), nn.BatchNorm2d(4 * middle)]
        self.shortcut = nn.Identity() if same else nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        out = self.first(self.narrow(x)).relu()
        out = self.second(self.conv(out)).relu()
        return (self.third(self.widen(out)) + self.shortcut(x)).relu()


def residual_network() -> nn.Module:
    """A network of the layers of ResNet-50: 25.6 million parameters, 21 million neurons at 224 x 224."""
    parts: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    parts.append(nn.MaxPool2d(3, 2, 1))
    inner = 64
    for stage, (blocks, middle) in enumerate(STAGES):
        for block in range(blocks):
            parts.append(Bottleneck(inner, middle, 2 if stage and not block else 1))
            inner = 4 * middle
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inner, 1000)).eval()


def run() -> Iterator[dict[str, Any]]:
    """Rows with a quantity of ours, what it stands beside, and the ratio; in a process of its own each."""
    context = multiprocessing.get_context("spawn")
    for task in (_whole, _memory, _layer):
        with context.Pool(1) as pool:
            yield from pool.apply(task)


def _whole() -> list[dict[str, Any]]:
    import synaplex as sx

    torch.manual_seed(0)
    model, example = residual_network(), torch.zeros(1, 3, 224, 224)
    sx.graph(nn.Linear(2, 2))
    seconds, graph = _timed(lambda: sx.graph(model, example))
    rows = [_row("tracing it, s", seconds, "", None)]
    total = 0.0
    for name in MEASURES:
        measure: Callable[..., Tensor] = getattr(sx.measures, name)
        best = min(_timed(lambda measure=measure: measure(graph))[0] for _ in range(2))
        rows.append(_row(f"{name} of {graph.neurons:,} neurons, s", best, "", None))
        total += best
    return [*rows, _row("all three, s", total, "5 s", 5.0)]


def _memory() -> list[dict[str, Any]]:
    import synaplex as sx

    torch.manual_seed(0)
    small = sx.graph(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), torch.zeros(1, 3, 8, 8))
    graph = sx.graph(residual_network(), torch.zeros(1, 3, 224, 224))
    vector, largest = graph.neurons * 8 / 1e6, max(graph.sizes) * 8 / 1e6
    rows = [_row("largest activation in float64, MB", largest, "one float64 a neuron", vector)]
    for name in MEASURES:
        measure: Callable[..., Tensor] = getattr(sx.measures, name)
        measure(small)
        _forget_peak()
        before = _peak()
        measure(graph)
        rows.append(_row(f"{name}: peak beyond the model, MB", _peak() - before, "one float64 a neuron", vector))
    return rows


def _layer() -> list[dict[str, Any]]:
    """One 3 x 3 convolution of the third stage, 256 channels of 14 x 14."""
    import synaplex as sx

    torch.manual_seed(0)
    layer = nn.Conv2d(256, 256, 3, padding=1, bias=False)
    graph = sx.graph(layer, torch.zeros(1, 256, 14, 14))

    def ours(graph: Any = graph) -> list[Tensor]:
        return [getattr(sx.measures, name)(graph) for name in MEASURES]

    best = min(_timed(ours)[0] for _ in range(5))
    part = nn.Conv2d(256, LOOPED, 3, padding=1, bias=False)
    part.weight.data = layer.weight.data[:LOOPED]
    seconds, looped = _timed(lambda: scalar_loops(part.weight.tolist(), 14))
    for mine, theirs in zip(ours(sx.graph(part, torch.zeros(1, 256, 14, 14))), looped, strict=True):
        torch.testing.assert_close(mine, torch.tensor(theirs, dtype=torch.float64))
    loops = seconds * 256 / LOOPED
    name = "the three measures of one layer, 256 x 14 x 14 twice, s"
    return [_row(name, best, f"scalar loops, {LOOPED} of 256 channels timed", loops)]


def scalar_loops(kernel: list[Any], size: int) -> list[list[float]]:
    """Strength, disparity, Laplacian centrality of a padded 3 x 3 convolution, edge by edge in plain Python."""
    out, into, area = len(kernel), len(kernel[0]), size * size
    strength, absolute, squares, around = ([0.0] * ((into + out) * area) for _ in range(4))
    for further in (False, True):
        for o in range(out):
            for y in range(size):
                for x in range(size):
                    target = (into + o) * area + y * size + x
                    for i in range(into):
                        for dy in range(3):
                            for dx in range(3):
                                v, u = y + dy - 1, x + dx - 1
                                if not (0 <= v < size and 0 <= u < size):
                                    continue
                                source, weight = i * area + v * size + u, kernel[o][i][dy][dx]
                                if further:
                                    around[target] += weight * strength[source]
                                    around[source] += weight * strength[target]
                                    continue
                                for neuron in (target, source):
                                    strength[neuron] += weight
                                    absolute[neuron] += abs(weight)
                                    squares[neuron] += weight * weight
    disparity = [q / a**2 for q, a in zip(squares, absolute, strict=True)]
    laplacian = [s**2 + q + 2 * a for s, q, a in zip(strength, squares, around, strict=True)]
    return [strength, disparity, laplacian]


def _row(name: str, value: float, beside: str, other: float | None) -> dict[str, Any]:
    ratio = "" if other is None else other / value
    return {"quantity": name, "ours": value, "beside": beside, "value": "" if other is None else other, "ratio": ratio}


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    value = call()
    return time.perf_counter() - start, value


def _forget_peak() -> None:
    """Start the peak over, where the system can do that."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def _peak() -> float:
    """Largest memory of this process in MB since the start, or since the peak was forgotten."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024 / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
