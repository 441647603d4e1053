"""The bytes of a chunk's files, the same for the same values: Parquet for tables, safetensors for weights."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from synaplex.errors import UnreadableFileError


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """A table as Parquet: zstandard, floats split into streams of bytes (which saves another eighth)."""
    floats = [name for name, dtype in frame.schema.items() if dtype.is_float()]
    sink = io.BytesIO()
    pq.write_table(
        frame.to_arrow(),
        sink,
        compression="zstd",
        use_dictionary=[name for name in frame.columns if name not in floats],
        use_byte_stream_split=floats,
    )
    return sink.getvalue()


def weights_bytes(
    seeds: Sequence[int],
    weights: Sequence[Float[Tensor, "networks _out _in"]],
    biases: Sequence[Float[Tensor, "networks _out"]],
) -> bytes:
    """Weights as safetensors: ``seeds``; ``layer1.weight``, ``layer1.bias``, ..., layer 0 being the input."""
    tensors = {f"layer{i}.weight": weight.contiguous() for i, weight in enumerate(weights, 1)}
    tensors |= {f"layer{i}.bias": bias.contiguous() for i, bias in enumerate(biases, 1)}
    return save({"seeds": torch.tensor(list(seeds), dtype=torch.int64), **tensors})


def read_rows(path: Path) -> int:
    """Number of rows of a Parquet file, from its footer.

    Raises
    ------
    UnreadableFileError
        If the file is missing, truncated or no Parquet file.
    """
    try:
        return pq.ParquetFile(path).metadata.num_rows  # type: ignore[no-any-return]
    except (OSError, ValueError) as error:  # pyarrow's errors derive from ValueError
        raise UnreadableFileError(f"{path} is damaged: {error}") from error


def read_seeds(path: Path) -> list[int]:
    """The seeds in a file that `weights_bytes` made; reads no weights, but checks that the file is whole.

    Raises
    ------
    UnreadableFileError
        If the file is missing, truncated or of another layout.
    """
    with _opened(path) as file:
        return [int(seed) for seed in file.get_tensor("seeds")]


def read_weights(
    path: Path, rows: Sequence[int]
) -> tuple[list[Float[Tensor, "networks _out _in"]], list[Float[Tensor, "networks _out"]]]:
    """Weights and biases of some networks of a file that `weights_bytes` made, by their positions.

    Raises
    ------
    UnreadableFileError
        If the file is missing, truncated or of another layout.
    """
    with _opened(path) as file:
        names = set(file.keys())
        weights, biases = (
            [
                file.get_slice(name)[list(rows)]
                for name in (f"layer{i}.{kind}" for i in range(1, len(names)))
                if name in names
            ]
            for kind in ("weight", "bias")
        )
        return weights, biases


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise UnreadableFileError(f"{path} is damaged: {error}") from error
