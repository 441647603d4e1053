"""Files inside tar archives, read without unpacking anything onto the disk."""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from synaplex.errors import UnreadableFileError

_PIECE = 2**20
_DAMAGE: tuple[type[Exception], ...] = (OSError, EOFError, tarfile.TarError, zlib.error)
"""What is raised for bytes that are not those that were written."""
with suppress(ImportError):  # a Python that was built without it opens no such archive
    import lzma

    _DAMAGE += (lzma.LZMAError,)


def read_archive(path: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Contents of the files of an archive by name, in the natural order of names (2 before 10).

    Parameters
    ----------
    path
        A tar file, compressed or not.
    wanted
        Whether a file of such a name is to be read.

    Raises
    ------
    UnreadableFileError
        If the archive is missing, damaged, cut off, or holds no such file.
    """
    try:
        with tarfile.open(path) as archive:
            found = {
                member.name: content.read()
                for member in archive
                if member.isfile() and wanted(member.name) and (content := archive.extractfile(member)) is not None
            }
            _check_end(archive)
    except _DAMAGE as error:
        raise UnreadableFileError(f"{path} cannot be read, fetch it again: {error}") from error
    if not found:
        raise UnreadableFileError(f"{path} holds none of the files that are expected in it")
    return {name: found[name] for name in sorted(found, key=natural_order)}


def _check_end(archive: tarfile.TarFile) -> None:
    """Raise unless the last file is followed by the mark of the end, and all behind it can be read.

    The mark is a block of zeros: tarfile takes a damaged header, or the end of what came, for the end of the archive
    too. The checksum of what was packed comes last and is compared only by who reads so far.
    """
    stream = archive.fileobj
    assert stream is not None
    stream.seek(archive.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError(f"it is cut off or damaged after {len(archive.getmembers())} files")
    while stream.read(_PIECE):
        pass


def natural_order(name: str) -> list[tuple[int, str]]:
    """Key of an order in which numbers within names count as numbers."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name)]
