"""What a group leaves on disk: a checkpoint after every epoch, and its tables when it is done.

NAME-DIGEST/checkpoint.safetensors   everything that is needed to go on: one file for all members, for they take
their steps together
NAME-DIGEST/epochs.parquet           a row a network and epoch
NAME-DIGEST/hubs.parquet             null models at snapshots
NAME-DIGEST/neurons.safetensors      centralities of all neurons at snapshots, ``METHOD/VERSION/EPOCH``
NAME-DIGEST/networks.safetensors     the trained networks, ``METHOD/...``
NAME-DIGEST/finished.json            written last: where it is, nothing is trained again
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import Tensor

from synaplex.errors import UnreadableFileError
from synaplex.report.files import replacing, write_text
from synaplex.studies.heath.member import Member
from synaplex.studies.heath.observing import EPOCHS, HUBS
from synaplex.studies.heath.plan import Group

CHECKPOINT, FINISHED = "checkpoint.safetensors", "finished.json"


@dataclass(frozen=True, eq=False)
class Piece:
    """What there is of a group.

    Attributes
    ----------
    group
        Which.
    done
        Epochs that are behind it.
    epochs, hubs
        Tables, as far as they go; columns `EPOCHS` and `HUBS`.
    neurons
        Centralities of all neurons at snapshots, ``METHOD/VERSION/EPOCH``.
    lost
        Methods whose loss was no number any more, and the epoch of that.
    seconds
        That training took.
    """

    group: Group
    done: int
    epochs: pl.DataFrame
    hubs: pl.DataFrame
    neurons: Mapping[str, np.ndarray]
    lost: Mapping[str, int]
    seconds: float

    @property
    def finished(self) -> bool:
        """Whether it is trained to the end."""
        return self.done >= self.group.epochs


def save_checkpoint(folder: Path, members: Sequence[Member], done: int, seconds: float) -> None:
    """Write everything that is needed to go on after epoch `done`, whole or not at all."""
    held: dict[str, Tensor] = {}
    told: list[dict[str, Any]] = []
    for i, member in enumerate(members):
        held |= {f"{i}/model/{name}": one for name, one in member.model.state_dict().items()}
        for name, parameter in member.parameters().items():
            momentum = member.momentum(parameter)
            if name.startswith("slopes"):
                held[f"{i}/slopes/{name}"] = parameter.detach()
            if momentum is not None:
                held[f"{i}/momentum/{name}"] = momentum
        held |= {f"{i}/neurons/{name}": torch.from_numpy(one) for name, one in member.snapshots.items()}
        evolved = member.evolution.state_dict() if member.evolution else {}
        held |= {f"{i}/evolution/{name}": one for name, one in evolved.items() if isinstance(one, Tensor)}
        told.append({"rows": member.rows, "hubs": member.hubs, "lost": member.lost, "evolution": evolved.get("told")})
    text = json.dumps({"done": done, "seconds": seconds, "members": told})
    tensors = {name: one.detach().cpu().contiguous().clone() for name, one in held.items()}
    with replacing(folder / CHECKPOINT) as part:
        save_file(tensors, part, {"synaplex": text})


def load_checkpoint(folder: Path, members: Sequence[Member]) -> tuple[int, float]:
    """Take up what `save_checkpoint` wrote, if there is anything; returns the epochs and the seconds behind it.

    Raises
    ------
    UnreadableFileError
        If the file is damaged.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return 0, 0.0
    told = _told(path)
    with safe_open(path, "pt") as file:
        held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    for i, (member, own) in enumerate(zip(members, told["members"], strict=True)):
        member.model.load_state_dict(_part(held, f"{i}/model/"))
        if member.evolution is not None:
            member.evolution.load_state_dict({"told": own["evolution"], **_part(held, f"{i}/evolution/")})
        slopes, momentum = _part(held, f"{i}/slopes/"), _part(held, f"{i}/momentum/")
        for name, parameter in member.parameters().items():
            there = None if name not in momentum else momentum[name].to(parameter.device)
            member.keep(parameter, slopes.get(name, parameter.detach()), there)
        member.snapshots = {name: one.numpy() for name, one in _part(held, f"{i}/neurons/").items()}
        member.rows, member.hubs, member.lost = own["rows"], own["hubs"], own["lost"]
    return int(told["done"]), float(told["seconds"])


