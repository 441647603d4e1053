"""Who may work on a store: one process on the whole of it, or several, each on chunks of its own.

    .lock               held by a process that works on the whole store, and shortly by each that plans its part
    .locks/00010        held by the process that works on chunk 10 only

Only locks of the operating system are taken, which it releases when the process that holds them dies. A file system
without them is refused: a lock that is a file which exists would outlive its process, and keep the store busy for ever.
The files stay: removing them would let two processes lock two files of one name.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, SoftFileLock, Timeout

from synaplex.errors import StoreBusyError, UnwritableFileError

_NATIVE: dict[str, Any] = {"fallback_to_soft": False} if hasattr(FileLock, "fallback_to_soft") else {}
"""Options of a lock that is one of the operating system or none; earlier releases have no such option."""

PATIENCE = 60.0
"""Seconds that a process waits for others to plan their part."""


class FolderLocks:
    """The locks of a store.

    Parameters
    ----------
    folder
        Of the store; it exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._claims = folder / ".locks"

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Hold the whole store.

        Raises
        ------
        StoreBusyError
            If another process works on it, or on some of its chunks.
        UnwritableFileError
            If the locks cannot be written.
        """
        with self._held(self._folder / ".lock", 0.0, f"another process is training into {self._folder}"):
            for claim in sorted(self._claims.glob("*")):
                with self._held(claim, 0.0, f"another process is training chunk {int(claim.name)} of {self._folder}"):
                    pass
            yield

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Hold the record of the store for a moment; waits up to `PATIENCE` for others.

        Raises
        ------
        StoreBusyError
            If another process holds it for longer, since it works on the whole store.
        UnwritableFileError
            If the lock cannot be written.
        """
        with self._held(self._folder / ".lock", PATIENCE, f"another process is training into the whole {self._folder}"):
            yield

    @contextmanager
    def claimed(self, chunks: Sequence[int]) -> Iterator[None]:
        """Hold some chunks; to be begun while `planning`, and kept beyond.

        Raises
        ------
        StoreBusyError
            If another process holds one of them; names it.
        UnwritableFileError
            If the locks cannot be written.
        """
        with ExitStack() as held:
            for index in chunks:
                busy = f"another process is training chunk {index} of {self._folder}"
                held.enter_context(self._held(self._claims / f"{index:05d}", 0.0, busy))
            yield

    @contextmanager
    def _held(self, path: Path, patience: float, busy: str) -> Iterator[None]:
        try:
            path.parent.mkdir(exist_ok=True)
            lock = FileLock(path, **_NATIVE)
            try:
                lock.acquire(timeout=patience)
            finally:
                if isinstance(lock, SoftFileLock):  # what some releases turn it into where there is no flock
                    lock.release()
                    raise OSError(errno.ENOSYS, "flock is missing")
        except Timeout:
            raise StoreBusyError(f"{busy}; wait for it, or choose another folder") from None
        except (OSError, NotImplementedError) as error:  # the latter by earlier releases, for ENOSYS
            missing = not isinstance(error, OSError) or error.errno == errno.ENOSYS
            advice = ". Keep the store on a file system that has locks, or mount this one with flock" if missing else ""
            raise UnwritableFileError(f"{path} cannot be locked: {error}{advice}") from error
        try:
            yield
        finally:
            lock.release()
