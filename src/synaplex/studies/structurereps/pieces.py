"""Pieces: what takes time, each kept on disk once it is finished."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from synaplex.report.files import replacing

FORMAT = 1
"""Of the pieces: a change of what they hold makes old ones useless."""

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
