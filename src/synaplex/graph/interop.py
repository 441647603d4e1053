"""Graphs of other libraries: NetworkX, igraph and SciPy, both ways."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import InvalidGraphError, SpecificationError, UnwritableFileError, require
from synaplex.graph.dense import DenseLink
from synaplex.graph.layer import Layer, Role
from synaplex.graph.link import Link
from synaplex.graph.network import NeuralGraph
from synaplex.graph.sparse import SparseLink

Edges = tuple[Int[Tensor, " edges"], Int[Tensor, " edges"], Float[Tensor, " edges"]]
"""Global indices of where each edge starts and where it ends, and its weight."""

_DENSE_SHARE = 0.5
"""From this share of present edges on, a link is stored as a matrix."""


def from_networkx(graph: Any, *, weight: str = "weight", layer: str = "layer") -> NeuralGraph:
    """The graph of a NetworkX graph.

    Parallel edges of a multigraph are summed. Of an undirected graph each edge is stored once, from the lower
    neuron to the higher, so that measures of the undirected graph see it as it is; in- and out-strength,
    which read directions, mean nothing there.

    Parameters
    ----------
    graph
        A ``Graph``, ``DiGraph``, ``MultiGraph`` or ``MultiDiGraph``.
    weight
        The edge attribute that holds the weight; an edge without it weighs 1.
    layer
        The node attribute that holds the layer: numbers, or texts, in the order of their first node. Where no
        node has it, all nodes make one hidden layer. Node attributes ``neuron`` (order within the layer),
        ``layer_name`` and ``role``, as `to_networkx` writes them, are read where present.

    Returns
    -------
    NeuralGraph
        Neurons in the order of the nodes, layer by layer. Their names (`Layer.names`) are the nodes; where these only
        count the neurons, as 0, 1, ... or n0, n1, ..., the node attribute ``name``, if all have it.

    Raises
    ------
    InvalidGraphError
        If some nodes have a layer and others none, or a weight is not a finite number.
    """
    nodes = dict(graph.nodes(data=True))
    if not nodes:
        raise InvalidGraphError("the graph has no nodes")
    groups = _groups(nodes, layer)
    order = [node for group in groups for node in group]
    place = {node: i for i, node in enumerate(order)}
    first, second, values = [], [], []
    for start, end, value in graph.edges(data=weight, default=1.0):
        a, b = place[start], place[end]
        if not graph.is_directed():
            a, b = min(a, b), max(a, b)
        first.append(a)
        second.append(b)
        try:
            values.append(float(value))
        except (TypeError, ValueError) as error:
            raise InvalidGraphError(f"edge {start!r} - {end!r} has weight {value!r}, which is no number") from error
    return graph_of_edges(
        torch.tensor(first, dtype=torch.long),
        torch.tensor(second, dtype=torch.long),
        torch.tensor(values, dtype=torch.float64),
        [len(group) for group in groups],
        directed=True,
        layers=[nodes[group[0]] for group in groups],
        names=_node_names(order, nodes),
    )


def _node_names(order: Sequence[Hashable], nodes: dict[Hashable, dict[str, Any]]) -> list[str]:
    """A name for each node; none where there are only numbers."""
    if not all(str(node) in (str(i), f"n{i}") for i, node in enumerate(order)):
        return [str(node) for node in order]
    return [str(nodes[node]["name"]) for node in order] if all("name" in nodes[node] for node in order) else []


def _groups(nodes: dict[Hashable, dict[str, Any]], layer: str) -> list[list[Hashable]]:
    """The nodes of each layer, in order."""
    labels = {node: attributes.get(layer) for node, attributes in nodes.items()}
    without = [node for node, label in labels.items() if label is None]
    if len(without) == len(nodes):
        return [list(nodes)]
    if without:
        raise InvalidGraphError(
            f"{len(without)} of {len(nodes)} nodes have no attribute {layer!r}, the first is {without[0]!r}; "
            "give it to all of them or to none"
        )
    groups: dict[Any, list[Hashable]] = {}
    for node, label in labels.items():
        groups.setdefault(label, []).append(node)
    named = any(isinstance(label, str) for label in groups)
    ordered = list(groups.values()) if named else [groups[label] for label in sorted(groups)]
    for group in ordered:
        if all("neuron" in nodes[node] for node in group):
            group.sort(key=lambda node: int(nodes[node]["neuron"]))
    return ordered


def from_scipy(matrix: Any, *, directed: bool | None = None, sizes: Sequence[int] | None = None) -> NeuralGraph:
    """The graph of a square SciPy sparse matrix A, where A[i, j] is the weight of the edge from i to j.

    Parameters
    ----------
    matrix
        A sparse matrix or array of any format.
    directed
        Whether edges have a direction. None: only if A is not symmetric. Of an undirected graph, which must
        have a symmetric A, each edge is stored once.
    sizes
        Number of neurons of each layer, in order; without them, one hidden layer.

    Returns
    -------
    NeuralGraph

    Raises
    ------
    InvalidGraphError
        If A is not square, `sizes` don't add up to its rows, or a weight is not a finite number.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InvalidGraphError(
            f"an adjacency matrix is square, this one is {matrix.shape}; "
            "for weights (out, in) pass a list of one: [matrix]"
        )
    if directed is False and abs(matrix - matrix.T).sum() != 0:
        raise InvalidGraphError(
            "the adjacency matrix of an undirected graph is symmetric, and this one is not: "
            "pass matrix + matrix.T if it holds each edge once"
        )
    edges = matrix.tocoo()
    widths = [matrix.shape[0]] if sizes is None else list(sizes)
    if sum(widths) != matrix.shape[0]:
        raise InvalidGraphError(f"layers of {widths} neurons don't make the {matrix.shape[0]} rows of the matrix")
    first, second = (torch.as_tensor(axis, dtype=torch.long) for axis in (edges.row, edges.col))
    return graph_of_edges(first, second, torch.as_tensor(edges.data).double(), widths, directed=directed)


