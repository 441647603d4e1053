"""How long measuring a sharded checkpoint takes beside reading its bytes from the page cache, and its peak memory."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMATS = ("float32", "bfloat16")
SHARDS = 4
REPEATS = 3


def run(
    gigabytes: float = 4.0, formats: tuple[str, ...] = FORMATS, folder: str | None = None
) -> Iterator[dict[str, Any]]:
    """Rows with seconds for reading and for measuring a made-up checkpoint of that size, sharded in 4 files.

    Files are made in a temporary folder (inside `folder`) and deleted. Reading copies every byte through a buffer of
    1 MB that stays in the cache, by one thread and by one a core; each figure is the best of three runs that take
    turns. Memory is the peak of a process of its own, which first measures a small checkpoint; the most it may be is
    the largest tensor in float64 and 600 MB.
    """
    context = multiprocessing.get_context("spawn")
    for name in formats:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            for task in (_make, _measure):
                with context.Pool(1) as pool:
                    row = pool.apply(task, (place, name, gigabytes))
            assert row is not None
            yield row


def _make(place: str, name: str, gigabytes: float) -> None:
    """A checkpoint shaped like a language model: square and oblong matrices, norms, an embedding in the first shard."""
    import torch
    from safetensors.torch import save_file

    dtype = getattr(torch, name)
    generator = torch.Generator().manual_seed(0)
    noise = (torch.randn(1 << 24, generator=generator) * 0.02).to(dtype)
    left = int(gigabytes * 2**30 / SHARDS) // dtype.itemsize
    width = 4096 if gigabytes >= 1 else 512

    def tensor(rows: int, columns: int) -> torch.Tensor:
        repeats = -(-rows * columns // len(noise))
        flat = noise.view(torch.uint8).repeat(repeats).view(dtype) if repeats > 1 else noise.clone()
        return flat[: rows * columns].view(rows, columns)

    places = {}
    for shard in range(SHARDS):
        file = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        tensors: dict[str, torch.Tensor] = {f"layers.{shard}.norm.weight": torch.ones(width).to(dtype)}
        room = left - width
        if shard == 0:
            tensors["embedding.weight"] = tensor(room // 4 // width, width)
        for block in range(10_000):
            room = left - sum(one.numel() for one in tensors.values())
            rows = min(width * (3 if block % 2 else 1), room // width)
            if rows < 1:
                break
            tensors[f"layers.{shard}.{block}.weight"] = tensor(rows, width)
        save_file(tensors, Path(place) / file)
        places |= dict.fromkeys(tensors, file)
    index = {"metadata": {}, "weight_map": places}
    (Path(place) / "model.safetensors.index.json").write_text(json.dumps(index))


def _measure(place: str, name: str, gigabytes: float) -> dict[str, Any]:
    import torch
    from safetensors.torch import save_file

    from synaplex.checkpoint import measure_file, open_checkpoint

    dtype = getattr(torch, name)
    with tempfile.TemporaryDirectory() as warm:
        save_file({"w": torch.randn(64, 64).to(dtype), "b": torch.randn(9000).to(dtype)}, f"{warm}/w.safetensors")
        measure_file(f"{warm}/w.safetensors")
    before = _peak()
    files = sorted(Path(place).glob("*.safetensors"))
    sizes = sum(file.stat().st_size for file in files)
    ours, alone, together = [], [], []
    _read(files, 1)
    for _ in range(REPEATS):
        alone.append(_timed(_read, files, 1))
        together.append(_timed(_read, files, os.cpu_count() or 1))
        ours.append(_timed(measure_file, place))
    tensors = open_checkpoint(Path(place)).tensors
    return {
        "checkpoint": f"{sizes / 2**30:.1f} GB {name}",
        "ours, s": min(ours),
        "read, one thread": min(alone),
        "ratio": min(ours) / min(alone),
        "read, all cores": min(together),
        "to that": min(ours) / min(together),
        "peak MB": _peak(),
        "before": before,
        "at most": max(tensor.count for tensor in tensors) * 8 / 1e6 + 600,
    }


def _timed(call: Any, *arguments: Any) -> float:
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def _read(files: list[Path], threads: int) -> None:
    """Copy the bytes of all files through a buffer that stays in the cache."""

    def copy(first: int) -> None:
        buffer = bytearray(1 << 20)
        for file in files[first::threads]:
            with file.open("rb", buffering=0) as stream:
                while stream.readinto(buffer):
                    pass

    workers = [threading.Thread(target=copy, args=(first,)) for first in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
