"""CIFAR-10 from Parquet files of encoded images: a column ``img`` of bytes and paths, a column ``label``."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from synaplex.datasets.dataset import Dataset
from synaplex.datasets.registry import register
from synaplex.errors import UnreadableFileError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32


@register("cifar10")
def cifar10(data_dir: Path | None = None) -> Dataset:
    """50,000 training and 10,000 test images, 3 x 32 x 32 pixels divided by 255 (Krizhevsky 2009).

    A sample's 3,072 features are its red, then green, then blue pixels, each row by row.
    """
    return _load("cifar10", data_dir, "RGB", "red, green, blue planes")


@register("cifar10-grey")
def cifar10_grey(data_dir: Path | None = None) -> Dataset:
    """CIFAR-10 in grey: 32 x 32 pixels, luma of ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B) divided by 255."""
    return _load("cifar10-grey", data_dir, "L", "luma")


def _load(name: str, data_dir: Path | None, mode: str, pixels: str) -> Dataset:
    if data_dir is None:
        raise UnreadableFileError(
            f"dataset {name!r} is read from files and no folder is named: put train-*.parquet and test-*.parquet "
            "into DATA_DIR/cifar10/ and pass data_dir=DATA_DIR, or set the environment variable SYNAPLEX_DATA"
        )
    x_train, y_train = _read_part(data_dir / "cifar10", "train", mode)
    x_test, y_test = _read_part(data_dir / "cifar10", "test", mode)
    return Dataset(
        name=name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=CLASSES,
        description=f"CIFAR-10, Parquet files of encoded images, in their order; {pixels} divided by 255",
    )


def _read_part(folder: Path, part: str, mode: str) -> tuple[Float[Tensor, "images pixels"], Int64[Tensor, " images"]]:
    """The images and labels of all files of one part, in the order of their names."""
    paths = sorted(folder.glob(f"{part}-*.parquet"))
    if not paths:
        raise UnreadableFileError(
            f"there is no {folder / part}-*.parquet: put it there, or name another folder with data_dir= "
            "or the environment variable SYNAPLEX_DATA"
        )
    pieces = [_read_file(path, mode) for path in paths]
    images = torch.cat([pixels for pixels, _ in pieces]) if len(pieces) > 1 else pieces[0][0]
    return images.float().div_(255), torch.cat([labels for _, labels in pieces])


def _read_file(path: Path, mode: str) -> tuple[UInt8[Tensor, "images pixels"], Int64[Tensor, " images"]]:
    try:
        frame = pl.read_parquet(path).select(pl.col("img").struct.field("bytes"), pl.col("label").cast(pl.Int64))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(
            f"{path} cannot be read; a Parquet file with columns img (bytes, path) and label is expected: {error}"
        ) from error
    labels = frame["label"]
    if not len(frame) or frame["bytes"].null_count() or not labels.is_between(0, len(CLASSES) - 1).all():
        raise UnreadableFileError(
            f"{path}: there are no images, an image without bytes, or a label that is none of 0 to {len(CLASSES) - 1}"
        )
    pixels = np.empty((len(frame), SIDE, SIDE, 3 if mode == "RGB" else 1), dtype=np.uint8)
    for row, encoded in enumerate(frame["bytes"]):
        pixels[row] = _decode(encoded, mode, f"{path}, row {row}").reshape(pixels.shape[1:])
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2).flatten(1)
    return planes, torch.from_numpy(labels.to_numpy().copy())


def _decode(encoded: bytes, mode: str, where: str) -> UInt8[np.ndarray, "height width *channels"]:
    """The pixels of one encoded image."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(encoded)) as image:
            pixels = np.asarray(image.convert(mode))
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for bytes that are no image
        raise UnreadableFileError(f"{where}: not an image, or a damaged one: {error}") from error
    if pixels.shape[:2] != (SIDE, SIDE):
        raise UnreadableFileError(f"{where}: {pixels.shape[1]} x {pixels.shape[0]} pixels, {SIDE} x {SIDE} expected")
    return pixels
