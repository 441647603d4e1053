"""The named tensors of a Keras model or weights file (.h5)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from synaplex.errors import InvalidGraphError, UnreadableFileError, require
from synaplex.graph.named import NamedTensor

_NESTED = frozenset({"Sequential", "Functional", "Model"})
_KEEP_NEURONS = frozenset(
    {
        "Activation",
        "ActivityRegularization",
        "AlphaDropout",
        "BatchNormalization",
        "Dropout",
        "ELU",
        "Flatten",
    }
    | {"GaussianDropout", "GaussianNoise", "InputLayer", "LayerNormalization", "LeakyReLU", "Normalization"}
    | {"PReLU", "ReLU", "Rescaling", "Reshape", "Softmax", "ThresholdedReLU"}
)
"""Layers that act on each neuron by itself, as far as the graph is concerned."""


def read_keras(path: Path, *, only_chains: bool = True) -> list[NamedTensor]:
    """The tensors of a Keras file, layer by layer in the file's order; kernels as ``(out, in)``.

    Parameters
    ----------
    path
        A file by ``model.save("model.h5")`` or, before Keras 3, ``model.save_weights("weights.h5")``.
    only_chains
        Whether to refuse a model that its own configuration says is no chain of dense layers.

    Raises
    ------
    MissingExtraError
        If h5py is not installed.
    UnreadableFileError
        If the file is damaged or of another layout.
    InvalidGraphError
        If the layers are not dense ones, each fed by the one before.
    """
    h5py = require("h5py", "keras")
    try:
        with h5py.File(path, "r") as file:
            root = "model_weights/" if "model_weights" in file else ""
            group = file[root or "/"]
            config = json.loads(file.attrs["model_config"]) if "model_config" in file.attrs else {}
            layers = {layer: _names(group[layer].attrs, "weight_names") for layer in _names(group.attrs, "layer_names")}
            shapes = {layer: [group[layer][name].shape for name in names] for layer, names in layers.items()}
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableFileError(
            f"{path} is truncated or damaged, or no Keras file that lists its layers ({error}); "
            "save it again with model.save('model.h5')"
        ) from error
    kinds = dict(_kinds(config))
    if only_chains:
        _check_kinds(kinds, config, path)
    return [
        _tensor(path, f"{root}{layer}/{name}", layer, shape, kinds.get(layer, ""))
        for layer, names in layers.items()
        for name, shape in zip(names, shapes[layer], strict=True)
    ]


def _names(attributes: Mapping[str, Any], key: str) -> list[str]:
    """A list of names among the attributes; one too long for Keras is spread over key0, key1, ..."""
    parts = [key] if key in attributes else []
    while not parts or parts[-1] != key:
        following = f"{key}{len(parts)}"
        if following not in attributes:
            break
        parts.append(following)
    if not parts:
        raise KeyError(f"there is no attribute {key!r}")
    names = [name for part in parts for name in attributes[part]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _layers(config: Any) -> list[Any]:
    """The configurations of a model's layers; the oldest Keras has a bare list of them."""
    inside = config.get("config", [])
    return list(inside.get("layers", [])) if isinstance(inside, Mapping) else list(inside)


def _kinds(config: Any) -> Iterator[tuple[str, str]]:
    for layer in _layers(config):
        yield str(layer["config"].get("name", layer.get("name", ""))), str(layer["class_name"])
        if layer["class_name"] in _NESTED:
            yield from _kinds(layer)


def _check_kinds(kinds: Mapping[str, str], config: Any, path: Path) -> None:
    """Refuse layers that are neither dense nor neuron by neuron, and layers that branch or join."""
    instead = "To read a chain of dense layers out of it, pass layers=[names in order]"
    for name, kind in kinds.items():
        if kind not in {"Dense"} | _NESTED | _KEEP_NEURONS:
            raise InvalidGraphError(f"layer {name!r} ({kind}) of {path} is not understood. {instead}")
    readers: dict[str, list[str]] = {}
    for layer in _layers(config):
        for feeding in set(_strings(layer.get("inbound_nodes", []))) & kinds.keys():
            readers.setdefault(feeding, []).append(layer["config"].get("name", ""))
    fed = [reader for names in readers.values() for reader in names]
    for name, names in readers.items():
        if len(names) > 1:
            raise InvalidGraphError(
                f"layer {name!r} of {path} feeds several others ({', '.join(map(repr, names))}). {instead}"
            )
    joins = sorted({name for name in fed if fed.count(name) > 1})
    if joins:
        raise InvalidGraphError(f"layer {joins[0]!r} of {path} is fed by several others. {instead}")


def _strings(value: Any) -> Iterator[str]:
    """All texts inside nested lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _tensor(path: Path, place: str, layer: str, shape: tuple[int, ...], kind: str) -> NamedTensor:
    """A tensor of the file, which stands below the group of its layer."""
    name = place.removeprefix("model_weights/").removeprefix(f"{layer}/")
    owner, _, last = name.partition(":")[0].rpartition("/")
    part = {"kernel": "weight"}.get(last, last)
    understood = kind in {"", "Dense"} | _NESTED
    matrix = part == "weight" and len(shape) == 2
    return NamedTensor(
        name=name if name.startswith(f"{layer}/") else f"{layer}/{name}",
        shape=shape[::-1] if matrix else shape,
        read=partial(_read, path, place, matrix),
        layer=owner if kind in _NESTED and owner else layer,
        part=part,
        reason="" if understood else f"belongs to a layer of kind {kind}",
    )


def _read(path: Path, place: str, transposed: bool) -> Tensor:
    h5py = require("h5py", "keras")
    try:
        with h5py.File(path, "r") as file:
            values = torch.as_tensor(file[place][()])
    except OSError as error:
        raise UnreadableFileError(f"{path} is truncated or damaged at {place!r} ({error})") from error
    return values.mT.contiguous() if transposed else values
