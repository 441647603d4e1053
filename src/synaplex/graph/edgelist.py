"""Lists of edges, in files and data frames, and the graphs they make."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from synaplex.errors import InvalidGraphError, UnreadableFileError, UnwritableFileError
from synaplex.graph.interop import directed_edges, graph_of_edges, undirected_edges
from synaplex.graph.network import NeuralGraph


def from_edgelist(
    edges: Any,
    *,
    source: str = "source",
    target: str = "target",
    weight: str = "weight",
    directed: bool | None = None,
) -> NeuralGraph:
    """The graph of a list of edges, such as a connectome: one layer, joined within itself.

    Edges between the same two nodes in the same direction are summed. Neurons are numbered by the sorted
    names of the nodes: numerically where all are whole numbers, alphabetically else. These names are kept
    (`Layer.names`), unless they are the numbers of the neurons, 0, 1, and so on.

    Parameters
    ----------
    edges
        A file, or a frame of Polars or Pandas. A file has an edge a line: two names and a weight, separated
        by commas, tabs, semicolons or blanks; lines that start with ``#`` are skipped; a first line with the
        names of columns is recognised by these names, or by a weight that is no number.
    source, target, weight
        Names of the columns. In a file without names the first, second and third; without weights all are 1.
    directed
        Whether an edge has a direction. None: only if the list is not symmetric. Where all edges are listed
        both ways with the same weights, an undirected graph has one edge for the two.

    Returns
    -------
    NeuralGraph

    Raises
    ------
    UnreadableFileError
        If the file is no list of edges; names the line.
    InvalidGraphError
        If the frame has no such columns, or a weight is not a finite number.
    """
    if isinstance(edges, str | os.PathLike):
        first, second, values = _read(Path(edges), source, target, weight)
    else:
        first, second, values = _columns(edges, source, target, weight)
    if not len(first):
        raise InvalidGraphError("the list of edges is empty")
    nodes, place = _number([*first, *second])
    return graph_of_edges(
        torch.as_tensor(place[: len(first)]),
        torch.as_tensor(place[len(first) :]),
        torch.as_tensor(values),
        [len(nodes)],
        directed=directed,
        names=[] if nodes == [str(i) for i in range(len(nodes))] else nodes,
    )


def write_edgelist(
    graph: NeuralGraph, path: str | os.PathLike[str], *, edges: str = "signed", directed: bool = True
) -> None:
    """Write the edges to a CSV file with columns source, target and weight.

    Neurons are called by their names where each has one of its own, else by their global indices. Neurons without
    edges and the layers do not show in such a file; `write_graphml` keeps them.

    Parameters
    ----------
    graph
        A single network.
    path
        The file, which is overwritten.
    edges
        The edge rule, see `EdgeRule`.
    directed
        Whether to write the directed edges, or those of the undirected graph, each once.

    Raises
    ------
    UnwritableFileError
        If the file cannot be written.
    """
    listed = directed_edges(graph, edges) if directed else undirected_edges(graph, edges)
    columns = (column.detach().cpu().numpy() for column in listed)
    frame = pl.DataFrame(dict(zip(("source", "target", "weight"), columns, strict=True)))
    names = [name for layer in graph.layers for name in layer.names]
    if graph.neurons == len(names) == len(set(names)):
        called = pl.Series(names, dtype=pl.String)
        frame = frame.with_columns(called.gather(frame[end]).alias(end) for end in ("source", "target"))
    try:
        frame.write_csv(Path(path))
    except OSError as error:
        raise UnwritableFileError(f"{path} cannot be written: {error}") from error


def _columns(frame: Any, source: str, target: str, weight: str) -> tuple[list[Any], list[Any], Any]:
    missing = [name for name in (source, target) if name not in list(frame.columns)]
    if missing:
        raise InvalidGraphError(
            f"the frame has no column {missing[0]!r}; it has {', '.join(map(repr, frame.columns))}. "
            "Name them with source=, target= and weight="
        )
    first, second = (frame[name].to_numpy().tolist() for name in (source, target))
    if weight not in list(frame.columns):
        return first, second, np.ones(len(first))
    try:
        return first, second, frame[weight].to_numpy().astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidGraphError(f"column {weight!r} must hold numbers: {error}") from error


def _number(names: list[Any]) -> tuple[list[Any], np.ndarray[Any, np.dtype[np.int64]]]:
    """The sorted names, and the place of each given name among them."""
    if any(name is None for name in names):
        raise InvalidGraphError("an edge has no name at one of its ends")
    texts = [str(name) for name in names]
    whole = all(text.lstrip("-").isdecimal() for text in set(texts))
    ordered = sorted(set(texts), key=(lambda text: (int(text), text)) if whole else None)
    index = {text: place for place, text in enumerate(ordered)}
    return ordered, np.array([index[text] for text in texts], dtype=np.int64)


def _read(path: Path, source: str, target: str, weight: str) -> tuple[list[str], list[str], Any]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"{path} is no text file that can be read: {error}") from error
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and line.lstrip()[0] != "#"]
    if not kept:
        raise UnreadableFileError(f"{path} holds no edges")
    separator = next((mark for mark in ("\t", ",", ";") if mark in kept[0][1]), None)
    rows = [(number, _fields(line, separator)) for number, line in kept]
    places = {name.lower(): place for place, name in enumerate(rows[0][1])}
    if source.lower() in places and target.lower() in places:
        order = [places[source.lower()], places[target.lower()], places.get(weight.lower())]
        rows = rows[1:]
    else:
        order = [0, 1, 2 if len(rows[0][1]) > 2 else None]
        names, third = rows[0][1][:2], rows[0][1][2:3]
        if third and not _is_number(third[0]) and not all(map(_is_number, names)):
            rows = rows[1:]
    first, second, values = [], [], []
    for number, fields in rows:
        try:
            first.append(fields[order[0] or 0])
            second.append(fields[order[1] or 0])
            values.append(1.0 if order[2] is None else float(fields[order[2]]))
        except (IndexError, ValueError) as error:
            raise UnreadableFileError(
                f"{path}, line {number}: not an edge of two names and a weight: {' '.join(fields)!r}"
            ) from error
    return first, second, np.array(values, dtype=np.float64)


def _fields(line: str, separator: str | None) -> list[str]:
    """The fields of a line; NetworkX writes the weight as ``{'weight': 1.5}``."""
    head, brace, rest = line.partition("{")
    fields = [part.strip().strip("\"'") for part in (head if brace else line).split(separator)]
    if brace and (found := re.search(r"['\"]weight['\"]\s*:\s*([^,}\s]+)", rest)):
        fields = [*filter(None, fields), found[1]]
    return fields


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
