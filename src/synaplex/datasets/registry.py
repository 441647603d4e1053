"""Datasets by name. A family of datasets is one file that registers its loaders here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from synaplex.datasets.dataset import Dataset
from synaplex.errors import UnknownNameError

Loader = Callable[[Path | None], Dataset]
"""Makes a dataset, given the folder where data lie (None where the caller named none)."""

_LOADERS: dict[str, Loader] = {}


def register(name: str) -> Callable[[Loader], Loader]:
    """Make a loader known under a name."""

    def add(loader: Loader) -> Loader:
        _LOADERS[name] = loader
        return loader

    return add


def names() -> tuple[str, ...]:
    """The names that `load` knows."""
    return tuple(sorted(_LOADERS))


def load(name: str, data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """Load a dataset.

    Parameters
    ----------
    name
        ``"digits"`` comes with the package; ``"mnist"``, ``"fashion-mnist"``, ``"cifar10"`` and ``"cifar10-grey"``
        are read from files.
    data_dir
        Folder with one subfolder a dataset, such as ``DATA_DIR/mnist/train-images-idx3-ubyte.gz``; by default
        the environment variable ``SYNAPLEX_DATA``.

    Raises
    ------
    UnknownNameError
        If there is no dataset of that name; suggests the nearest.
    UnreadableFileError
        If a file is missing, truncated or corrupt; names it.

    Examples
    --------
    >>> load("digits")
    Dataset('digits': 1,437 training and 360 test samples, 64 features, 10 classes)
    """
    if name not in _LOADERS:
        raise UnknownNameError("dataset", name, _LOADERS)
    folder = data_dir if data_dir is not None else os.environ.get("SYNAPLEX_DATA") or None
    return _LOADERS[name](Path(folder).expanduser() if folder is not None else None)
