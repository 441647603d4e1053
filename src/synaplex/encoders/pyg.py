"""Networks as PyTorch Geometric data: for its layers, loaders and models."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.encoders.graph_set import GraphSet
from synaplex.encoders.messages import message_graph
from synaplex.encoders.structure import StructureGraph
from synaplex.errors import SpecificationError, require


def to_pyg(
    graphs: Any,
    *,
    kernel: int | None = None,
    direction: str = "both",
    x: Float[Tensor, "networks nodes features"] | None = None,
) -> list[Any]:
    """Each network as a ``torch_geometric.data.Data``.

    Parameters
    ----------
    graphs
        A graph, a batch, a sequence of these, or a `GraphSet`.
    kernel
        Side of the footprint that all edges are brought to (see `edge_features`); None for the largest kernel of a
        convolution among them.
    direction
        Whether each edge is listed both ways or as the signal runs.
    x
        Features of nodes, where all networks have one layout, such as `positional_encoding` gives.

    Returns
    -------
    list of torch_geometric.data.Data
        ``edge_index`` ``(2, edges)`` from source to target, ``edge_attr`` ``(edges, kernel²)``, ``layer`` (the group of
        each node), ``bias``, ``gain``, ``position``, ``num_nodes``, and ``x`` where it is given. Batch them with
        ``torch_geometric.data.Batch.from_data_list``.

    Raises
    ------
    MissingExtraError
        If PyTorch Geometric is not installed.
    SpecificationError
        If `x` does not fit.
    """
    data = require("torch_geometric.data", "encoders")
    networks = GraphSet.of(graphs)
    side = kernel or max((graph.largest_kernel for graph, _ in networks.layouts), default=1)
    made = []
    for row in range(len(networks)):
        graph = networks.structure([row])
        index, features = pyg_edges(graph, side, direction)
        sizes = torch.tensor(graph.sizes)
        one = data.Data(
            edge_index=index,
            edge_attr=features,
            layer=torch.arange(len(sizes)).repeat_interleave(sizes),
            bias=graph.bias[0],
            gain=graph.gain[0],
            position=graph.position,
            num_nodes=graph.nodes,
        )
        if x is not None:
            if x.shape[:2] != (len(networks), graph.nodes):
                raise SpecificationError(
                    f"features of shape {tuple(x.shape)} do not fit network {row} of {len(networks)} with "
                    f"{graph.nodes} nodes"
                )
            one.x = x[row]
        made.append(one)
    return made


def pyg_edges(graph: StructureGraph, kernel: int, direction: str = "both") -> tuple[Tensor, Tensor]:
    """``edge_index`` and ``edge_attr`` of one network."""
    index, features = [torch.empty(2, 0, dtype=torch.long)], [torch.empty(0, kernel**2)]
    offsets = graph.offsets
    for target, incoming in enumerate(message_graph(graph, kernel, direction=direction).incoming):
        for edges in incoming:
            values = edges.features[0]
            mask = torch.ones(values.shape[:-1], dtype=torch.bool) if edges.present is None else edges.present[0]
            places = mask.nonzero(as_tuple=True)
            end, start = places if not edges.diagonal else (places[0], places[0])
            index.append(torch.stack([start + offsets[edges.source], end + offsets[target]]))
            features.append(values[places])
    return torch.cat(index, 1), torch.cat(features)
