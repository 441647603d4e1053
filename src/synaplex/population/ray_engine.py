"""Chunks as tasks of Ray: on the cores of this machine, or on a cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from synaplex.errors import SpecificationError, TrainingError, require
from synaplex.population.chunk import Chunk
from synaplex.population.engine import Report, Task


@dataclass(frozen=True)
class RayEngine:
    """Runs each chunk as one task of Ray (Moritz et al. 2018); needs ``pip install 'synaplex[ray]'``.

    A task is a function of the specification and its seeds and writes its chunk itself, whole or not at all. So a
    worker that dies loses the chunk it was at, and only that one, which is run again elsewhere. All machines must see
    the folder of the store under the same path, and have the same versions installed.

    Results are those of one process that has as many threads as a task: products of matrices are summed in an order
    that may depend on the number of threads.

    Parameters
    ----------
    address
        Of a running cluster, such as ``"auto"`` or ``"ray://head:10001"``. None: Ray as it is initialised already in
        this process, or else one on this machine, which ends with the run.
    workers
        Tasks at a time, where Ray is started on this machine; by default as many as there are cores.
    num_cpus, num_gpus
        What each task takes of its machine. Its threads are as many as its CPUs. With GPUs, name the device
        ``"cuda"``.
    retries
        How often a chunk is begun again after its worker died. What is wrong with the task itself is not tried again.

    Raises
    ------
    SpecificationError
        If a value makes no sense.

    Notes
    -----
    Ray's report of usage to its makers is switched off, unless ``RAY_USAGE_STATS_ENABLED`` says otherwise.
    """

    address: str | None = None
    workers: int | None = None
    num_cpus: int | float = 1
    num_gpus: int | float = 0
    retries: int = 3

    def __post_init__(self) -> None:
        if self.num_cpus < 0 or self.num_gpus < 0 or self.retries < 0:
            raise SpecificationError("num_cpus, num_gpus and retries of a RayEngine must not be negative")
        if self.workers is not None and (self.workers < 1 or self.address is not None):
            raise SpecificationError(
                "workers of a RayEngine must be at least 1, and a cluster at an address has its own"
            )

    def run(self, task: Task, chunks: Sequence[Chunk], report: Report) -> None:
        """Run the task on every chunk; see `Engine`.

        Raises
        ------
        MissingExtraError
            If Ray is not installed.
        TrainingError
            If there is no cluster at the address, it has not what a task takes, or a chunk lost its worker more often
            than `retries`.
        """
        if not chunks:
            return
        ray = require("ray", "ray")
        with self._connected(ray):
            self._check_resources(ray)
            remote = ray.remote(num_cpus=self.num_cpus, num_gpus=self.num_gpus, max_retries=self.retries)(_run)
            shared = ray.put(task)
            running = {remote.remote(shared, chunk): chunk for chunk in chunks}
            try:
                while running:
                    (done, *_), _ = ray.wait(list(running), num_returns=1)
                    report(_result(ray, done, running.pop(done)))
            except BaseException:
                for reference in running:
                    ray.cancel(reference, force=True)
                raise

    @contextmanager
    def _connected(self, ray: Any) -> Iterator[None]:
        """Ray as it is found in this process, or started for as long as needed."""
        if ray.is_initialized():
            yield
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Tasks without GPUs leave CUDA_VISIBLE_DEVICES alone in later releases; said here, this one does not warn.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        local = {} if self.address else {"num_cpus": self.workers, "include_dashboard": False}
        try:
            ray.init(self.address, log_to_driver=False, logging_level=logging.ERROR, **local)
        except Exception as error:  # of no class in particular, where its processes do not come up in time
            ray.shutdown()
            raise TrainingError(
                f"Ray could not be started or found at {self.address or 'this machine'}: {error}"
            ) from error
        try:
            yield
        finally:
            ray.shutdown()

    def _check_resources(self, ray: Any) -> None:
        """Without what a task takes, Ray would wait for ever for a machine to join."""
        there = ray.cluster_resources()
        for name, needed in (("CPU", self.num_cpus), ("GPU", self.num_gpus)):
            if needed > there.get(name, 0):
                raise TrainingError(f"a chunk takes {needed:g} {name}s, and Ray has {there.get(name, 0):g} in all")


def _run(task: Task, chunk: Chunk) -> int:
    """What a worker does; returns how many steps of networks it would have reported."""
    steps = 0

    def count(networks: int) -> None:
        nonlocal steps
        steps += networks

    task(chunk, count)
    return steps


def _result(ray: Any, reference: Any, chunk: Chunk) -> int:
    """What a finished task returned; raises its error as if it had run in this process."""
    try:
        return int(ray.get(reference))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise TrainingError(
            f"chunk {chunk.index} (seeds {chunk.seeds[0]} to {chunk.seeds[-1]}) was given up, since its worker died "
            f"each time: {error}. Finished chunks are kept; the same run goes on"
        ) from error
