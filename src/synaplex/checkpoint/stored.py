"""A tensor as it lies in a file: where its bytes are, and how they are read a part at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synaplex.errors import UnreadableFileError

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A named tensor of a checkpoint, whose bytes are read when they are asked for.

    Attributes
    ----------
    name
        Its name in the checkpoint.
    shape
        Its shape as stored.
    dtype
        Its number format, as torch calls it, without ``torch.``.
    file
        The file that holds it.
    offset, length
        Where its bytes lie in the file.
    held
        Its bytes, where they are in memory (or mapped into it) already.
    transposed
        Whether it is stored ``(in, out, ...)`` rather than ``(out, in, ...)``.
    same_as
        The name of a tensor that it shares its memory with.
    reason
        Why it is not measured, where its file says so.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    file: Path
    offset: int = 0
    length: int = 0
    held: Bytes | None = None
    transposed: bool = False
    same_as: str = ""
    reason: str = ""

    @property
    def count(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def blocks(self, pieces: Iterable[tuple[int, int]], into: Bytes) -> Iterator[Bytes]:
        """Bytes `start` to `stop` (exclusive) of the tensor for each pair: in `into`, or a view where they are held.

        Raises `UnreadableFileError` where the file has become shorter.
        """
        if self.held is not None:
            for start, stop in pieces:
                yield self.held[start:stop]
            return
        try:
            with self.file.open("rb", buffering=0) as file:
                for start, stop in pieces:
                    file.seek(self.offset + start)
                    wanted = into[: stop - start]
                    rest = wanted.data
                    while rest and (got := file.readinto(rest)):
                        rest = rest[got:]
                    if rest:
                        raise UnreadableFileError(f"{self.file} became shorter while it was read")
                    yield wanted
        except OSError as error:
            if isinstance(error, UnreadableFileError):
                raise
            raise UnreadableFileError(f"{self.file} cannot be read: {error.strerror or error}") from error