def save_results(folder: Path, group: Group, members: Sequence[Member], seconds: float) -> None:
    """Write the tables and networks of a group that is done, and remove its checkpoint."""
    epochs, hubs = _tables([(member.method.name, member.rows, member.hubs) for member in members])
    for name, table in (("epochs", epochs), ("hubs", hubs)):
        with replacing(folder / f"{name}.parquet") as part:
            table.write_parquet(part)
    neurons = {f"{m.method.name}/{name}": torch.from_numpy(one) for m in members for name, one in m.snapshots.items()}
    networks = {f"{m.method.name}/{name}": one for m in members for name, one in m.model.state_dict().items()}
    networks |= {f"{m.method.name}/slopes.{i}": one for m in members for i, one in enumerate(m.slopes)}
    for name, tensors in (("neurons", neurons), ("networks", networks)):
        with replacing(folder / f"{name}.safetensors") as part:
            save_file({key: one.detach().cpu().contiguous().clone() for key, one in tensors.items()}, part)
    lost = {member.method.name: member.lost for member in members if member.lost is not None}
    write_text(folder / FINISHED, json.dumps({"epochs": group.epochs, "seconds": seconds, "lost": lost}) + "\n")
    (folder / CHECKPOINT).unlink(missing_ok=True)


def read_piece(folder: Path, group: Group) -> Piece | None:
    """What there is of a group: its results, or the rows in its checkpoint; None where it has not begun.

    Raises
    ------
    UnreadableFileError
        If a file is damaged.
    """
    finished = folder / FINISHED
    if not finished.is_file():
        try:
            return _unfinished(folder / CHECKPOINT, group) if (folder / CHECKPOINT).is_file() else None
        except (UnreadableFileError, SafetensorError, OSError):
            if not finished.is_file():  # else another process has just come to the end
                raise
    told = json.loads(finished.read_text())
    epochs, hubs = (pl.read_parquet(folder / f"{name}.parquet") for name in ("epochs", "hubs"))
    neurons = load_file(folder / "neurons.safetensors")
    return Piece(group, group.epochs, epochs, hubs, neurons, told["lost"], told["seconds"])


def _unfinished(path: Path, group: Group) -> Piece:
    told = _told(path)
    names = [method.name for method in group.methods]
    own = list(zip(names, told["members"], strict=True))
    epochs, hubs = _tables([(name, one["rows"], one["hubs"]) for name, one in own])
    with safe_open(path, "np") as file:
        neurons = {
            f"{names[int(i)]}/{name}": file.get_tensor(key)
            for key in file.keys()  # noqa: SIM118
            for i, kind, name in (key.split("/", 2),)
            if kind == "neurons"
        }
    lost = {name: one["lost"] for name, one in own if one["lost"] is not None}
    return Piece(group, told["done"], epochs, hubs, neurons, lost, told["seconds"])


def _tables(members: Sequence[tuple[str, list[Any], list[Any]]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [{"method": name, **row} for name, own, _ in members for row in own]
    hubs = [{"method": name, **row} for name, _, own in members for row in own]
    return pl.DataFrame(rows, schema=EPOCHS), pl.DataFrame(hubs, schema=HUBS)


def _told(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, "pt") as file:
            text: dict[str, Any] = json.loads((file.metadata() or {})["synaplex"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise UnreadableFileError(f"{path} is no checkpoint of this study: {error}. Remove it to begin anew") from error
    return text


def _part(held: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): one for name, one in held.items() if name.startswith(prefix)}
