"""The named tensors of PyTorch's weight files: safetensors, and what `torch.save` writes."""

from __future__ import annotations

import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.serialization import safe_globals

from synaplex.errors import UnreadableFileError
from synaplex.graph.named import NamedTensor, state_tensors

_WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params")
"""Keys under which training scripts put the state dict of the model."""


def read_safetensors(path: Path) -> list[NamedTensor]:
    """The tensors of a safetensors file; each is read when it is asked for."""
    from safetensors import SafetensorError, safe_open

    def read(name: str) -> Tensor:
        with safe_open(path, framework="pt") as file:
            tensor: Tensor = file.get_tensor(name)
        return tensor

    tensors = []
    try:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118
                view = file.get_slice(name)
                floating = view.get_dtype().startswith(("F", "BF"))
                shape = tuple(view.get_shape())
                tensors.append(NamedTensor.of_state(name, shape, partial(read, name), floating=floating))
    except (SafetensorError, OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{path} is truncated or damaged, or no safetensors file at all ({error}): download it or save it again"
        ) from error
    return tensors


def read_torch(path: Path) -> list[NamedTensor]:
    """The tensors of a file by `torch.save`, without running any code that the file may hold."""
    state = _state(_unpickle(path), path)
    return state_tensors({name: value for name, value in state.items() if isinstance(value, Tensor)})


def _numbers() -> list[Any]:
    """What a NumPy number in a file names, such as the accuracy that a training script kept: data, and no code."""
    scalar = np.float64().__reduce__()[0]
    types = [getattr(np.dtypes, name) for name in dir(np.dtypes) if name.endswith("DType") and name != "ObjectDType"]
    names = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]  # of NumPy 1, and 2
    return [np.dtype, *names, *types]


def _unpickle(path: Path) -> Any:
    # Only the format that torch writes by default can be mapped into memory: a zip file.
    # Of a file named .safetensors torch takes the suffix for the truth.
    mapped = zipfile.is_zipfile(path) and path.suffix != ".safetensors"
    try:
        with warnings.catch_warnings(), safe_globals(_numbers()), path.open("rb") as file:
            warnings.simplefilter("ignore")
            return torch.load(path if mapped else file, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        name = found[1] if found else _foreign_name(path)
        if not name:
            raise _damaged(path, error) from error
        raise UnreadableFileError(
            f"{path} was not opened: besides tensors it names {name!r}, and to open it would run code "
            "from the file. If you trust it, open it yourself and save the tensors alone: "
            "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
        ) from error
    except Exception as error:
        raise _damaged(path, error) from error


def _foreign_name(path: Path) -> str:
    """A function or class that a plain pickle names, by reading its instructions without following them."""
    texts: list[str] = []
    names: list[str] = []
    try:
        with path.open("rb") as file:
            for instruction, argument, _ in pickletools.genops(file):
                if instruction.name == "GLOBAL":
                    names.append(str(argument).replace(" ", "."))
                elif instruction.name == "STACK_GLOBAL":
                    names.append(".".join(texts[-2:]))
                elif isinstance(argument, str):
                    texts.append(argument)
    except (ValueError, OSError):  # not a pickle to the end: what was found so far counts
        pass
    return next((name for name in names if not name.startswith(("torch.", "collections."))), "")


def _damaged(path: Path, error: Exception) -> UnreadableFileError:
    reason = (str(error).strip().splitlines() or [""])[0]
    if not reason or reason.startswith("Weights only load failed"):
        reason = "it ends or changes where it should not"
    return UnreadableFileError(
        f"{path} is truncated or damaged, or was not written by torch.save ({reason}): download it or save it again"
    )


def _state(loaded: Any, path: Path) -> Mapping[str, Any]:
    """The state dict in what a file held, inside the usual wrappers or not."""
    if isinstance(loaded, Mapping):
        inside = [key for key in _WRAPPERS if isinstance(loaded.get(key), Mapping)]
        if len(inside) == 1:
            return _state(loaded[inside[0]], path)
        if not inside and any(isinstance(value, Tensor) for value in loaded.values()):
            return {str(name): value for name, value in loaded.items()}
        keys = ", ".join(map(repr, list(loaded)[:12]))
        raise UnreadableFileError(
            f"{path} holds no state dict at its top and {'several' if inside else 'none'} inside; its keys "
            f"are {keys}. Save the state dict of the one model you mean"
        )
    raise UnreadableFileError(f"{path} holds a {type(loaded).__name__} where a state dict of names and tensors belongs")
