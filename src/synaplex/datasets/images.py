"""Encoded images in Parquet files, as the Hugging Face hub keeps them: a column of bytes and paths, one of labels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Int64, UInt8

from synaplex.errors import UnreadableFileError


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """The rows of a Parquet file of images, not yet decoded.

    Attributes
    ----------
    path
        The file.
    encoded
        An image file (PNG, JPEG, ...) a row.
    labels
        Class indices.
    """

    path: Path
    encoded: tuple[bytes, ...]
    labels: Int64[np.ndarray, " images"]

    def decode(self, row: int, mode: str) -> UInt8[np.ndarray, "height width *channels"]:
        """The pixels of one row, in a mode of Pillow such as ``"L"`` or ``"RGB"``.

        Raises
        ------
        UnreadableFileError
            If the bytes are no image, or a damaged one; names file and row.
        """
        return decode(self.encoded[row], mode, f"{self.path}, row {row}")


def read_parquet_images(path: Path, column: str, classes: int) -> EncodedImages:
    """Read a Parquet file with a column of images, structs of ``bytes`` and ``path``, and a column ``label``.

    Parameters
    ----------
    path
        The file.
    column
        Name of the column of images.
    classes
        How many classes there are; labels are 0 to `classes` - 1.

    Raises
    ------
    UnreadableFileError
        If the file is missing, damaged, of another layout, empty, or holds a label beyond the classes.
    """
    try:
        frame = pl.read_parquet(path).select(pl.col(column).struct.field("bytes"), pl.col("label").cast(pl.Int64))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(
            f"{path} cannot be read; a Parquet file with columns {column} (bytes, path) and label is expected: {error}"
        ) from error
    labels = frame["label"]
    if not len(frame) or frame["bytes"].null_count() or not labels.is_between(0, classes - 1).all():
        raise UnreadableFileError(
            f"{path}: there are no images, an image without bytes, or a label that is none of 0 to {classes - 1}"
        )
    return EncodedImages(path, tuple(frame["bytes"]), labels.to_numpy().copy())


def decode(encoded: bytes, mode: str, where: str) -> UInt8[np.ndarray, "height width *channels"]:
    """The pixels of an image file; `where` names it in the error.

    Raises
    ------
    UnreadableFileError
        If the bytes are no image, or a damaged one.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(encoded)) as image:
            return np.asarray(image.convert(mode))
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for bytes that are no image
        raise UnreadableFileError(f"{where}: not an image, or a damaged one: {error}") from error
