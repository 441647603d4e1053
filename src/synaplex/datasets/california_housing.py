"""California housing: what a house was worth, by block group of the census of 1990."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import torch
from jaxtyping import Float

from synaplex.datasets.archives import read_archive
from synaplex.datasets.dataset import Dataset
from synaplex.datasets.download import RemoteFile
from synaplex.datasets.registry import register
from synaplex.datasets.sources import locate
from synaplex.datasets.splitting import shuffled_split, standardised
from synaplex.datasets.tables import read_columns

COLUMNS = ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude")
TARGET = "MedHouseVal"
FILE = "california_housing.parquet"
ARCHIVE = RemoteFile(
    "cal_housing.tgz",
    "https://ndownloader.figshare.com/files/5976036",
    "sha256:aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
)
"""The table as StatLib published it; the copy, and the digest, that scikit-learn uses."""
RAW = ("Longitude", "Latitude", "HouseAge", "rooms", "bedrooms", "Population", "households", "MedInc", TARGET)
TEST_SHARE = 0.2
SPLIT_SEED = 0


@register("california-housing")
def california_housing(data_dir: Path | None = None) -> Dataset:
    """16,512 training and 4,128 test block groups, 8 features, one target: a regression (Pace & Barry 1997).

    Features are standardised by means and standard deviations of the training rows. The target is the median value of a
    house in 100,000 US dollars, as it is (0.15 to 5, capped there). Rows are shuffled with seed 0 before the split.
    """
    folder = locate("california-housing", ((FILE,), (ARCHIVE.name,)), (ARCHIVE,), data_dir)
    table = (
        read_columns(folder / FILE, (*COLUMNS, TARGET)) if (folder / FILE).is_file() else _raw(folder / ARCHIVE.name)
    )
    train, test = shuffled_split(len(table), TEST_SHARE, SPLIT_SEED)
    x_train, x_test = (
        torch.as_tensor(x, dtype=torch.float32) for x in standardised(table[train, :-1], table[test, :-1])
    )
    y_train, y_test = (torch.as_tensor(table[rows, -1:], dtype=torch.float32) for rows in (train, test))
    return Dataset(
        name="california-housing",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        description=(
            "California housing, block groups of 1990; features standardised by the training rows, target in 100,000 "
            f"US dollars; rows shuffled with seed {SPLIT_SEED}, {TEST_SHARE:.0%} for the test"
        ),
    )


def _raw(path: Path) -> Float[np.ndarray, "rows 9"]:
    """The published table in the form of `COLUMNS` and target: counts of a block group become means of a household."""
    (content,) = read_archive(path, lambda name: name.endswith("cal_housing.data")).values()
    raw = pl.read_csv(io.BytesIO(content), has_header=False, new_columns=RAW, schema_overrides=[pl.Float64] * len(RAW))
    frame = raw.with_columns(
        pl.col(TARGET) / 100_000,
        AveRooms=pl.col("rooms") / pl.col("households"),
        AveBedrms=pl.col("bedrooms") / pl.col("households"),
        AveOccup=pl.col("Population") / pl.col("households"),
    )
    return frame.select(*COLUMNS, TARGET).to_numpy()
