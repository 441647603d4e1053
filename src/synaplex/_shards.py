"""Files that are numbered parts of one whole, such as ``model-00001-of-00003.safetensors``."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from synaplex.errors import UnreadableFileError

_NUMBERED = re.compile(r"(?P<stem>.*)-(?P<number>\d+)-of-(?P<total>\d+)(-\w+)?\.")
"""The hub of Hugging Face puts a mark of letters and digits behind the numbers at times."""
_LISTED = 6


def whole(folder: Path, pattern: str, *, first: int = 0) -> list[Path]:
    """The files of a folder whose names match a pattern, in the order of names; of a numbered set, all of it.

    Parameters
    ----------
    folder
        Where the files are.
    pattern
        Of their names, such as ``"train-*.parquet"``.
    first
        Number that a set begins with, where none of its files tells: 0 by custom for tables, 1 for weights.

    Raises
    ------
    UnreadableFileError
        If a file says that it is one of several and one of these is missing; or if there are files of two sets of one
        name. Names what is missing.
    """
    files = sorted(folder.glob(pattern))
    sets: dict[tuple[str, str], dict[int, list[str]]] = {}
    for file in files:
        if found := _NUMBERED.match(file.name):
            totals = sets.setdefault((found["stem"], file.suffix), {})
            totals.setdefault(int(found["total"]), []).append(found["number"])
    for (stem, suffix), totals in sets.items():
        if len(totals) > 1:
            raise UnreadableFileError(
                f"{folder} holds files of several sets: of {' and of '.join(map(str, sorted(totals)))} files "
                f"{stem}-*{suffix}; keep one"
            )
        ((total, numbers),) = totals.items()
        _check(folder, stem, total, numbers, first)
    return files


def _check(folder: Path, stem: str, total: int, numbers: list[str], first: int) -> None:
    """Raise `UnreadableFileError` unless there are as many numbers as a set should have."""
    there = {int(number) for number in numbers}
    if there & {0, total}:
        first = 0 if 0 in there else 1
    asked = range(first, first + total)
    lost = total - len(there.intersection(asked))
    if lost:
        digits = len(numbers[0])
        missing = (f"{stem}-{number:0{digits}}-of-{total:0{digits}}" for number in asked if number not in there)
        more = f" and {lost - _LISTED} more" if lost > _LISTED else ""
        raise UnreadableFileError(
            f"{folder} lacks {lost} of {total} files: {', '.join(islice(missing, _LISTED))}{more}. Put them there"
        )
