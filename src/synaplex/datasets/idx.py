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
from synaplex.datasets.download import RemoteFile
from synaplex.datasets.registry import register
from synaplex.datasets.sources import locate
from synaplex.errors import UnreadableFileError

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
UNSIGNED_BYTE = 0x08

MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist"
FASHION_MNIST = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
PUBLISHED = {
    "mnist": (
        (MNIST, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
        (MNIST, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
        (MNIST, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
        (MNIST, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
    ),
    "fashion-mnist": (
        (FASHION_MNIST, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26_421_880),
        (FASHION_MNIST, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29_515),
        (FASHION_MNIST, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4_422_102),
        (FASHION_MNIST, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5_148),
    ),
}
"""Where each of `FILES` lies, SHA-256 and size of the gzipped file."""


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
    packed = tuple(f"{file}.gz" for file in FILES)
    remote = [
        RemoteFile(file, f"{base}/{file}", f"sha256:{digest}", size)
        for file, (base, digest, size) in zip(packed, PUBLISHED[name], strict=True)
    ]
    folder = locate(name, (packed, FILES), remote, data_dir)
    paths = [gz if (gz := folder / f"{file}.gz").is_file() else folder / file for file in FILES]
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
