"""Filling a folder with the chunks that it lacks."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from synaplex.errors import StoreError, StoreMismatchError
from synaplex.networks import Specification
from synaplex.population.chunk import Chunk
from synaplex.population.engine import Engine, Task
from synaplex.population.folder import ChunkFolder
from synaplex.population.progress import progress_bar
from synaplex.population.ranges import pick
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


@contextmanager
def reserved(
    store: ChunkFolder[R],
    spec: Specification,
    seeds: Sequence[int],
    digest: str,
    chunk_size: int | None,
    default: int,
    chunks: Iterable[int] | None,
) -> Iterator[R]:
    """The record of a folder, as `prepare` makes it, while no other process works on the chunks.

    Parameters
    ----------
    store, spec, seeds, digest, chunk_size, default
        See `prepare`; the folder is not locked yet.
    chunks
        Numbers of the chunks to work on, out of those of the seeds; other processes may work on others at the same
        time. None: the whole store is held.

    Raises
    ------
    StoreBusyError
        If another process is at the store, or at one of the chunks.
    StoreMismatchError
        If the folder holds something else.
    SpecificationError
        If there is no chunk of such a number.
    """
    with ExitStack() as held:
        if chunks is None:
            held.enter_context(store.locked())
            record = prepare(store, spec, seeds, digest, chunk_size, default)
        else:
            with store.planning():
                record = prepare(store, spec, seeds, digest, chunk_size, default)
                held.enter_context(store.claimed(pick(record.plan(seeds), chunks)))
        yield record


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
    chunks: Iterable[int] | None = None,
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
    chunks
        Numbers of the chunks to fill, out of those of the seeds; all by default.

    Raises
    ------
    StoreError
        If the engine is done, but a chunk is not there.
    KeyboardInterrupt
        On Ctrl-C; says how much is kept.
    """
    plan = record.plan(seeds) if chunks is None else pick(record.plan(seeds), chunks)
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
    lost = [chunk.index for chunk in missing if not store.is_finished(chunk)]
    if lost:
        raise StoreError(
            f"chunks {lost} were trained, but are not in {store.folder}: is that folder the same on all machines?"
        )


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
