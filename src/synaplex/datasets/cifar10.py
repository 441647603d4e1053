"""CIFAR-10 from Parquet files of encoded images, as the Hugging Face hub has it, or from its authors' archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from synaplex._shards import whole
from synaplex.datasets.archives import read_archive
from synaplex.datasets.dataset import Dataset
from synaplex.datasets.download import RemoteFile
from synaplex.datasets.images import EncodedImages, read_parquet_images
from synaplex.datasets.registry import register
from synaplex.datasets.sources import locate
from synaplex.errors import UnreadableFileError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
SMALL_SIDE = 28
RECORD = 1 + 3 * SIDE**2

PARQUET = ("train-*.parquet", "test-*.parquet")
"""Columns ``img``, structs of encoded bytes and a path, and ``label``."""
ARCHIVE = RemoteFile(
    "cifar-10-binary.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    170_052_171,
)
"""The authors' own, lossless: no class of Python is read from it."""

Convert = Callable[[UInt8[np.ndarray, "32 32 3"]], UInt8[np.ndarray, "height width *channels"]]
"""What becomes of the pixels of a picture."""


@register("cifar10")
def cifar10(data_dir: Path | None = None) -> Dataset:
    """50,000 training and 10,000 test images, 3 x 32 x 32 pixels divided by 255 (Krizhevsky 2009).

    A sample's 3,072 features are its red, then green, then blue pixels, each row by row.
    """
    return _load("cifar10", data_dir, _colour, "red, green, blue planes")


@register("cifar10-grey")
def cifar10_grey(data_dir: Path | None = None) -> Dataset:
    """CIFAR-10 in grey: 32 x 32 pixels, luma of ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B) divided by 255."""
    return _load("cifar10-grey", data_dir, _grey, "luma")


@register("cifar10-grey-28")
def cifar10_grey_28(data_dir: Path | None = None) -> Dataset:
    """CIFAR-10 in grey, 28 x 28 pixels: the luma of ITU-R BT.601, made smaller with antialiasing, divided by 255.

    Scabini & Bruno (2021), section 3.1, use grey images of 28 x 28 pixels and do not say how they were made. Here each
    pixel is a mean of those beneath it with triangular weights (Pillow's ``BILINEAR``, whose triangle widens with the
    reduction), which keeps the whole object: a central crop would cut a quarter of the picture away.
    """
    return _load(
        "cifar10-grey-28", data_dir, _small_grey, f"luma, resized to {SMALL_SIDE} x {SMALL_SIDE} with antialiasing"
    )


def _colour(pixels: UInt8[np.ndarray, "32 32 3"]) -> UInt8[np.ndarray, "32 32 3"]:
    return pixels


def _grey(pixels: UInt8[np.ndarray, "32 32 3"]) -> UInt8[np.ndarray, "32 32"]:
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).convert("L"))


def _small_grey(pixels: UInt8[np.ndarray, "32 32 3"]) -> UInt8[np.ndarray, "28 28"]:
    from PIL import Image

    grey = Image.fromarray(pixels).convert("L")
    return np.asarray(grey.resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.BILINEAR))


def _load(name: str, data_dir: Path | None, convert: Convert, what: str) -> Dataset:
    folder = locate("cifar10", (PARQUET, (ARCHIVE.name,)), (ARCHIVE,), data_dir)
    if (folder / ARCHIVE.name).is_file():
        source = "the authors' binary archive"
        parts = _read_archive(folder / ARCHIVE.name, convert)
    else:
        paths = [whole(folder, pattern) for pattern in PARQUET]
        source = f"Parquet files of encoded images{_loss(paths[0][0])}"
        parts = [_read_parquet(part, convert) for part in paths]
    (x_train, y_train), (x_test, y_test) = parts
    return Dataset(
        name=name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=CLASSES,
        description=f"CIFAR-10, {source}, in their order; {what}, divided by 255",
    )


def _read_parquet(paths: Sequence[Path], convert: Convert) -> tuple[Float[Tensor, "n pixels"], Int64[Tensor, " n"]]:
    """The images and labels of all files of one part."""
    stored = [read_parquet_images(path, "img", len(CLASSES)) for path in paths]
    pictures = (_sized(images, row) for images in stored for row in range(len(images.encoded)))
    return _tensors(pictures, np.concatenate([images.labels for images in stored]), convert)


def _loss(path: Path) -> str:
    """What has to be said of how images were compressed."""
    first = read_parquet_images(path, "img", len(CLASSES)).encoded[0]
    return " (JPEG, which is lossy: accuracies are not exactly comparable)" if first.startswith(b"\xff\xd8") else ""


def _sized(images: EncodedImages, row: int) -> UInt8[np.ndarray, "32 32 3"]:
    """The pixels of a row, which must have the size of CIFAR-10."""
    pixels = images.decode(row, "RGB")
    if pixels.shape[:2] != (SIDE, SIDE):
        height, width = pixels.shape[:2]
        raise UnreadableFileError(f"{images.path}, row {row}: {width} x {height} pixels, {SIDE} x {SIDE} expected")
    return pixels


def _read_archive(path: Path, convert: Convert) -> list[tuple[Float[Tensor, "_ pixels"], Int64[Tensor, " _"]]]:
    """Both parts: files of records of a byte, the label, and 3,072 bytes, the planes of red, green and blue."""
    files = read_archive(path, lambda name: name.endswith(".bin"))
    parts = []
    for part in ("data_batch", "test_batch"):
        raw = b"".join(content for name, content in files.items() if part in name)
        if not raw or len(raw) % RECORD:
            raise UnreadableFileError(f"{path}: {part} holds {len(raw):,} bytes, a multiple of {RECORD} is expected")
        records = np.frombuffer(raw, dtype=np.uint8).reshape(-1, RECORD)
        labels = records[:, 0].astype(np.int64)
        if labels.max() >= len(CLASSES):
            raise UnreadableFileError(f"{path}: {part} holds a label that is none of 0 to {len(CLASSES) - 1}")
        planes = records[:, 1:].reshape(-1, 3, SIDE, SIDE)
        parts.append(_tensors(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels, convert))
    return parts


def _tensors(
    pictures: Iterable[UInt8[np.ndarray, "32 32 3"]], labels: Int64[np.ndarray, " n"], convert: Convert
) -> tuple[Float[Tensor, "n pixels"], Int64[Tensor, " n"]]:
    converted = np.stack([convert(pixels) for pixels in pictures])
    planes = torch.from_numpy(converted.reshape(*converted.shape[:3], -1)).permute(0, 3, 1, 2).flatten(1)
    return planes.float().div_(255), torch.from_numpy(labels)
