"""The initialisers of an ONNX model, external ones left in their file until they are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from synaplex.checkpoint.formats import FORMATS
from synaplex.checkpoint.stored import StoredTensor
from synaplex.errors import UnreadableFileError, require

_NAMES = {"float": "float32", "double": "float64", "float8e4m3fn": "float8_e4m3fn", "float8e5m2": "float8_e5m2"}
_NAMES |= {"float8e4m3fnuz": "float8_e4m3fnuz", "float8e5m2fnuz": "float8_e5m2fnuz", "float8e8m0": "float8_e8m0fnu"}


def stored_onnx(path: Path) -> list[StoredTensor]:
    """The initialisers of an ONNX model, in its order.

    Whether a matrix is stored ``(in, out)`` is read off the nodes that use it: MatMul, Gemm, ConvTranspose. The model
    itself (at most 2 GB) is held in memory, its external data is not.

    Raises
    ------
    UnreadableFileError
        If the model is damaged, or its external data is missing, too short or outside its folder.
    MissingExtraError
        If the package onnx is not installed.
    """
    onnx = require("onnx", "onnx")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except FileNotFoundError as error:
        raise UnreadableFileError(f"{path} does not exist") from error
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["it cannot be parsed"])[0]
        raise UnreadableFileError(f"{path} is truncated or damaged, or no ONNX model ({reason})") from error
    turned = {name for node in model.graph.node for name in _transposed(node)}
    tensors = [_stored(onnx, path, tensor, tensor.name in turned) for tensor in model.graph.initializer]
    for sparse in model.graph.sparse_initializer:
        shape = tuple(sparse.dims)
        dtype = _dtype(onnx, sparse.values)
        tensors.append(StoredTensor(sparse.values.name, shape, dtype, path, reason="the tensor is sparse"))
    return tensors


def _transposed(node: Any) -> list[str]:
    """The inputs of a node that it reads as ``(in, out)``."""
    if len(node.input) < 2:
        return []
    if node.op_type == "Gemm":
        swapped = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        return [] if swapped else [node.input[1]]
    return [node.input[1]] if node.op_type in ("MatMul", "ConvTranspose") else []


def _dtype(onnx: Any, tensor: Any) -> str:
    name: str = onnx.TensorProto.DataType.Name(tensor.data_type).lower()
    return _NAMES.get(name, name)


def _stored(onnx: Any, path: Path, tensor: Any, transposed: bool) -> StoredTensor:
    shape, dtype = tuple(tensor.dims), _dtype(onnx, tensor)
    form = FORMATS.get(dtype)
    expected = None if form is None else int(np.prod(shape, dtype=np.int64)) * form.size
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        file, offset, length = _external(path, tensor.name, entries, expected)
        return StoredTensor(tensor.name, shape, dtype, file, offset, length, transposed=transposed)
    if form is None:
        return StoredTensor(tensor.name, shape, dtype, path)
    if tensor.HasField("raw_data"):
        held = np.frombuffer(tensor.raw_data, np.uint8)
    else:
        held = np.ascontiguousarray(onnx.numpy_helper.to_array(tensor)).reshape(-1).view(np.uint8)
    if len(held) != expected:
        raise UnreadableFileError(f"{path} is damaged: {tensor.name!r} of shape {shape} holds {len(held):,} bytes")
    return StoredTensor(tensor.name, shape, dtype, path, length=len(held), held=held, transposed=transposed)


def _external(path: Path, name: str, entries: Mapping[str, str], expected: int | None) -> tuple[Path, int, int]:
    """File, offset and length of external data, checked."""
    folder = path.parent.resolve()
    file = (folder / entries.get("location", "")).resolve()
    if not file.is_relative_to(folder) or file == folder:
        raise UnreadableFileError(
            f"{path} was not read: it looks for {name!r} outside its folder, in {entries.get('location', '')!r}"
        )
    try:
        size = file.stat().st_size
    except OSError as error:
        raise UnreadableFileError(f"{file}, where {path.name} keeps {name!r}, is missing") from error
    try:
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(size - offset if expected is None else expected)))
    except ValueError as error:
        raise UnreadableFileError(f"{path} is damaged: it does not tell where {name!r} lies in {file.name}") from error
    if offset < 0 or offset + length > size or expected not in (None, length):
        raise UnreadableFileError(
            f"{file} is truncated, or belongs to another model: {name!r} of {path.name} should lie in its bytes "
            f"{offset:,} to {offset + (length if expected is None else expected):,}, and it has {size:,}"
        )
    return file, offset, length
