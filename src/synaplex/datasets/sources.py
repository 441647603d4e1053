"""Where the files of a dataset are: in a folder that the caller names, or in the cache, downloaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from synaplex.datasets.download import RemoteFile, fetch
from synaplex.datasets.transfer import transfer_bar
from synaplex.errors import UnreadableFileError


def cache_folder() -> Path:
    """Where downloads are kept: the environment variable SYNAPLEX_CACHE, else the platform's cache folder."""
    named = os.environ.get("SYNAPLEX_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("synaplex")


def locate(dataset: str, layouts: Sequence[Sequence[str]], remote: Sequence[RemoteFile], data_dir: Path | None) -> Path:
    """The folder that holds the files of a dataset.

    It is ``data_dir/dataset``, if there is such a folder. Otherwise it is the folder of that name in the cache, where
    files that are missing are downloaded to, unless the environment variable SYNAPLEX_OFFLINE is set.

    Parameters
    ----------
    dataset
        Name of the folder.
    layouts
        Names of the files, as patterns, in each form in which the dataset is published. One form must be complete.
    remote
        The files of one form.
    data_dir
        The folder that the caller named, if any.

    Raises
    ------
    UnreadableFileError
        If `data_dir` does not exist, or a file is missing and cannot be downloaded; names the files and where to put
        them.
    """
    if data_dir is not None and not data_dir.is_dir():
        raise UnreadableFileError(f"the folder of data {data_dir} does not exist (data_dir= or SYNAPLEX_DATA)")
    if data_dir is not None and (data_dir / dataset).is_dir():
        named = data_dir / dataset
        if not _complete(named, layouts):
            missing = next(pattern for pattern in layouts[0] if not any(named.glob(pattern)))
            raise UnreadableFileError(
                f"there is no {named / missing}: put it there, or name another folder with data_dir= "
                "or the environment variable SYNAPLEX_DATA"
            )
        return named
    cached = cache_folder() / dataset
    if not _complete(cached, layouts):
        _download(dataset, remote, cached, " or ".join(", ".join(files) for files in layouts))
    return cached


def _complete(folder: Path, layouts: Sequence[Sequence[str]]) -> bool:
    return any(all(any(folder.glob(pattern)) for pattern in files) for files in layouts)


def _download(dataset: str, remote: Sequence[RemoteFile], folder: Path, files: str) -> None:
    by_hand = (
        f"Put {files} into DATA_DIR/{dataset}/ and pass data_dir=DATA_DIR, or set the environment variable "
        "SYNAPLEX_DATA to DATA_DIR"
    )
    if os.environ.get("SYNAPLEX_OFFLINE"):
        raise UnreadableFileError(
            f"the files of dataset {dataset!r} are not in {folder}, and SYNAPLEX_OFFLINE forbids to download them. "
            f"{by_hand}"
        )
    try:
        for file in remote:
            with transfer_bar(file.name, file.size) as report:
                fetch(file, folder, report)
    except UnreadableFileError as error:
        raise UnreadableFileError(f"{error}. {by_hand}") from error
