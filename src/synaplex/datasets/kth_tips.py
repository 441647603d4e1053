"""KTH-TIPS: textures of ten materials under nine scales, three poses and three illuminations, cut into crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from synaplex.datasets.archives import read_archive
from synaplex.datasets.dataset import Dataset
from synaplex.datasets.download import RemoteFile
from synaplex.datasets.images import EncodedImages, read_parquet_images
from synaplex.datasets.registry import register
from synaplex.datasets.sources import locate
from synaplex.errors import UnreadableFileError

FILE = "kth_tips_grey.parquet"
"""Columns ``image``, structs of encoded bytes and a path, and ``label``."""
ARCHIVE = RemoteFile(
    "kth_tips_grey_200x200.tar",
    "https://www.csc.kth.se/cvap/databases/kth-tips/kth_tips_grey_200x200.tar",
    "md5:3aab2bffd539865b237cb3a63dffb14a",
)
"""The authors' own; a folder of PNG files a class."""
CLASSES = (
    "aluminium foil",
    "brown bread",
    "corduroy",
    "cotton",
    "cracker",
    "linen",
    "orange peel",
    "sandpaper",
    "sponge",
    "styrofoam",
)
IMAGE_SIDE = 200
CROP_SIDE = 28
SPLIT_SEED = 0
TEST_SHARE = 35 / 200
"""Scabini & Bruno (2021) put 35 of 200 thousand crops into the test fold."""


@register("kth-tips")
def kth_tips(data_dir: Path | None = None) -> Dataset:
    """30,282 training and 6,321 test crops of 28 x 28 grey pixels divided by 255 (Hayman et al. 2004).

    As Scabini & Bruno (2021), section 3.1, made theirs: images of 200 x 200 pixels only (747 of the 810), each cut into
    7 x 7 crops that do not overlap, from the upper left corner; no image has crops in both folds. Their folds have the
    proportion 165 to 35, which is kept here within each class: 618 images for training, 129 for the test, drawn with
    seed 0. Crops are in random order.

    The paper takes KTH-TIPS2, with 60,000 training and 10,000 test crops drawn from 200,000. This is the original
    KTH-TIPS: all of its crops, half as many. Of the paper's ten classes (aluminium foil, cork, wool, corduroy, linen,
    cotton, brown bread, white bread, wood, cracker) it shares six: aluminium foil, corduroy, linen, cotton, brown bread
    and cracker.
    """
    folder = locate("kth-tips", ((FILE,), (ARCHIVE.name,)), (ARCHIVE,), data_dir)
    stored = _read_archive(folder / ARCHIVE.name) if not (folder / FILE).is_file() else _read_parquet(folder / FILE)
    images, labels = _whole_images(stored)
    rng = np.random.default_rng(SPLIT_SEED)
    test = _draw_test_images(labels, rng)
    (x_train, y_train), (x_test, y_test) = (_shuffled_crops(images[fold], labels[fold], rng) for fold in (~test, test))
    return Dataset(
        name="kth-tips",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=CLASSES,
        description=(
            f"KTH-TIPS (not KTH-TIPS2) in grey: the {len(images)} images of {IMAGE_SIDE} x {IMAGE_SIDE} pixels in "
            f"crops of {CROP_SIDE} x {CROP_SIDE} that do not overlap, divided by 255; {TEST_SHARE:.1%} of each class's "
            f"images for the test, no image in both folds, seed {SPLIT_SEED}"
        ),
    )


def _read_parquet(path: Path) -> EncodedImages:
    return read_parquet_images(path, "image", len(CLASSES))


def _read_archive(path: Path) -> EncodedImages:
    """The PNG files of each class, in the natural order of their names."""
    classes = {name.replace(" ", "_"): label for label, name in enumerate(CLASSES)}
    files = read_archive(path, lambda name: name.endswith(".png") and Path(name).parent.name in classes)
    labels = np.array([classes[Path(name).parent.name] for name in files], dtype=np.int64)
    return EncodedImages(path, tuple(files.values()), labels)


def _whole_images(stored: EncodedImages) -> tuple[UInt8[np.ndarray, "images 200 200"], Int64[np.ndarray, " images"]]:
    """The images that fill the frame; a sample that did not was saved smaller, or in another shape."""
    every = [stored.decode(row, "L") for row in range(len(stored.encoded))]
    whole = np.array([image.shape == (IMAGE_SIDE, IMAGE_SIDE) for image in every])
    labels = stored.labels[whole]
    missing = [name for label, name in enumerate(CLASSES) if label not in labels]
    if missing:
        raise UnreadableFileError(
            f"{stored.path}: there is no image of {IMAGE_SIDE} x {IMAGE_SIDE} pixels of {', '.join(missing)}"
        )
    return np.stack([image for image, kept in zip(every, whole, strict=True) if kept]), labels


def _draw_test_images(labels: Int64[np.ndarray, " images"], rng: np.random.Generator) -> np.ndarray:
    """Which images are for the test: the same share of every class, to the nearest image."""
    test = np.zeros(len(labels), dtype=bool)
    for label in range(len(CLASSES)):
        members = np.flatnonzero(labels == label)
        test[rng.permutation(members)[: round(TEST_SHARE * len(members))]] = True
    return test


def _shuffled_crops(
    images: UInt8[np.ndarray, "images 200 200"], labels: Int64[np.ndarray, " images"], rng: np.random.Generator
) -> tuple[Float[Tensor, "crops 784"], Int64[Tensor, " crops"]]:
    """All crops of the images and their classes, in random order."""
    crops = cut(images)
    order = rng.permutation(len(crops))
    x = torch.from_numpy(crops[order]).flatten(1).float().div_(255)
    return x, torch.from_numpy(labels.repeat(len(crops) // len(images))[order])


def cut(images: UInt8[np.ndarray, "images height width"]) -> UInt8[np.ndarray, "crops 28 28"]:
    """Crops of 28 x 28 pixels side by side from the upper left corner; what is left at the edges falls away."""
    rows, columns = (size // CROP_SIDE for size in images.shape[1:])
    whole = images[:, : rows * CROP_SIDE, : columns * CROP_SIDE]
    tiles = whole.reshape(len(images), rows, CROP_SIDE, columns, CROP_SIDE).swapaxes(2, 3)
    return tiles.reshape(-1, CROP_SIDE, CROP_SIDE)
