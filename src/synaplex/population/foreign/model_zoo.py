"""Model zoos of Schürholt et al. (2022): a folder a network, with its configuration, results and checkpoints."""

from __future__ import annotations

import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from torch import Tensor

from synaplex.errors import UnreadableFileError
from synaplex.graph.checkpoints import read_torch
from synaplex.population.foreign.base import ForeignPopulation

CONFIGURATIONS = ("params.json", "config.json")
RESULTS, EPOCH = "result.json", "training_iteration"
_CHECKPOINT = re.compile(r"checkpoint_(\d+)")


class ModelZoo(ForeignPopulation):
    """A zoo of models as Ray Tune leaves them behind.

    Each subfolder with a ``params.json`` or ``config.json`` is a network, numbered from 0 in the order of names. Its
    ``result.json`` has a line, an object, an epoch; ``checkpoint_000050/checkpoints`` is a state dict of PyTorch, from
    which only tensors are loaded (``weights_only``).

    Parameters
    ----------
    folder
        Of the zoo.

    Raises
    ------
    UnreadableFileError
        If there is no network.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__(folder)
        self._folders = sorted({path.parent for name in CONFIGURATIONS for path in self.folder.glob(f"*/{name}")})
        if not self._folders:
            raise UnreadableFileError(f"{self.folder} holds no folder with a params.json or config.json")

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(range(len(self._folders)))

    def configuration(self, seed: int) -> dict[str, Any]:
        """What a network was trained with, as its authors wrote it down."""
        folder = self._folders[seed]
        path = next(folder / name for name in CONFIGURATIONS if (folder / name).is_file())
        return _object(path, path.read_text(encoding="utf-8"))

    @cached_property
    def _results(self) -> pl.DataFrame:
        rows: list[dict[str, Any]] = []
        for seed, folder in enumerate(self._folders):
            path = folder / RESULTS
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
            for number, line in enumerate(lines):
                if not line.strip():
                    continue
                result = _object(path, line)
                plain = {key: value for key, value in result.items() if isinstance(value, str | int | float | bool)}
                rows.append({"seed": seed, "epoch": int(result.get(EPOCH, number)), "name": folder.name, **plain})
        if not rows:
            return pl.DataFrame(schema={"seed": pl.Int64, "epoch": pl.Int64, "name": pl.String})
        return pl.DataFrame(rows, infer_schema_length=None, strict=False)

    def networks(self) -> pl.DataFrame:
        """A row a line of ``result.json``: ``seed``, ``epoch``, ``name`` of the folder, and the line's plain values."""
        return self._results

    def epochs(self, seed: int) -> tuple[int, ...]:
        return tuple(sorted(self._checkpoints(seed)))

    def _checkpoints(self, seed: int) -> dict[int, Path]:
        found = {}
        for path in self._folders[seed].glob("checkpoint_*/checkpoints"):
            if match := _CHECKPOINT.fullmatch(path.parent.name):
                found[int(match[1])] = path
        return found

    def _read(self, seed: int, epoch: int) -> dict[str, Tensor]:
        return {tensor.name: tensor.read() for tensor in read_torch(self._checkpoints(seed)[epoch])}


def _object(path: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableFileError(f"{path} is damaged: {error}") from error
    if not isinstance(found, dict):
        raise UnreadableFileError(f"{path} is damaged: an object is expected, not {text[:40]!r}")
    return found