def graph_of_edges(
    first: Int[Tensor, " edges"],
    second: Int[Tensor, " edges"],
    weight: Float[Tensor, " edges"],
    sizes: Sequence[int],
    *,
    directed: bool | None,
    layers: Sequence[dict[str, Any]] | None = None,
    names: Sequence[str] = (),
) -> NeuralGraph:
    """The graph of edges from `first` to `second`, global indices over layers of the given sizes.

    With `directed` None, edges that make a symmetric matrix are undirected. Of undirected edges one of each
    two is kept if they make a symmetric matrix; else each is one edge, whichever way it is listed. `layers`
    may name each layer (``layer_name``) and give its role, `names` each neuron.
    """
    count = sum(sizes)
    whole = SparseLink.from_edges(second, first, weight, (count, count), source=0, target=0)
    start, end, value = whole.column, whole.row, whole.weight
    if directed is not True and _is_symmetric(whole):
        once = start <= end
        start, end, value = start[once], end[once], value[once]
    elif directed is False:
        start, end = torch.minimum(start, end), torch.maximum(start, end)
    made = _layers(sizes, layers)
    if names:
        ends = list(accumulate(sizes))
        made = tuple(
            replace(one, names=tuple(names[stop - one.size : stop])) for one, stop in zip(made, ends, strict=True)
        )
    return NeuralGraph(made, _links(start, end, value, sizes), {})


def _is_symmetric(link: SparseLink) -> bool:
    mirrored = link.transpose()
    same = torch.equal(mirrored.row_start, link.row_start) and torch.equal(mirrored.column, link.column)
    return same and torch.equal(mirrored.weight, link.weight)


def _layers(sizes: Sequence[int], attributes: Sequence[dict[str, Any]] | None) -> tuple[Layer, ...]:
    given = attributes or [{}] * len(sizes)
    last = len(sizes) - 1
    layers = []
    for i, (size, attribute) in enumerate(zip(sizes, given, strict=True)):
        role: Role = "hidden" if last == 0 or 0 < i < last else "output" if i else "input"
        name = role if role != "hidden" else f"hidden {i}" if last else "neurons"
        label = attribute.get("layer")
        name = str(attribute.get("layer_name", label if isinstance(label, str) else name))
        known: dict[str, Role] = {"input": "input", "hidden": "hidden", "output": "output"}
        layers.append(Layer(name, (size,), known.get(str(attribute.get("role")), role)))
    return tuple(layers)


def _links(first: Tensor, second: Tensor, weight: Tensor, sizes: Sequence[int]) -> tuple[Link, ...]:
    """A link for each pair of layers that edges join."""
    ends = torch.tensor(list(accumulate(sizes)))
    starts = ends - torch.tensor(sizes)
    from_layer, to_layer = (torch.searchsorted(ends, index, right=True) for index in (first, second))
    links: list[Link] = []
    pairs, which = torch.unique(from_layer * len(sizes) + to_layer, return_inverse=True)
    for k, pair in enumerate(pairs.tolist()):
        source, target = divmod(pair, len(sizes))
        chosen = which == k
        sparse = SparseLink.from_edges(
            second[chosen] - starts[target],
            first[chosen] - starts[source],
            weight[chosen],
            (sizes[target], sizes[source]),
            source=source,
            target=target,
        )
        if int(chosen.sum()) >= _DENSE_SHARE * sizes[source] * sizes[target]:
            links.append(DenseLink(source=source, target=target, weight=sparse.to_dense()))
        else:
            links.append(sparse)
    return tuple(links)


def directed_edges(graph: NeuralGraph, edges: str = "signed") -> Edges:
    """The directed edges of a single network under an edge rule, parallel ones summed."""
    _check_single(graph)
    offsets = graph.offsets
    empty = torch.empty(0, dtype=torch.long, device=graph.device)
    first, second, weight = [empty], [empty], [empty.double()]
    for link in graph.directed(edges):
        sparse = link.to_sparse()
        first.append(sparse.column + offsets[link.source])
        second.append(sparse.row + offsets[link.target])
        weight.append(sparse.weight)
    return torch.cat(first), torch.cat(second), torch.cat(weight)


