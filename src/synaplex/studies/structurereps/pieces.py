"""Pieces: what takes time, each kept on disk once it is finished."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from synaplex.errors import StoreMismatchError, UnreadableFileError
from synaplex.report.files import replacing, write_text

FORMAT = 1
"""Of the pieces: a change of what they hold makes old ones useless."""

BASIS = "basis"
"""The folder of what pieces rest on beyond their identities."""

Arrays = Mapping[str, np.ndarray]


class Pieces:
    """The finished pieces of a study in a folder.

    Parameters
    ----------
    folder
        Where they lie.

    Attributes
    ----------
    seconds
        What making those asked for took, in this run or an earlier one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds = 0.0

    def rest_on(self, what: str, value: str) -> None:
        """Keep what the pieces rest on beyond their identities, such as the digest of a dataset, and refuse another.

        A small file for each lies beside the pieces; it is written where there is none.

        Parameters
        ----------
        what
            Its name, for the file and for readers.
        value
            What it is, in lines.

        Raises
        ------
        StoreMismatchError
            If the pieces rest on another; quotes the lines that differ.
        UnreadableFileError
            If the file cannot be read.
        """
        name = re.sub(r"[^\w.-]+", "-", what)
        file = self.folder / BASIS / f"{name}.txt"
        try:
            kept = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            write_text(file, value)
            return
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableFileError(f"{file} cannot be read: {error}") from error
        if kept != value:
            there, here = kept.splitlines(), value.splitlines()
            raise StoreMismatchError(
                f"{self.folder} holds networks and fits of another {what} ({_beyond(there, here)}; here "
                f"{_beyond(here, there)}), which would be taken for those asked for: choose another folder"
            )

    def get(self, name: str, identity: object, make: Callable[[], Arrays]) -> Arrays:
        """What a finished piece holds, or else what `make` makes, which is kept.

        Parameters
        ----------
        name
            Of the piece, with folders. A digest of `identity` is put behind it, so that a piece of other settings is
            never taken for this one.
        identity
            What it depends on, of a telling `repr`.
        make
            Computes it.
        """
        digest = hashlib.sha256(repr((FORMAT, identity)).encode()).hexdigest()[:12]
        file = self.folder / f"{name}-{digest}.safetensors"
        if file.is_file():
            found = load_file(file)
        else:
            started = time.perf_counter()
            made = make()
            found = {key: np.ascontiguousarray(value) for key, value in made.items()}
            found["seconds"] = np.array(time.perf_counter() - started)
            with replacing(file) as part:
                save_file(found, part)
        self.seconds += float(found["seconds"])
        return found


def _beyond(lines: list[str], others: list[str]) -> str:
    """What some lines say that others do not."""
    return ", ".join(line for line in lines if line not in others) or "nothing more"
