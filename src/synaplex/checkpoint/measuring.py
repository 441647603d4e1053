"""`sx.measure_file`: the weights of a checkpoint, layer by layer, without holding more than a part of one."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from synaplex.checkpoint.formats import FORMATS
from synaplex.checkpoint.opening import open_checkpoint
from synaplex.checkpoint.progress import bytes_bar
from synaplex.checkpoint.scan import Scan, parts, scan
from synaplex.checkpoint.spectral_norm import spectral_norm as largest_singular_value
from synaplex.checkpoint.statistics import Statistics
from synaplex.checkpoint.stored import StoredTensor
from synaplex.errors import SpecificationError, UnknownNameError

_QUANTILES = {"quantile_1": 0.01, "quantile_25": 0.25, "median": 0.5, "quantile_75": 0.75, "quantile_99": 0.99}
_VALUES = (
    *("mean", "std", "skewness", "kurtosis", "min", *_QUANTILES, "max", "quantile_error", "positive", "zero", "norm"),
    *("in_strength_mean", "in_strength_std", "out_strength_mean", "out_strength_std"),
)
_NORMS = ("spectral_norm", "spectral_norm_error")


def measure_file(
    path: str | os.PathLike[str],
    *,
    names: Sequence[str] | None = None,
    spectral_norm: bool = False,
    threads: int | None = None,
    progress: bool = False,
) -> pl.DataFrame:
    """Measure the weights of a checkpoint of any size, a row a parameter tensor.

    Parameters
    ----------
    path
        A safetensors file, a file by `torch.save`, an ONNX model (its initialisers, external data too), the
        ``.index.json`` of a sharded checkpoint, or a folder: of its index, else ``model.safetensors``, else all
        safetensors files, else ``pytorch_model.bin``, else all ``.bin`` files. No code inside a file is ever run.
    names
        Only these tensors.
    spectral_norm
        Whether to compute the largest singular value of each matrix and kernel as well; reads them several times.
    threads
        How many threads read; by default one a core.
    progress
        Whether to draw a progress bar, on standard error and only if that is a terminal.

    Returns
    -------
    polars.DataFrame
        Columns, of finite values throughout and null where there are none or the formula divides by zero:

        - ``name``, ``shape``, ``dtype``, ``file``, ``parameters`` (number of values), with ``nan`` and ``infinite``;
        - ``mean``, ``std``, ``skewness``, ``kurtosis`` (3 for a Gaussian), ``min``, ``max``; zeros count;
        - ``quantile_1``, ``quantile_25``, ``median``, ``quantile_75``, ``quantile_99`` from a histogram, and
          ``quantile_error``, the most that any of them is off, at most 1/128 of the value; 0 for 16 bits and fewer;
        - ``positive``, ``zero``: shares of the finite values;
        - ``norm``: Frobenius norm;
        - ``in_strength_mean``, ``in_strength_std``, ``out_strength_mean``, ``out_strength_std``: of the summed weights
          into each output (first axis) and out of each input (second axis; of a grouped convolution, of all groups
          together). The standard deviations are the layer fluctuation of either side through this tensor. Null for
          vectors;
        - with ``spectral_norm=True``: ``spectral_norm`` and ``spectral_norm_error``, see
          `synaplex.checkpoint.spectral_norm`; null where values are not finite;
        - ``reason``: why a row is empty (whole numbers, sparse, ...), or whose memory it shares; else null.

    Raises
    ------
    UnreadableFileError
        If a file is missing, truncated, damaged, of an unknown kind, or holds more than data; names the file.
    UnknownNameError
        If `names` has a name that is not in the checkpoint.
    MissingExtraError
        If it takes a package that is not installed.

    Notes
    -----
    Cost: every byte is read once (twice where a tensor holds exact zeros, NaN or infinite values), by compiled kernels
    on all threads; memory is a few MB a thread besides the sums of rows and columns. The result does not depend on the
    number of threads. Source of layer fluctuation: La Malfa et al. 2021.

    Examples
    --------
    >>> import torch
    >>> from safetensors.torch import save_file
    >>> file = getfixture("tmp_path") / "model.safetensors"
    >>> save_file({"fc.weight": torch.tensor([[1.0, -1.0], [2.0, 0.0]])}, file)
    >>> measure_file(file).select("name", "mean", "zero", "in_strength_mean").row(0)
    ('fc.weight', 0.5, 0.25, 1.0)
    """
    if threads is not None and threads < 1:
        raise SpecificationError(f"threads={threads} leaves no thread to read with")
    tensors = _chosen(open_checkpoint(path).tensors, names)
    reasons = {tensor.name: _reason(tensor, {other.name for other in tensors}) for tensor in tensors}
    measured = sorted((t for t in tensors if not reasons[t.name]), key=lambda t: (t.file.name, t.offset))
    rows: dict[str, dict[str, Any]] = {}
    with bytes_bar(sum(tensor.length for tensor in measured), shown=progress) as advance:
        for tensor, scans in groupby(_scans(measured, threads or _cores()), key=itemgetter(0)):
            statistics = Statistics(tensor)
            for _, one in scans:
                statistics.add(one)
                advance(one.part.count * FORMATS[tensor.dtype].size)
            rows[tensor.name] = _row(statistics)
            if spectral_norm and len(tensor.shape) > 1 and not statistics.infinite + statistics.missing:
                rows[tensor.name] |= dict(zip(_NORMS, largest_singular_value(tensor), strict=True))
    table = [
        {
            **_labels(tensor),
            **rows.get(tensor.same_as if tensor.same_as in rows else tensor.name, {}),
            "reason": reasons[tensor.name] or None,
        }
        for tensor in tensors
    ]
    return _table(table, spectral_norm)


def _chosen(tensors: Sequence[StoredTensor], names: Sequence[str] | None) -> list[StoredTensor]:
    if names is None:
        return list(tensors)
    if isinstance(names, str):
        raise SpecificationError(f"names must be a list of names, not the text {names!r}")
    known = {tensor.name: tensor for tensor in tensors}
    for name in names:
        if name not in known:
            raise UnknownNameError("tensor", name, known)
    return [known[name] for name in names]


def _reason(tensor: StoredTensor, others: Collection[str]) -> str:
    """Why a tensor is not read; empty where it is."""
    if tensor.reason:
        return tensor.reason
    if tensor.dtype not in FORMATS:
        return f"{tensor.dtype} values are no weights that can be read one by one"
    if not tensor.count:
        return "it has no values"
    return f"the same memory as {tensor.same_as}" if tensor.same_as in others else ""


def _scans(tensors: Iterable[StoredTensor], threads: int) -> Iterator[tuple[StoredTensor, Scan]]:
    """Scans of all parts of all tensors in order; a few parts are read ahead."""
    waiting: deque[tuple[StoredTensor, Future[Scan]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="checkpoint")
    try:
        for tensor in tensors:
            for part in parts(tensor):
                waiting.append((tensor, pool.submit(scan, tensor, part)))
                if len(waiting) > 2 * threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:  # an error, or the user who stops it: what is being read is finished, the rest dropped
        pool.shutdown(cancel_futures=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _labels(tensor: StoredTensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "file": tensor.file.name,
        "parameters": tensor.count,
    }


def _row(statistics: Statistics) -> dict[str, Any]:
    histogram, moments = statistics.finish(), statistics.moments
    counts = {"nan": statistics.missing, "infinite": statistics.infinite}
    if not moments.count:
        return counts
    variance = moments.second / moments.count
    quantiles, error = histogram.quantiles(list(_QUANTILES.values()), statistics.low, statistics.high)
    values = {
        "mean": moments.mean,
        "std": math.sqrt(variance),
        "min": statistics.low,
        **dict(zip(_QUANTILES, quantiles, strict=True)),
        "max": statistics.high,
        "quantile_error": error,
        "positive": statistics.positive / moments.count,
        "zero": statistics.zeros / moments.count,
        "norm": math.sqrt(moments.second + moments.count * moments.mean**2),
    }
    if variance > 0 and statistics.low < statistics.high:
        values["skewness"] = moments.third / moments.count / variance / math.sqrt(variance)
        values["kurtosis"] = moments.fourth / moments.count / variance / variance
    for side, strength in zip(("in", "out"), statistics.strengths() or (), strict=False):
        values[f"{side}_strength_mean"] = float(strength.mean())
        values[f"{side}_strength_std"] = float(strength.std())
    return counts | {name: value for name, value in values.items() if math.isfinite(value)}


def _table(rows: Sequence[dict[str, Any]], spectral_norm: bool) -> pl.DataFrame:
    numbers = {name: pl.Float64() for name in (*_VALUES, *(_NORMS if spectral_norm else ()))}
    counts = {"nan": pl.Int64(), "infinite": pl.Int64()}
    labels = {"name": pl.String(), "shape": pl.List(pl.Int64()), "dtype": pl.String(), "file": pl.String()}
    return pl.DataFrame(rows, schema={**labels, "parameters": pl.Int64(), **counts, **numbers, "reason": pl.String()})
