"""Filling a folder with the chunks that it lacks."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from synaplex.errors import StoreMismatchError
from synaplex.networks import Specification
from synaplex.population.chunk import Chunk
from synaplex.population.engine import Engine, Task
from synaplex.population.folder import ChunkFolder
from synaplex.population.progress import progress_bar
from synaplex.population.record import Record

logger = logging.getLogger("synaplex")

R = TypeVar("R", bound=Record)


def prepare(
    store: ChunkFolder[R], spec: Specification, seeds: Sequence[int], digest: str, chunk_size: int | None, default: int
) -> R:
    """The record of a folder, new or of the same specification, with chunks for all seeds.

    Parameters
    ----------
    store
        The folder, locked.
    spec
        What its networks are.
    seeds
        One network each.
    digest
        Of their data.
    chunk_size
        Networks a chunk, if the caller asks for it.
    default
        If not.

    Raises
    ------
    StoreMismatchError
        If the folder holds something else.
    """
    if store.exists():
        record = store.read_record()
        try:
            record.require(spec, digest, chunk_size)
        except StoreMismatchError as error:
            raise StoreMismatchError(
                f"{store.folder} holds another population: {error}. Choose another folder"
            ) from None
    else:
        record = store.record_class.begin(spec, digest, chunk_size or default)
    extended = record.extend(seeds)
    if extended != record or not store.exists():
        store.write_record(extended)
    return extended


def fill(
    store: ChunkFolder[R],
    record: R,
    seeds: Sequence[int],
    task: Task,
    engine: Engine,
    check: Callable[[Chunk, R], None],
    title: str,
    stages: int,
    *,
    shown: bool,
) -> None:
    """Run a task on every chunk of these seeds that is not finished.

    Parameters
    ----------
    store, record
        The folder, locked, and what it holds.
    seeds
        Which networks.
    task
        Makes a chunk and writes it.
    engine
        Where it runs.
    check
        Raises an error if a finished chunk is damaged.
    title
        What the networks are, for the progress bar.
    stages
        How often the task reports each network.
    shown
        Whether there is to be a progress bar.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C; says how much is kept.
    """
    plan = record.plan(seeds)
    missing = [chunk for chunk in plan if not store.is_finished(chunk)]
    for chunk in plan:
        if store.is_finished(chunk):
            check(chunk, record)
    networks = sum(len(chunk.seeds) for chunk in missing)
    logger.info(
        "%s: %d of %d chunks are there; training %d networks",
        store.folder,
        len(plan) - len(missing),
        len(plan),
        networks,
    )
    try:
        with progress_bar(f"{networks} {title}", networks * stages, shown=shown and bool(missing)) as report:
            engine.run(task, missing, report)
    except KeyboardInterrupt:
        done = sum(store.is_finished(chunk) for chunk in plan)
        raise KeyboardInterrupt(
            f"stopped: {done} of {len(plan)} chunks are kept in {store.folder}; the same run goes on"
        ) from None


@contextmanager
def temporary() -> Iterator[str]:
    """A folder for a population without a store, removed if something goes wrong."""
    folder = tempfile.mkdtemp(prefix="synaplex-")
    try:
        yield folder
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise KeyboardInterrupt("stopped; nothing is kept, since no store was named") from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
