"""MNIST and the datasets published in its IDX format: big-endian arrays, one a file, usually gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from synaplex.datasets.dataset import Dataset
from synaplex.datasets.registry import register
from synaplex.errors import UnreadableFileError

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
UNSIGNED_BYTE = 0x08


@register("mnist")
def mnist(data_dir: Path | None = None) -> Dataset:
    """60,000 training and 10,000 test digits, 28 x 28 pixels divided by 255 (LeCun et al. 1998)."""
    return _load("mnist", data_dir, classes=tuple(map(str, range(10))))


@register("fashion-mnist")
def fashion_mnist(data_dir: Path | None = None) -> Dataset:
    """60,000 training and 10,000 test clothes, 28 x 28 pixels divided by 255 (Xiao et al. 2017)."""
    return _load(
        "fashion-mnist",
        data_dir,
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    )


def _load(name: str, data_dir: Path | None, classes: tuple[str, ...]) -> Dataset:
    if data_dir is None:
        raise UnreadableFileError(
            f"dataset {name!r} is read from files and no folder is named: "
            f"put {', '.join(f'{file}.gz' for file in FILES)} into DATA_DIR/{name}/ "
            "and pass data_dir=DATA_DIR, or set the environment variable SYNAPLEX_DATA"
        )
    paths = [_find(data_dir / name, file) for file in FILES]
    arrays = [read_idx(path) for path in paths]
    for (images_path, images), (labels_path, labels) in zip(
        zip(paths[::2], arrays[::2], strict=True), zip(paths[1::2], arrays[1::2], strict=True), strict=True
    ):
        if images.ndim < 2 or labels.ndim != 1 or len(images) != len(labels) or len(images) == 0:
            raise UnreadableFileError(
                f"{images_path} and {labels_path} do not belong together: "
                f"arrays of shapes {tuple(images.shape)} and {tuple(labels.shape)}"
            )
        if int(labels.max()) >= len(classes):
            raise UnreadableFileError(
                f"{labels_path} holds label {int(labels.max())}; {name} has {len(classes)} classes"
            )
    x_train, x_test = (images.flatten(1).float().div_(255) for images in arrays[::2])
    y_train, y_test = (labels.long() for labels in arrays[1::2])
    return Dataset(
        name=name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=classes,
        description=f"{name}, IDX files; pixels divided by 255; the published split and order",
    )


def _find(folder: Path, file: str) -> Path:
    for path in (folder / f"{file}.gz", folder / file):
        if path.is_file():
            return path
    raise UnreadableFileError(
        f"there is no {folder / file}.gz: put it there, or name another folder with data_dir= "
        "or the environment variable SYNAPLEX_DATA"
    )


def read_idx(path: Path) -> UInt8[Tensor, "*shape"]:
    """Read one IDX file of unsigned bytes, gzipped where its name ends in ``.gz``.

    Raises
    ------
    UnreadableFileError
        If the file is missing, truncated, too long, corrupt or no IDX file of bytes.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"{path} cannot be read, fetch it again: {error}") from error
    header = 4 + 4 * raw[3] if len(raw) >= 4 else 4
    if len(raw) < header or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE:
        raise UnreadableFileError(f"{path} is not an IDX file of unsigned bytes (it starts with {raw[:4].hex(' ')})")
    shape = [int(size) for size in np.frombuffer(raw, dtype=">u4", count=raw[3], offset=4)]
    if len(raw) != header + math.prod(shape):
        raise UnreadableFileError(
            f"{path} is truncated or corrupt: its header says {' x '.join(map(str, shape))} bytes, "
            f"{len(raw) - header} are there"
        )
    return torch.from_numpy(np.frombuffer(raw, dtype=np.uint8, offset=header).reshape(shape).copy())
