"""Datasets by name. A family of datasets is one file that registers its loaders here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from synaplex.datasets.dataset import Dataset
from synaplex.datasets.image_folder import image_folder
from synaplex.errors import SpecificationError, UnknownNameError

Loader = Callable[[Path | None], Dataset]
"""Makes a dataset, given the folder where data lie (None where the caller named none)."""

_LOADERS: dict[str, Loader] = {}


def register(name: str, *, replace: bool = False) -> Callable[[Loader], Loader]:
    """Make a loader known under a name.

    Parameters
    ----------
    name
        Under which `load` finds it.
    replace
        Whether the name may be that of another dataset, which is then no longer found.

    Raises
    ------
    SpecificationError
        If the name is taken.
    """
    if name in _LOADERS and not replace:
        raise SpecificationError(
            f"there is a dataset {name!r} already: choose another name, or put yours in its place with replace=True"
        )

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
        ``"digits"`` comes with the package and ``"two-moons"`` is drawn; the others of `names` are read from files. Or
        the path of a folder of images, with a separator in it; see `image_folder`.
    data_dir
        Folder with one subfolder a dataset, such as ``DATA_DIR/mnist/train-images-idx3-ubyte.gz``; by default
        the environment variable ``SYNAPLEX_DATA``. A dataset that has no subfolder there is downloaded, once, into
        the cache (the environment variable ``SYNAPLEX_CACHE``, else that of the platform), unless ``SYNAPLEX_OFFLINE``
        is set.

    Raises
    ------
    UnknownNameError
        If there is no dataset of that name; suggests the nearest.
    UnreadableFileError
        If a file is missing and cannot be downloaded, truncated or corrupt; names it.
    UnwritableFileError
        If a download cannot be written.

    Examples
    --------
    >>> load("digits")
    Dataset('digits': 1,437 training and 360 test samples, 64 features, 10 classes)
    """
    if name not in _LOADERS and (os.sep in name or "/" in name):
        return image_folder(Path(name).expanduser())
    if name not in _LOADERS:
        raise UnknownNameError("dataset", name, _LOADERS)
    folder = data_dir if data_dir is not None else os.environ.get("SYNAPLEX_DATA") or None
    return _LOADERS[name](Path(folder).expanduser() if folder is not None else None)
