"""Forest Covertype: which trees grow on patches of 30 x 30 metres, by what a map says of them."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import torch
from jaxtyping import Float

from synaplex.datasets.dataset import Dataset
from synaplex.datasets.download import RemoteFile
from synaplex.datasets.registry import register
from synaplex.datasets.sources import locate
from synaplex.datasets.splitting import shuffled_split, standardised
from synaplex.datasets.tables import read_columns
from synaplex.errors import UnreadableFileError

QUANTITIES = (
    "Elevation",
    "Aspect",
    "Slope",
    "Horizontal_Distance_To_Hydrology",
    "Vertical_Distance_To_Hydrology",
    "Horizontal_Distance_To_Roadways",
    "Hillshade_9am",
    "Hillshade_Noon",
    "Hillshade_3pm",
    "Horizontal_Distance_To_Fire_Points",
)
COLUMNS = (
    *QUANTITIES,
    *(f"Wilderness_Area{i}" for i in range(1, 5)),
    *(f"Soil_Type{i}" for i in range(1, 41)),
    "Cover_Type",
)
CLASSES = (
    "spruce or fir",
    "lodgepole pine",
    "ponderosa pine",
    "cottonwood or willow",
    "aspen",
    "Douglas fir",
    "krummholz",
)
FILE = "covtype.parquet"
ARCHIVE = RemoteFile(
    "covtype.data.gz",
    "https://ndownloader.figshare.com/files/5976039",
    "sha256:614360d0257557dd1792834a85a1cdebfadc3c4f30b011d56afee7ffb5b15771",
)
"""Text, as UCI published it; the copy, and the digest, that scikit-learn uses."""
TEST_SHARE = 0.2
SPLIT_SEED = 0


@register("covtype")
def covtype(data_dir: Path | None = None) -> Dataset:
    """464,810 training and 116,202 test patches, 54 features, 7 classes (Blackard & Dean 1999).

    The 10 quantities are standardised by means and standard deviations of the training rows; the 44 marks of wilderness
    area and soil type stay 0 or 1. Neighbouring rows of the files are neighbouring patches, so rows are shuffled with
    seed 0 before the split; the balanced training set that UCI's first 11,340 rows are is not used.
    """
    folder = locate("covtype", ((FILE,), (ARCHIVE.name,)), (ARCHIVE,), data_dir)
    path = folder / FILE if (folder / FILE).is_file() else folder / ARCHIVE.name
    table = read_columns(path, COLUMNS) if path.suffix == ".parquet" else _read_text(path)
    if not np.isin(table[:, -1], np.arange(1, len(CLASSES) + 1)).all():
        raise UnreadableFileError(f"{path}: Cover_Type is not 1 to {len(CLASSES)} in all rows")
    train, test = shuffled_split(len(table), TEST_SHARE, SPLIT_SEED)
    quantities = standardised(*(table[rows, : len(QUANTITIES)] for rows in (train, test)))
    x_train, x_test = (
        torch.as_tensor(np.hstack([values, table[rows, len(QUANTITIES) : -1]]), dtype=torch.float32)
        for values, rows in zip(quantities, (train, test), strict=True)
    )
    y_train, y_test = (torch.as_tensor(table[rows, -1] - 1, dtype=torch.int64) for rows in (train, test))
    return Dataset(
        name="covtype",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=CLASSES,
        description=(
            "Forest Covertype; quantities standardised by the training rows, marks as they are; "
            f"rows shuffled with seed {SPLIT_SEED}, {TEST_SHARE:.0%} for the test"
        ),
    )


def _read_text(path: Path) -> Float[np.ndarray, "rows 55"]:
    try:
        frame = pl.read_csv(io.BytesIO(gzip.decompress(path.read_bytes())), has_header=False)
        table = frame.select(pl.all().cast(pl.Float64)).to_numpy()
    except (OSError, EOFError, zlib.error, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(f"{path} cannot be read, fetch it again: {error}") from error
    if table.shape[1] != len(COLUMNS):
        raise UnreadableFileError(f"{path}: {table.shape[1]} columns, {len(COLUMNS)} expected")
    return table
