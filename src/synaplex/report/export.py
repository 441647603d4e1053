"""Tables as files, with a record of how they were made."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from synaplex.errors import SpecificationError
from synaplex.report.files import replacing, write_text

SUFFIXES = (".parquet", ".csv")


def check_table_name(path: str | os.PathLike[str]) -> None:
    """Raise `SpecificationError` unless the name says which of the known kinds of table a file is to be."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise SpecificationError(f"{Path(path)} names no kind of table: end it in {' or '.join(SUFFIXES)}")


def write_table(frame: pl.DataFrame, path: str | os.PathLike[str], record: Mapping[str, Any]) -> list[Path]:
    """Write a table, whole or not at all, with a record of how it was made.

    Parameters
    ----------
    frame
        The table.
    path
        Its suffix decides: ``.parquet`` keeps the record in the file's metadata, a JSON text under the key
        ``synaplex``; ``.csv`` has it beside it, in a file of the same name and ``.json``.
    record
        Plain data, such as options by measure.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    SpecificationError
        For another suffix.
    UnwritableFileError
        If a file cannot be written; what lay there before stays.
    """
    check_table_name(path)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    target = Path(path)
    if target.suffix.lower() == ".csv":
        beside = write_text(target.with_name(f"{target.name}.json"), f"{text}\n")
        return [write_text(target, frame.write_csv()), beside]
    content = io.BytesIO()
    frame.write_parquet(content, metadata={"synaplex": text})
    with replacing(target) as part:
        part.write_bytes(content.getvalue())
    return [target]


def read_record(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The record of a table by `write_table`; empty where there is none."""
    target = Path(path)
    if target.suffix.lower() == ".csv":
        beside = target.with_name(f"{target.name}.json")
        text = beside.read_text(encoding="utf-8") if beside.exists() else "{}"
    else:
        text = pl.read_parquet_metadata(target).get("synaplex", "{}")
    record: dict[str, Any] = json.loads(text)
    return record
