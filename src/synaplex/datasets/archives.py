"""Files inside tar archives, read without unpacking anything onto the disk."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable
from pathlib import Path

from synaplex.errors import UnreadableFileError


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
        If the archive is missing, damaged, or holds no such file.
    """
    try:
        with tarfile.open(path) as archive:
            found = {
                member.name: content.read()
                for member in archive
                if member.isfile() and wanted(member.name) and (content := archive.extractfile(member)) is not None
            }
    except (OSError, EOFError, tarfile.TarError) as error:
        raise UnreadableFileError(f"{path} cannot be read, fetch it again: {error}") from error
    if not found:
        raise UnreadableFileError(f"{path} holds none of the files that are expected in it")
    return {name: found[name] for name in sorted(found, key=natural_order)}


def natural_order(name: str) -> list[tuple[int, str]]:
    """Key of an order in which numbers within names count as numbers."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name)]
