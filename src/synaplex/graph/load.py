"""From a file to a graph, whatever the file holds."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree.ElementTree import ParseError

from synaplex.errors import SpecificationError, UnreadableFileError
from synaplex.graph.chain import chain
from synaplex.graph.checkpoints import read_safetensors, read_torch
from synaplex.graph.edgelist import from_edgelist
from synaplex.graph.interop import from_networkx
from synaplex.graph.keras import read_keras
from synaplex.graph.network import NeuralGraph

_SUFFIXES = {
    ".safetensors": "safetensors",
    **dict.fromkeys((".pt", ".pth", ".bin", ".ckpt"), "torch"),
    **dict.fromkeys((".h5", ".hdf5"), "keras"),
    ".onnx": "onnx",
    ".graphml": "graphml",
    **dict.fromkeys((".csv", ".tsv", ".txt", ".edgelist", ".edges"), "edges"),
}


def load(path: str | os.PathLike[str], *, layers: Sequence[str] | None = None) -> NeuralGraph:
    """Read a graph from a file of weights or of edges.

    =========================================== =====================================================
    file                                        read as
    =========================================== =====================================================
    ``.safetensors``                            a chain of dense layers, in the natural order of names
    ``.pt``, ``.pth``, ``.bin``, ``.ckpt``      a state dict: a chain of dense layers in its own order
    ``.h5``                                     a Keras model: a chain of dense layers in its own order
    ``.graphml``                                a graph, see `from_networkx`
    ``.csv``, ``.tsv``, ``.txt``, ``.edgelist`` a list of edges, see `from_edgelist`
    =========================================== =====================================================

    What a file begins with decides over its suffix. A file of weights holds no computation: its matrices must
    chain by their shapes, and weights that are no dense layer are refused, not skipped; sparse and pruned layers are
    dense ones of which connections are left out. Where a state dict would chain in another order as well, a warning
    says that its own is assumed; see `synaplex.graph.chain.chain`. No code inside a file is ever run.

    Parameters
    ----------
    path
        The file.
    layers
        For a file of weights, the names of the matrices to chain, in order; all else is left out then.

    Returns
    -------
    NeuralGraph
        Its `coverage` lists what became of every tensor of the file.

    Raises
    ------
    UnreadableFileError
        If the file is missing, damaged, of an unknown kind, or holds more than data.
    InvalidGraphError
        If its weights make no chain of dense layers, or hold NaN or infinite values.
    UnknownNameError
        If `layers` names what is not in the file.
    MissingExtraError
        If it takes a package that is not installed.
    """
    path = Path(path)
    kind = file_kind(path)
    if layers is not None and kind in ("graphml", "edges"):
        raise SpecificationError(f"layers= chooses among weights, and {path} holds a graph")
    if kind == "onnx":
        raise UnreadableFileError(
            f"{path} is an ONNX model, whose computation is not read: sx.measure_file measures its weights one by one; "
            "for a graph, call sx.graph(model, example_input) on the model that it was exported from"
        )
    if kind == "graphml":
        return _load_graphml(path)
    if kind == "edges":
        return from_edgelist(path)
    readers: dict[str, Callable[[], NeuralGraph]] = {
        "safetensors": lambda: chain(read_safetensors(path), layers=layers, ordered=False, origin=str(path)),
        "torch": lambda: chain(read_torch(path), layers=layers, ordered=True, origin=str(path)),
        "keras": lambda: chain(
            read_keras(path, only_chains=layers is None),
            layers=layers,
            ordered=True,
            origin=str(path),
            confirmed=True,
        ),
    }
    return readers[kind]()


def file_kind(path: Path) -> str:
    """What a file holds, by its first bytes, else by its suffix."""
    try:
        if path.is_dir():
            raise UnreadableFileError(f"{path} is a folder: name one of the files in it, or call sx.measure_file on it")
        with path.open("rb") as file:
            start = file.read(16)
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise UnreadableFileError(f"{path} does not exist") from error
    except OSError as error:
        if isinstance(error, UnreadableFileError):
            raise
        raise UnreadableFileError(f"{path} cannot be read: {error.strerror}") from error
    if not start:
        raise UnreadableFileError(f"{path} is empty")
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < size:
        return "safetensors"
    if start.startswith(b"\x80"):
        return "torch"
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_archive(path)
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise UnreadableFileError(
            f"{path} is of no known kind; known are {', '.join(_SUFFIXES)}. A model in another format: "
            "build it in PyTorch and call sx.graph(model)"
        )
    return kind


def _kind_of_archive(path: Path) -> str:
    """What a zip file holds; a damaged one goes to the reader of PyTorch files, which says so."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return "torch"
    if any(name.endswith("data.pkl") for name in names):
        return "torch"
    if "model.weights.h5" in names:
        raise UnreadableFileError(
            f"{path} is an archive of Keras 3, which does not list its layers in order: save it with "
            "model.save('model.h5')"
        )
    raise UnreadableFileError(f"{path} is an archive, but not one written by torch.save")


def _load_graphml(path: Path) -> NeuralGraph:
    import networkx

    try:
        graph = networkx.read_graphml(path)
    except (ParseError, networkx.NetworkXError, KeyError, ValueError, OSError) as error:
        raise UnreadableFileError(f"{path} is truncated or damaged, or no GraphML file ({error})") from error
    return from_networkx(graph)
