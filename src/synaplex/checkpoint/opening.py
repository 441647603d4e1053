"""From a path to the tensors of a checkpoint: one file, or many with an index or in a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from synaplex._shards import whole
from synaplex.checkpoint.onnx_file import stored_onnx
from synaplex.checkpoint.safetensors import stored_safetensors
from synaplex.checkpoint.stored import StoredTensor
from synaplex.checkpoint.torch_file import stored_torch
from synaplex.errors import UnreadableFileError
from synaplex.graph.chain import natural_order
from synaplex.graph.load import file_kind

_READERS: dict[str, Callable[[Path], list[StoredTensor]]] = {
    "safetensors": stored_safetensors,
    "torch": stored_torch,
    "onnx": stored_onnx,
}
_INDEX = ".index.json"
_IN_FOLDERS = ("model.safetensors", "*.safetensors", "pytorch_model.bin", "*.bin")
"""What is looked for where there is no index: first the name of a whole model, beside which an optimiser may lie."""


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a checkpoint, none of them read.

    Attributes
    ----------
    path
        What was opened.
    tensors
        In the file's order, or in the natural order of names (2 before 10) where the files do not tell any.
    files
        The files that hold them.
    """

    path: Path
    tensors: tuple[StoredTensor, ...]
    files: tuple[Path, ...]


def open_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Find the tensors of a checkpoint without reading them.

    Parameters
    ----------
    path
        A file (.safetensors, .pt, .pth, .bin, .ckpt, .onnx), the ``.index.json`` of a sharded checkpoint, or a
        folder: of its index, else ``model.safetensors``, else all safetensors files, else ``pytorch_model.bin``, else
        all ``.bin`` files.

    Raises
    ------
    UnreadableFileError
        If a file is missing, truncated, damaged or of no known kind; names it. Where there is no index, the numbers in
        names such as ``model-00001-of-00003.safetensors`` say how many there must be.
    MissingExtraError
        If it takes a package that is not installed.
    """
    path = Path(path)
    if path.is_dir():
        return _open_folder(path)
    if path.name.endswith(_INDEX):
        return _open_index(path)
    kind = file_kind(path)
    if kind not in _READERS:
        raise UnreadableFileError(
            f"{path} holds {'a Keras model' if kind == 'keras' else 'a graph'}, no named tensors of PyTorch or ONNX: "
            "read it with sx.load"
        )
    tensors = _READERS[kind](path)
    return Checkpoint(path, tuple(_in_natural_order(tensors) if kind == "safetensors" else tensors), (path,))


def _open_folder(folder: Path) -> Checkpoint:
    indices = sorted(folder.glob(f"*{_INDEX}"))
    safe = [path for path in indices if path.name.endswith(f".safetensors{_INDEX}")]
    for found in (safe, indices):
        if len(found) > 1:
            raise UnreadableFileError(f"{folder} holds {len(found)} checkpoints: name one of {_list(found)}")
        if found:
            return _open_index(found[0])
    for pattern in _IN_FOLDERS:
        files = whole(folder, pattern, first=1)
        if files:
            return _gather(folder, files)
    raise UnreadableFileError(f"{folder} holds no checkpoint: no {_INDEX} file, no .safetensors and no .bin files")


def _open_index(path: Path) -> Checkpoint:
    try:
        places = json.loads(path.read_bytes())["weight_map"]
        sound = all(isinstance(name, str) and isinstance(file, str) for name, file in places.items())
    except FileNotFoundError as error:
        raise UnreadableFileError(f"{path} does not exist") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableFileError(f"{path} is truncated or damaged: it maps no names to files") from error
    names = sorted(set(places.values())) if sound else []
    if not names or any(Path(name).name != name for name in names):
        raise UnreadableFileError(f"{path} is damaged: it maps names to what are no files beside it")
    files = [path.parent / name for name in names]
    missing = [file for file in files if not file.is_file()]
    if missing:
        lost = sum(path.parent / file in missing for file in places.values())
        raise UnreadableFileError(
            f"{path.parent} lacks {len(missing)} of {len(files)} files of its checkpoint, with {lost} of {len(places)} "
            f"tensors: {_list(missing)}"
        )
    found = _gather(path, files)
    held = {(tensor.name, tensor.file.name) for tensor in found.tensors}
    lacking = [f"{name!r} in {file}" for name, file in places.items() if (name, file) not in held]
    if lacking:
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise UnreadableFileError(
            f"{path} names tensors that its files do not hold: {', '.join(lacking[:5])}{more}. The files belong to "
            "another checkpoint, or one was saved in part"
        )
    return found


def _gather(path: Path, files: Sequence[Path]) -> Checkpoint:
    """The tensors of several files, each named once."""
    tensors: dict[str, StoredTensor] = {}
    for file in files:
        kind = file_kind(file)
        if kind not in ("safetensors", "torch"):
            raise UnreadableFileError(f"{file} is no file of weights of PyTorch")
        for tensor in _READERS[kind](file):
            if tensor.name in tensors:
                raise UnreadableFileError(
                    f"{path} holds more than one checkpoint: {tensor.name!r} is in {tensors[tensor.name].file.name} "
                    f"and in {file.name}. Name one file"
                )
            tensors[tensor.name] = tensor
    return Checkpoint(path, tuple(_in_natural_order(tensors.values())), tuple(files))


def _in_natural_order(tensors: Iterable[StoredTensor]) -> list[StoredTensor]:
    return sorted(tensors, key=lambda tensor: natural_order(tensor.name))


def _list(files: Sequence[Path], most: int = 6) -> str:
    text = ", ".join(file.name for file in files[:most])
    return text if len(files) <= most else f"{text} and {len(files) - most} more"
