"""Checkpoints of sparse training: one safetensors file with everything that a run needs to go on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from synaplex.errors import UnreadableFileError
from synaplex.sparse.evolution import Evolution


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    evolution: Evolution,
    *,
    tensors: Mapping[str, Tensor] | None = None,
    told: Mapping[str, Any] | None = None,
) -> None:
    """Write model, optimiser and evolution, and whatever else is given, whole or not at all.

    Parameters
    ----------
    tensors, told
        Further tensors, and further values that JSON can hold, by name.

    Raises
    ------
    UnwritableFileError
        If it cannot be written.
    """
    held = {f"model.{name}": one for name, one in model.state_dict().items()}
    state = optimizer.state_dict()
    plain: dict[str, dict[str, Any]] = {}
    for index, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                held[f"optimizer.{index}.{name}"] = value
            else:
                plain.setdefault(str(index), {})[name] = value
    evolved = evolution.state_dict()
    held |= {f"evolution.{name}": one for name, one in evolved.items() if isinstance(one, Tensor)}
    held |= {f"given.{name}": one for name, one in (tensors or {}).items()}
    text = {"evolution": evolved["told"], "groups": state["param_groups"], "plain": plain, "given": dict(told or {})}
    _replace(path, held, {"synaplex": json.dumps(text)})


def save_model(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write the state dict of a model, whole or not at all, so that `synaplex.load` can read it.

    Tensors that share memory are written each for itself, which the format asks for. Folders that are missing are made.

    Parameters
    ----------
    model
        Any module.
    path
        The file, in the format of safetensors.

    Raises
    ------
    UnwritableFileError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from synaplex.graph import load
    >>> from synaplex.sparse import sparsify
    >>> model = sparsify(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), epsilon=5)
    >>> path = Path(tempfile.mkdtemp(), "model.safetensors")
    >>> save_model(model, path)
    >>> load(path).sizes
    (64, 32, 10)
    """
    _replace(Path(path), model.state_dict(), {"format": "pt"})


def _replace(path: Path, tensors: Mapping[str, Tensor], text: dict[str, str]) -> None:
    from synaplex.report.files import replacing

    with replacing(path) as part:
        # A copy each: a file of tensors cannot hold two that share memory.
        copies = {name: one.detach().cpu().contiguous().clone() for name, one in tensors.items()}
        try:
            save_file(copies, part, text)
        except SafetensorError as error:  # how it tells of a full disk
            raise OSError(str(error)) from error


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, evolution: Evolution
) -> dict[str, Tensor]:
    """Take up what `save_checkpoint` wrote; returns the further tensors.

    Raises
    ------
    UnreadableFileError
        If the file is damaged, or none of these.
    """
    try:
        with safe_open(path, "pt") as file:
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    except (SafetensorError, OSError) as error:
        raise UnreadableFileError(f"{path} is no checkpoint of sparse training: {error}") from error
    text = _told(path)
    model.load_state_dict(_part(held, "model."))
    state: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in text["plain"].items()}
    for name, value in _part(held, "optimizer.").items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": text["groups"]})
    evolution.load_state_dict({"told": text["evolution"], **_part(held, "evolution.")})
    return _part(held, "given.")


def told_by(path: Path) -> dict[str, Any]:
    """The further values that `save_checkpoint` was given; reads the head of the file alone."""
    given: dict[str, Any] = _told(path)["given"]
    return given


def _told(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, "pt") as file:
            text: dict[str, Any] = json.loads((file.metadata() or {})["synaplex"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise UnreadableFileError(f"{path} is no checkpoint of sparse training: {error}") from error
    return text


def _part(held: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): one for name, one in held.items() if name.startswith(prefix)}
