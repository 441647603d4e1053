"""Images of your own: a folder a class, with image files in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from synaplex.datasets.archives import natural_order
from synaplex.datasets.dataset import Dataset
from synaplex.datasets.images import decode
from synaplex.errors import SpecificationError, UnreadableFileError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
TRAIN, TEST = ("train", "training"), ("test", "val", "valid", "validation")


def image_folder(
    folder: str | os.PathLike[str],
    *,
    side: int = 28,
    grey: bool = True,
    test_share: float = 0.2,
    seed: int = 0,
    name: str | None = None,
) -> Dataset:
    """A dataset of the images in a folder.

    Where the folder has subfolders ``train`` and ``test`` (or ``val``), these are the two parts, each with a folder a
    class; otherwise it has a folder a class itself, and a share of each class is drawn for the test. Classes are in the
    order of their names. Files and folders whose names begin with a dot are passed over.

    Parameters
    ----------
    folder
        Where the images are.
    side
        Each image is cropped to the largest square in its middle and resized, with antialiasing, to so many pixels a
        side.
    grey
        Whether to read luma (ITU-R BT.601) instead of red, green and blue.
    test_share
        Of the images of each class, where the folder names no test set.
    seed
        Decides which these are, and the order of the training images.
    name
        Of the dataset; by default that of the folder.

    Raises
    ------
    UnreadableFileError
        If there is no such folder, there are no classes or no images, a class is in the test set only, or an image is
        damaged; names it.
    SpecificationError
        If a value makes no sense, or a class is too small to be split.

    Examples
    --------
    >>> image_folder("textures", side=32)  # doctest: +SKIP
    Dataset('textures': 1,600 training and 400 test samples, 1024 features, 4 classes)
    """
    if side < 1 or not 0 < test_share < 1:
        raise SpecificationError(f"side must be at least 1 and test_share between 0 and 1, got {side} and {test_share}")
    root = Path(folder)
    if not root.is_dir():
        why = "a file, no folder" if root.exists() else "no folder: it does not exist"
        raise UnreadableFileError(f"{root} is {why}")
    rng = np.random.default_rng(seed)
    train, test = _part(root, TRAIN), _part(root, TEST)
    if train and test:
        classes = _classes(train)
        alone = [name for name in _classes(test) if name not in classes]
        if alone:
            raise UnreadableFileError(f"{test} holds classes that {train} has not: {', '.join(alone)}")
        parts = [_files(train, classes), _files(test, classes)]
    else:
        classes = _classes(root)
        parts = _split(_files(root, classes), classes, test_share, rng)
    order = rng.permutation(len(parts[0]))
    parts[0] = [parts[0][i] for i in order]
    (x_train, y_train), (x_test, y_test) = (_read(files, side, grey) for files in parts)
    return Dataset(
        name=name or root.resolve().name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=classes,
        description=(
            f"images of a folder, {'luma' if grey else 'red, green, blue planes'}, central squares resized to "
            f"{side} x {side}, divided by 255; "
            + ("its own test set" if train and test else f"{test_share:.0%} of each class for the test, seed {seed}")
        ),
    )


def _part(root: Path, names: Iterable[str]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _classes(folder: Path) -> tuple[str, ...]:
    names = (path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = tuple(sorted(names, key=natural_order))
    if not found:
        raise UnreadableFileError(f"{folder} holds no folder a class: put images into folders with the classes' names")
    return found


def _files(folder: Path, classes: tuple[str, ...]) -> list[tuple[Path, int]]:
    """Image files and their classes, in natural order."""
    files = []
    for label, name in enumerate(classes):
        images = [
            path
            for path in (folder / name).rglob("*")
            if path.suffix.lower() in SUFFIXES and path.is_file() and not _hidden(path.relative_to(folder))
        ]
        if not images:
            raise UnreadableFileError(f"{folder / name} holds no image ({', '.join(SUFFIXES)})")
        files += [(path, label) for path in sorted(images, key=lambda path: natural_order(str(path)))]
    return files


def _hidden(path: Path) -> bool:
    """Whether a file, or a folder on the way to it, is one that systems put there for themselves."""
    return any(part.startswith(".") for part in path.parts)


def _split(
    files: list[tuple[Path, int]], classes: tuple[str, ...], share: float, rng: np.random.Generator
) -> list[list[tuple[Path, int]]]:
    """The same share of each class for the test, at least one image and not all."""
    train, test = [], []
    for label, name in enumerate(classes):
        members = [file for file in files if file[1] == label]
        cut = max(1, round(share * len(members)))
        if cut >= len(members):
            raise SpecificationError(
                f"class {name!r} has {len(members)} images, too few to put {share:.0%} into a test set"
            )
        order = rng.permutation(len(members))
        test += [members[i] for i in order[:cut]]
        train += [members[i] for i in order[cut:]]
    return [train, test]


def _read(
    files: list[tuple[Path, int]], side: int, grey: bool
) -> tuple[Float[Tensor, "n features"], Int64[Tensor, " n"]]:
    pixels = (fitted(decode(path.read_bytes(), "L" if grey else "RGB", str(path)), side) for path, _ in files)
    return planes(pixels), torch.tensor([label for _, label in files], dtype=torch.int64)


def fitted(pixels: UInt8[np.ndarray, "height width *channels"], side: int) -> UInt8[np.ndarray, "side side *channels"]:
    """The largest square in the middle of an image, resized with antialiasing (Pillow's ``BILINEAR``)."""
    from PIL import Image

    height, width = pixels.shape[:2]
    least = min(height, width)
    top, left = (height - least) // 2, (width - least) // 2
    square = pixels[top : top + least, left : left + least]
    if least == side:
        return square
    return np.asarray(Image.fromarray(square).resize((side, side), Image.Resampling.BILINEAR))


def planes(pictures: Iterable[UInt8[np.ndarray, "side side *channels"]]) -> Float[Tensor, "n features"]:
    """Images as rows of features: one plane of a colour after the other, divided by 255."""
    stacked = np.stack(list(pictures))
    channels_last = torch.from_numpy(stacked.reshape(*stacked.shape[:3], -1))
    return channels_last.permute(0, 3, 1, 2).flatten(1).float().div_(255)
