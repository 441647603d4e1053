"""Imagenette: ten classes of ImageNet that are easily told apart, as Parquet files of encoded images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from synaplex._shards import whole
from synaplex.datasets.archives import read_archive
from synaplex.datasets.dataset import Dataset
from synaplex.datasets.download import RemoteFile
from synaplex.datasets.image_folder import fitted, planes
from synaplex.datasets.images import EncodedImages, read_parquet_images
from synaplex.datasets.registry import Loader, register
from synaplex.datasets.sources import locate

CLASSES = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}
"""Names by their numbers in WordNet."""
PARQUET = ("train-*.parquet", "val-*.parquet")
"""Columns ``image``, structs of encoded bytes and a path, and ``label``."""
ARCHIVE = RemoteFile(
    "imagenette2-160.tgz",
    "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
    "md5:e793b78cc4c9e9a4ccc0c1155377a412",
)
"""All 13,394 images, the shorter side 160 pixels; the digest that torchvision checks."""
SIDES = (32, 64, 128)
SIDE = 64
ORDER_SEED = 0


def imagenette(data_dir: Path | None = None, side: int = SIDE) -> Dataset:
    """Images of ten classes of ImageNet, 3 x `side` x `side` pixels divided by 255 (Howard 2019).

    Central squares, resized with antialiasing. The published split: training and validation. Read are Parquet files in
    ``DATA_DIR/imagenet-subset``, in their order; or the archive of its author, shuffled with seed 0.
    """
    folder = locate("imagenet-subset", (PARQUET, (ARCHIVE.name,)), (ARCHIVE,), data_dir)
    if (folder / ARCHIVE.name).is_file():
        parts = [_read_archive(folder / ARCHIVE.name, part) for part in ("train", "val")]
    else:
        parts = [
            [read_parquet_images(path, "image", len(CLASSES)) for path in paths]
            for paths in [whole(folder, pattern) for pattern in PARQUET]
        ]
    x_train, x_test = (
        planes(fitted(images.decode(row, "RGB"), side) for images in part for row in range(len(images.encoded)))
        for part in parts
    )
    y_train, y_test = (torch.from_numpy(np.concatenate([images.labels for images in part])) for part in parts)
    return Dataset(
        name=f"imagenette-{side}",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=tuple(CLASSES.values()),
        description=f"Imagenette, central squares resized to {side} x {side}, red, green, blue planes divided by 255",
    )


def _read_archive(path: Path, part: str) -> list[EncodedImages]:
    files = read_archive(path, lambda name: Path(name).parts[-3:-2] == (part,) and Path(name).parent.name in CLASSES)
    labels = {number: label for label, number in enumerate(CLASSES)}
    names = np.random.default_rng(ORDER_SEED).permutation(list(files))
    found = np.array([labels[Path(name).parent.name] for name in names], dtype=np.int64)
    return [EncodedImages(path, tuple(files[name] for name in names), found)]


def _at(side: int) -> Loader:
    def load(data_dir: Path | None) -> Dataset:
        return imagenette(data_dir, side)

    return load


register("imagenette")(imagenette)
for _side in SIDES:
    register(f"imagenette-{_side}")(_at(_side))
