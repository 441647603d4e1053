"""Chunks as tasks of Ray, beside the same chunks in processes of their own: what Ray itself costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.training import PAPER, _images
from synaplex.networks import mlp
from synaplex.population import RayEngine, parse_chunks, train_population

WORKERS = 2
CHUNKS, NETWORKS = 4, 10
"""Chunks in all, and networks in each."""

EPOCHS = 100
"""On 3,000 images: some half a minute a chunk on one core, which is less than a chunk should take."""


def run() -> list[dict[str, str | float]]:
    """One row: wall seconds of all chunks through Ray (``ours``) and as two jobs (``peer``), start and end included."""
    share = CHUNKS // WORKERS
    jobs = _seconds(*(f"{share * one}-{share * (one + 1) - 1}" for one in range(WORKERS)))
    ray = _seconds("ray")
    name = f"{CHUNKS} chunks of {NETWORKS} networks through Ray / as {WORKERS} jobs"
    return [{"name": name, "ours": ray, "peer": jobs, "ratio": jobs / ray}]


def train(store: str, how: str) -> None:
    """What a process does: all chunks through Ray, or its own."""
    way = {"engine": RayEngine(workers=WORKERS)} if how == "ray" else {"chunks": parse_chunks(how)}
    train_population(
        mlp(*PAPER),
        _images(),
        seeds=range(CHUNKS * NETWORKS),
        measures="scabini",
        store=store,
        epochs=EPOCHS,
        snapshots=(0, EPOCHS),
        chunk_size=NETWORKS,
        progress=False,
        **way,
    )


def _seconds(*ways: str) -> float:
    """Wall time of some processes on one store, each with one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.engines", str(Path(folder) / "store")]
        processes = [subprocess.Popen([*command, way], env=environment) for way in ways]
        statuses = [process.wait() for process in processes]
        if any(statuses):
            raise RuntimeError(f"a process of {', '.join(ways)} failed")
        return time.perf_counter() - start


if __name__ == "__main__":
    train(*sys.argv[1:3])
