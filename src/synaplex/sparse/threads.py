"""Ranges of rows spread over plain threads, as many as PyTorch was told to use."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import Any

import numpy as np
import torch

_WORTH_A_THREAD = 40_000_000
"""Bytes of activations below which handing work to a thread costs more than it saves: a thread that waits for work
takes some tenth of a millisecond to start."""

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def in_ranges(kernel: Callable[..., None], start: Any, work: int, *arguments: Any) -> None:
    """Call ``kernel(*arguments, first, last)`` for ranges of rows that share the work evenly.

    Parameters
    ----------
    kernel
        Compiled; lets go of the interpreter's lock.
    start
        ``(rows + 1,)``, where the connections of each row begin.
    work
        Bytes of activations that connections read in all.
    """
    rows = len(start) - 1
    parts = max(1, min(torch.get_num_threads(), work // _WORTH_A_THREAD, rows))
    if parts == 1:
        kernel(*arguments, 0, rows)
        return
    # A row costs what its connections cost, and a little by itself: its sums are zeroed and written.
    effort = start + np.arange(rows + 1)
    cuts = np.searchsorted(effort, effort[-1] * np.arange(1, parts) / parts)
    bounds = [0, *cuts.tolist(), rows]
    pool = _pool(parts - 1)
    others = [pool.submit(kernel, *arguments, a, b) for a, b in pairwise(bounds[1:])]
    try:
        kernel(*arguments, 0, bounds[1])
    finally:
        wait(others)
    for other in others:
        other.result()


def _pool(size: int) -> ThreadPoolExecutor:
    """Threads of this process: those of a parent do not survive a fork."""
    key = (os.getpid(), size)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(size, thread_name_prefix="synaplex-sparse")
    return _pools[key]
