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
from torch import Tensor

from synaplex.errors import SpecificationError

_WORTH_A_THREAD, _WORTH_WAKING = 10_000_000, 80_000_000
"""Bytes of activations below which handing work to a thread costs more than it saves: one of PyTorch's, and another."""

_PARTS = 4
"""Parts of the work for each thread: one that starts late then takes fewer."""


def in_parts(kernel: Any, start: Any, work: int, where: Sequence[int], arrays: Sequence[Tensor]) -> None:
    """Run a kernel on parts of the rows that hold equally many connections, on as many threads as PyTorch may use.

    Parameters
    ----------
    kernel
        Compiled, of `synaplex.sparse.kernels`.
    start
        ``(rows + 1,)``, where the connections of each row begin.
    work
        Bytes of activations that connections read in all.
    where
        Of the task: the samples, as `synaplex.sparse.kernels.TASK` lists them.
    arrays
        Those whose addresses the task holds.

    Raises
    ------
    SpecificationError
        If an array has no memory.
    """
    rows = len(start) - 1
    threads = max(1, min(torch.get_num_threads(), work // (_WORTH_A_THREAD if _openmp() else _WORTH_WAKING)))
    parts = 1 if threads == 1 else max(1, min(_PARTS * threads, rows))
    bounds = [0, rows]
    if parts > 1:
        # A row costs what its connections cost, and a little by itself: its sums are zeroed and written.
        effort = start.numpy() + np.arange(rows + 1)
        bounds[1:1] = np.searchsorted(effort, effort[-1] * np.arange(1, parts) / parts).tolist()
    addresses = [one.data_ptr() for one in arrays]
    if any(not address and one.numel() for address, one in zip(addresses, arrays, strict=True)):
        raise SpecificationError("sparse layers need numbers in memory: export or compile the model to trace it")
    task = np.array([0, parts, *where, *addresses, *bounds], dtype=np.int64)
    _run(kernel, task, threads, arrays)


def _run(kernel: Any, task: Any, threads: int, arrays: Sequence[Tensor]) -> None:
    """Give a task to a kernel on some threads, and wait for all."""
    address = task.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
    if threads == 1:
        kernel.ctypes(address)
    elif parallel := _openmp():
        parallel(kernel.address, address, threads, 0)
    else:
        pool = _pool(threads - 1, os.getpid())
        others = [pool.submit(_run, kernel, task, 1, arrays) for _ in range(threads - 1)]
        kernel.ctypes(address)
        wait(others)  # interrupted here, they go on, and hold the arrays


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
