"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synaplex.errors import UnwritableFileError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new file to write to, beside `path`, that takes its place when all went well.

    Folders that are missing are made. Whatever goes wrong, the file that lay at `path` before stays as it was, and
    nothing half-written is left.

    Raises
    ------
    UnwritableFileError
        In the place of any `OSError` inside: no space, no permission, a folder of that name.
    """
    target = Path(path)
    part = _beside(target, target.parent)
    try:
        _check_folders(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnwritableFileError(f"cannot write {target}: {reason}. Nothing was changed there") from error
    finally:
        if part.parent.is_dir():
            part.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text file in UTF-8, whole or not at all; see `replacing`."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `UnwritableFileError` now if a file could not be written there later, before any work is done for it.

    Nothing is left behind: folders that are missing are made with the file.
    """
    target = Path(path)
    try:
        probe = _beside(target, _check_folders(target))
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UnwritableFileError(f"cannot write {target}: {error.strerror or error}") from error


def _beside(target: Path, folder: Path) -> Path:
    """A name in a folder that no other file has."""
    return folder / f".{target.name}.{secrets.token_hex(4)}.part"


def _check_folders(target: Path) -> Path:
    """The folder of a file, or the nearest one above it that is there already; raises `OSError` if it can be none."""
    if target.is_dir():
        raise IsADirectoryError(f"there is a folder of that name: name a file in it, such as {target / 'result'}")
    there = next((folder for folder in target.parents if os.path.lexists(folder)), target.parent)
    if not there.is_dir():
        raise NotADirectoryError(f"{there} is a file, no folder: choose another place")
    return there
