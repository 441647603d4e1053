"""The tensors of safetensors files, found by their headers alone."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from synaplex.checkpoint.formats import FORMATS
from synaplex.checkpoint.stored import StoredTensor
from synaplex.errors import UnreadableFileError

_NAMES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
}
_LONGEST_HEADER = 100_000_000


def stored_safetensors(path: Path) -> list[StoredTensor]:
    """The tensors of a safetensors file, in the order in which it stores them.

    Raises
    ------
    UnreadableFileError
        If the file is truncated, or its header is damaged or does not fit its size; says which of them.
    """
    header, start, size = _header(path)
    tensors = [_tensor(path, name, entry, start) for name, entry in header.items() if name != "__metadata__"]
    end = max((tensor.offset + tensor.length for tensor in tensors), default=start)
    if end > size:
        raise UnreadableFileError(
            f"{path} is truncated: its header tells of {end:,} bytes and it has {size:,}. Download it or save it again"
        )
    return sorted(tensors, key=lambda tensor: tensor.offset)


def _header(path: Path) -> tuple[dict[str, Any], int, int]:
    """The header, where the tensors start, and the size of the file."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _LONGEST_HEADER):
                raise _damaged(path, "its header is longer than the file")
            header = json.loads(file.read(length))
    except FileNotFoundError as error:
        raise UnreadableFileError(f"{path} does not exist") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is no JSON: {error}") from error
    except OSError as error:
        if isinstance(error, UnreadableFileError):
            raise
        raise UnreadableFileError(f"{path} cannot be read: {error.strerror}") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header lists no tensors")
    return header, 8 + length, size


def _tensor(path: Path, name: str, entry: Any, start: int) -> StoredTensor:
    try:
        dtype, shape, (first, last) = str(entry["dtype"]), tuple(entry["shape"]), entry["data_offsets"]
        sound = all(isinstance(number, int) and number >= 0 for number in (*shape, first, last)) and first <= last
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise _damaged(path, f"its header does not tell where {name!r} lies")
    known = _NAMES.get(dtype, dtype.lower())
    form = FORMATS.get(known)
    if form is not None and math.prod(shape) * form.size != last - first:
        raise _damaged(path, f"{name!r} of shape {shape} in {known} cannot lie in {last - first:,} bytes")
    return StoredTensor(name, shape, known, path, start + first, last - first)


def _damaged(path: Path, why: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} is truncated or damaged, or no safetensors file at all ({why}): download it or save it again"
    )