def undirected_edges(graph: NeuralGraph, edges: str = "signed") -> Edges:
    """The edges of the undirected graph of a single network under an edge rule, each once."""
    _check_single(graph)
    return graph.undirected(edges).edges()


def _check_single(graph: NeuralGraph) -> None:
    if graph.networks is not None:
        raise SpecificationError(
            f"this is a batch of {graph.networks} networks: choose one of them with graph.network(k)"
        )


def _listed(graph: NeuralGraph, edges: str, directed: bool) -> tuple[list[int], list[int], list[float]]:
    parts = directed_edges(graph, edges) if directed else undirected_edges(graph, edges)
    first, second, weight = (part.detach().cpu().tolist() for part in parts)
    return first, second, weight


def _neuron_attributes(graph: NeuralGraph) -> dict[str, list[Any]]:
    """What every neuron is, in global order; its name where all have one."""
    pairs = [(i, layer) for i, layer in enumerate(graph.layers) for _ in range(layer.size)]
    names = [name for layer in graph.layers for name in layer.names]
    return {
        **({"name": names} if names and len(names) == graph.neurons else {}),
        "layer": [i for i, _ in pairs],
        "layer_name": [layer.name for _, layer in pairs],
        "role": [layer.role for _, layer in pairs],
        "neuron": [neuron for layer in graph.layers for neuron in range(layer.size)],
    }


def to_networkx(graph: NeuralGraph, *, edges: str = "signed", directed: bool = True) -> Any:
    """A NetworkX graph whose nodes are the global indices of the neurons.

    Parameters
    ----------
    graph
        A single network.
    edges
        The edge rule, see `EdgeRule`.
    directed
        Whether to make a ``DiGraph`` of the directed edges, or a ``Graph`` of the undirected ones.

    Returns
    -------
    networkx.DiGraph or networkx.Graph
        Nodes have attributes layer, layer_name, role, neuron (the index within the layer) and, where neurons have
        names, name; edges have weight.
    """
    import networkx

    made = networkx.DiGraph() if directed else networkx.Graph()
    attributes = _neuron_attributes(graph)
    rows = zip(*attributes.values(), strict=True)
    made.add_nodes_from((i, dict(zip(attributes, row, strict=True))) for i, row in enumerate(rows))
    made.add_weighted_edges_from(zip(*_listed(graph, edges, directed), strict=True))
    return made


def to_igraph(graph: NeuralGraph, *, edges: str = "signed", directed: bool = True) -> Any:
    """An igraph graph whose vertices are the neurons, in global order.

    Parameters
    ----------
    graph
        A single network.
    edges
        The edge rule, see `EdgeRule`.
    directed
        Whether to make a directed graph.

    Returns
    -------
    igraph.Graph
        Vertices have attributes layer, layer_name, role, neuron (the index within the layer) and, where neurons have
        names, name; edges have weight.

    Raises
    ------
    MissingExtraError
        If igraph is not installed.
    """
    igraph = require("igraph", "interop")
    first, second, weight = _listed(graph, edges, directed)
    return igraph.Graph(
        n=graph.neurons,
        edges=list(zip(first, second, strict=True)),
        directed=directed,
        vertex_attrs=_neuron_attributes(graph),
        edge_attrs={"weight": weight},
    )


def to_scipy(graph: NeuralGraph, *, edges: str = "signed", directed: bool = True) -> Any:
    """The adjacency matrix A as a SciPy sparse array, where A[i, j] is the weight of the edge from i to j.

    Parameters
    ----------
    graph
        A single network.
    edges
        The edge rule, see `EdgeRule`.
    directed
        Whether A holds the directed edges, or is the symmetric matrix of the undirected graph.

    Returns
    -------
    scipy.sparse.csr_array
        ``(neurons, neurons)``, float64.
    """
    import numpy as np
    from scipy.sparse import coo_array

    parts = directed_edges(graph, edges) if directed else undirected_edges(graph, edges)
    first, second, weight = (part.detach().cpu().numpy() for part in parts)
    if not directed:
        twice = first != second
        first, second = np.append(first, second[twice]), np.append(second, first[twice])
        weight = np.append(weight, weight[twice])
    return coo_array((weight, (first, second)), shape=(graph.neurons, graph.neurons)).tocsr()


def write_graphml(
    graph: NeuralGraph, path: str | os.PathLike[str], *, edges: str = "signed", directed: bool = True
) -> None:
    """Write a GraphML file, as Gephi, Cytoscape, igraph and NetworkX read it.

    Parameters
    ----------
    graph
        A single network.
    path
        The file, which is overwritten.
    edges
        The edge rule, see `EdgeRule`.
    directed
        Whether edges have a direction.

    Raises
    ------
    UnwritableFileError
        If the file cannot be written.
    """
    import networkx

    try:
        networkx.write_graphml(to_networkx(graph, edges=edges, directed=directed), os.fspath(path))
    except OSError as error:
        raise UnwritableFileError(f"{path} cannot be written: {error}") from error
