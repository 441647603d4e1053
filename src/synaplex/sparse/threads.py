"""A kernel on several threads: those that PyTorch computes with, or plain ones where it has none of its own."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

_WORTH_A_THREAD, _WORTH_WAKING = 10_000_000, 80_000_000
"""Bytes of activations below which handing work to a thread costs more than it saves: one of PyTorch's, and another."""

_PARTS = 4
"""Parts of the work for each thread: one that starts late then takes fewer."""


def in_parts(kernel: Any, start: Any, work: int, fields: Sequence[int]) -> None:
    """Run a kernel on parts of the rows that hold equally many connections, on as many threads as PyTorch may use.

    Parameters
    ----------
    kernel
        Compiled, of `synaplex.sparse.kernels`.
    start
        ``(rows + 1,)``, where the connections of each row begin.
    work
        Bytes of activations that connections read in all.
    fields
        Of the task: what follows its parts. The arrays at its addresses must stay until this returns.
    """
    rows = len(start) - 1
    threads = max(1, min(torch.get_num_threads(), work // (_WORTH_A_THREAD if _openmp() else _WORTH_WAKING)))
    parts = 1 if threads == 1 else max(1, min(_PARTS * threads, rows))
    bounds = [0, rows]
    if parts > 1:
        # A row costs what its connections cost, and a little by itself: its sums are zeroed and written.
        effort = start.numpy() + np.arange(rows + 1)
        bounds[1:1] = np.searchsorted(effort, effort[-1] * np.arange(1, parts) / parts).tolist()
    task = np.array([0, parts, *fields, *bounds], dtype=np.int64)
    _run(kernel, task, threads)


def _run(kernel: Any, task: Any, threads: int) -> None:
    """Give a task to a kernel on some threads, and wait for all."""
    address = task.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
    if threads == 1:
        kernel.ctypes(address)
    elif parallel := _openmp():
        parallel(kernel.address, address, threads, 0)
    else:
        pool = _pool(threads - 1, os.getpid())
        others = [pool.submit(kernel.ctypes, address) for _ in range(threads - 1)]
        kernel.ctypes(address)
        wait(others)


@cache
def _openmp() -> Any:
    """The function by which PyTorch's OpenMP library, where it is GNU's, runs a function on all its threads.

    They are awake while PyTorch computes; other threads would wait for the processor as long as these look for work.
    """
    if not hasattr(os, "RTLD_NOLOAD"):
        return None
    names = [*map(str, Path(torch.__file__).parent.glob("lib/libgomp*.so*")), "libgomp.so.1"]
    for name in names:
        try:
            function = ctypes.CDLL(name, mode=os.RTLD_NOLOAD).GOMP_parallel
        except (OSError, AttributeError):
            continue
        function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
        function.restype = None
        return function
    return None


@cache
def _pool(size: int, process: int) -> ThreadPoolExecutor:
    """Threads of this process: those of a parent do not survive a fork."""
    return ThreadPoolExecutor(size, thread_name_prefix="synaplex-sparse")
