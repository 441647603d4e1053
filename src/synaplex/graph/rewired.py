"""A null model of sparse graphs: other connections, as many of each neuron."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch
from jaxtyping import Int
from torch import Tensor

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.graph.network import NeuralGraph
from synaplex.graph.nulls import Stream, changed, in_random_order
from synaplex.graph.sparse import SparseLink

Ends = tuple[Int[Tensor, " edges"], Int[Tensor, " edges"]]
"""Target and source neuron of each connection."""


def rewired(graph: NeuralGraph, seed: int = 0, *, directed: bool | None = None) -> NeuralGraph:
    """The network with the connections of each sparse link drawn anew, as many of each neuron.

    Every source neuron keeps its number of outgoing connections in a link, every target neuron its number of incoming
    ones, and no two neurons are joined twice; the weights of the link stay, in random order. What is left is what the
    degrees and the distribution of weights in each layer bring about; what is gone is who is joined with whom.

    Sparse are links that store their connections alone, and matrices that hold exact zeros, as of pruned networks: a
    zero is no connection. All else stays as it is: full links, which have one wiring with their degrees, kernels,
    normalisations, pooling, residual additions, attention and biases. Links of one parameter (tied, repeated,
    unrolled over time) change alike.

    Parameters
    ----------
    graph
        A network, or a batch, in which each network has a wiring of its own.
    seed
        Of the wiring: the same for the same seed and names of parameters.
    directed
        Whether connections within a layer have a direction. None: they do in graphs of models; in other graphs unless
        all run one way along the order of the neurons, which is how undirected graphs are stored. If not, each neuron
        keeps its number of neighbours, and edges run from the lower neuron to the higher. Connections between two
        layers are not affected.

    Raises
    ------
    SpecificationError
        If no link is sparse; if an edge rule has been applied to the graph; or if ``directed=False`` for a link that
        joins two neurons both ways. Names the link.
    InvalidGraphError
        If the weights have no values.

    Notes
    -----
    By curveball trades [1]_, 20 for each neuron, about 10 moves a connection; in the limit all wirings with these
    degrees are equally likely [2]_ [3]_, as by swapping the ends of pairs of connections [4]_, and with less work.
    Within a layer, a neuron's connection with itself stays and none is made. Like swaps, trades never turn three
    neurons round that only feed one another in a circle.

    Cost: 20 passes over the connections, 0.2 s for 340,000.

    References
    ----------
    .. [1] G. Strona et al., A fast and unbiased procedure to randomize ecological binary matrices with fixed row and
       column totals, Nature Communications 5, 4114 (2014).
    .. [2] C. J. Carstens, Proof of uniform sampling of binary matrices with fixed row sums and column sums for the fast
       Curveball algorithm, Physical Review E 91, 042812 (2015).
    .. [3] C. J. Carstens et al., Parallel and I/O-efficient randomisation of massive networks using global curveball
       trades, ESA 2018.
    .. [4] S. Maslov and K. Sneppen, Specificity and stability in topology of protein networks, Science 296, 910 (2002).

    Examples
    --------
    >>> graph = NeuralGraph.from_weights([torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]])])
    >>> (rewired(graph, seed=1).links[0].to_dense() != 0).sum(1).tolist()
    [2, 1]
    """
    if graph.without_values:
        raise InvalidGraphError(
            f"the weights of {graph.without_values} are on the meta device and have no values, which tell the "
            "connections that exist: load the weights into the model first"
        )
    found: list[Link] = []
    one_way = True if directed is None and graph.records else directed

    def change(link: Link, name: str, stream: Stream) -> Link:
        if not isinstance(link, SparseLink | DenseLink) or not _is_sparse(link) or _is_operator(graph, link, name):
            return link
        found.append(link)
        edges = link.to_sparse()
        undirected = link.source == link.target and _is_undirected(edges, one_way)
        drawn = _drawn(edges, undirected, stream(link.weight))
        return drawn if isinstance(link, SparseLink) else replace(link, weight=drawn.to_dense())

    made = changed(graph, seed, change)
    if not found:
        listed = ", ".join(map(repr, graph.links[:_LISTED])) + ", ..." * (len(graph.links) > _LISTED)
        raise SpecificationError(
            f"no link of this network is sparse, so that nothing can be rewired: {listed or 'it has none'}. A full "
            "link has only one wiring with its degrees; `shuffled` moves its weights instead"
        )
    return made


_LISTED = 4
"""Links that an error names."""


def _is_sparse(link: SparseLink | DenseLink) -> bool:
    """Whether there are connections, and pairs of neurons without one."""
    return 0 < link.edge_count < (link.networks or 1) * link.out_size * link.in_size


def _is_operator(graph: NeuralGraph, link: Link, name: str) -> bool:
    """Whether the connections of a model's link are what its operation says: no parameter, or one neuron to one.

    An interpolation, say, or a normalisation of layers side by side.
    """
    if not graph.records:
        return False
    if not name or not any(record.parameter.startswith(name) for record in graph.records):
        return True
    edges = link.to_sparse()
    ends = (edges.edge_network * edges.out_size + edges.row, edges.edge_network * edges.in_size + edges.column)
    return all(int(torch.bincount(end).max()) == 1 for end in ends)


def _is_undirected(edges: SparseLink, directed: bool | None) -> bool:
    """Whether connections within a layer are edges without a direction, each stored one way."""
    if directed is None:
        return bool((edges.row >= edges.column).all()) or bool((edges.row <= edges.column).all())
    if directed:
        return False
    low, high = torch.minimum(edges.row, edges.column), torch.maximum(edges.row, edges.column)
    key = (edges.edge_network * edges.in_size + low) * edges.in_size + high
    if len(torch.unique(key)) < len(key):
        raise SpecificationError(
            f"{edges!r} joins neurons both ways, so its connections have a direction: leave directed=False out"
        )
    return True


def _drawn(edges: SparseLink, undirected: bool, generator: torch.Generator) -> SparseLink:
    """The link with other connections, and with its weights in random order; a full one as it is."""
    rows, columns, weights = [], [], []
    target, source = edges.row, edges.column
    for start, end in pairwise(edges.row_start[:: edges.out_size].tolist()):
        row, column, weight = target[start:end], source[start:end], edges.weight[start:end]
        if end - start < edges.out_size * edges.in_size:
            row, column = _wired(row, column, edges, undirected, generator)
            weight = in_random_order(weight, generator)
        rows.append(row)
        columns.append(column)
        weights.append(weight)
    return SparseLink.from_edges(
        torch.cat(rows),
        torch.cat(columns),
        torch.cat(weights),
        edges.shape,
        network=None if edges.batch is None else edges.edge_network,
        networks=edges.batch,
        source=edges.source,
        target=edges.target,
        name=edges.name,
    )


def _wired(row: Tensor, column: Tensor, edges: SparseLink, undirected: bool, generator: torch.Generator) -> Ends:
    """Target and source of the new connections of one network."""
    from synaplex.graph.curveball import traded, traded_undirected  # compiled; needed by nobody else

    within = edges.source == edges.target
    loop = (row == column) & within
    target, source = (end[~loop].cpu().numpy() for end in (row, column))
    if undirected:
        source, target = traded_undirected(source, target, edges.in_size, generator)
    else:
        target, source = traded(target, source, edges.shape, generator, within=within)
    return (
        torch.cat([torch.from_numpy(target).to(row.device), row[loop]]),
        torch.cat([torch.from_numpy(source).to(row.device), column[loop]]),
    )
