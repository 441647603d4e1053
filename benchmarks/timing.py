"""Timing: the median of several runs after one that is not counted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def seconds(call: Callable[[], T], *, repeats: int = 7, warm: bool = True) -> tuple[float, T]:
    """Median wall-clock seconds of a call, and its last result."""
    result = call() if warm else None
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result
