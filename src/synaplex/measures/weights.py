"""Link weights: their distribution per link, and as features of a network."""

from __future__ import annotations

import polars as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph import NeuralGraph
from synaplex.graph.link import Link
from synaplex.graph.sparse import SparseLink
from synaplex.measures.input import check_graph

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def link_weights(graph: NeuralGraph) -> pl.DataFrame:
    """Statistics of the weights of each link, every edge counted.

    Returns
    -------
    polars.DataFrame
        A row a link (and network): ``network`` (batches only), ``link``, ``source``, ``target``, ``edges``, ``mean``,
        ``std``, ``skewness``, ``kurtosis`` (3 for a Gaussian), ``min``, ``quantile_25``, ``median``,
        ``quantile_75``, ``max``, ``positive`` (share of edges). Moments are null where a link has no edge or no spread.

    Notes
    -----
    Cost: a sort of the weights. Source: La Malfa et al. 2021 (link weights).
    """
    check_graph(graph)
    rows = []
    for index, single in enumerate(_singles(graph)):
        for link in single.links:
            row: dict[str, float | int | str | None] = {} if graph.networks is None else {"network": index}
            row |= {"link": link.name, "source": link.source, "target": link.target}
            row |= _statistics(link)
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def layer_fluctuation(graph: NeuralGraph, *, edges: str = "signed") -> Float[Tensor, "*networks layers"]:
    """Layer fluctuation: the standard deviation of the strengths within each layer.

    sqrt(sum_i (s_i - <s>)^2 / I) with I the number of neurons of the layer (the paper's eq. prints I without saying
    what it is). Cost: one pass over the weights. Source: La Malfa et al. 2021.
    """
    check_graph(graph)
    strength = graph.undirected(edges).strength
    parts = [strength[..., graph.layer_slice(i)].std(-1, correction=0) for i in range(len(graph.layers))]
    return torch.stack(parts, -1)


def weight_features(graph: NeuralGraph) -> pl.DataFrame:
    """Plain weight statistics of each network: the baseline that every structural claim must beat.

    Per link the mean, the variance and the quantiles 0, 25, 50, 75 and 100 per cent of the weights, a weight shared by
    several edges as often as they are; a row a network; null for a link without edges.
    Cost: a sort of the weights. Source: Unterthiner et al. 2020 ("StatNN").
    """
    check_graph(graph)
    columns: dict[str, Tensor] = {}
    for number, link in enumerate(graph.links):
        weights, count = _spread(graph, link)
        total = count.sum(-1)
        mean = (weights * count).sum(-1) / total
        columns[f"link {number} mean"] = mean
        columns[f"link {number} variance"] = ((weights - mean[..., None]).square() * count).sum(-1) / total
        for quantile, values in zip(QUANTILES, _quantiles(weights, count).unbind(-1), strict=True):
            columns[f"link {number} quantile {quantile:g}"] = values
    frame = pl.DataFrame({name: values.reshape(-1).cpu().numpy() for name, values in columns.items()})
    return frame.fill_nan(None)  # of a link without edges


def _singles(graph: NeuralGraph) -> list[NeuralGraph]:
    return [graph] if graph.networks is None else [graph.network(k) for k in range(graph.networks)]


def _spread(graph: NeuralGraph, link: Link) -> tuple[Float[Tensor, "*networks count"], Int[Tensor, "*networks count"]]:
    """The distinct weights of a link, and how many edges carry each, per network."""
    if graph.networks is not None and link.weights.ndim == 1:  # the edges of all networks in a row
        link = link.to_sparse()
    if not isinstance(link, SparseLink) or link.batch is None:
        return link.weights.double(), link.multiplicity.expand_as(link.weights)
    most = int(torch.bincount(link.edge_network, minlength=link.batch).max())
    weights = torch.zeros(link.batch, most, dtype=torch.float64, device=link.device)
    count = torch.zeros(link.batch, most, dtype=torch.long, device=link.device)
    start = link.row_start[:: max(link.out_size, 1)][link.edge_network]
    place = torch.arange(len(link.weight), device=link.device) - start
    weights[link.edge_network, place] = link.weight.double()
    count[link.edge_network, place] = 1
    return weights, count


def _quantiles(
    weights: Float[Tensor, "*networks count"], count: Int[Tensor, "*networks count"]
) -> Float[Tensor, "*networks quantiles"]:
    """Quantiles of weights that `count` edges carry each, interpolated between neighbours in order."""
    if not weights.shape[-1]:
        return weights.new_full((*weights.shape[:-1], len(QUANTILES)), torch.nan)
    ordered, order = weights.sort(-1)
    reached = count.gather(-1, order).cumsum(-1)
    at = torch.tensor(QUANTILES, dtype=torch.float64, device=weights.device)
    place = at * (reached[..., -1:] - 1)
    ends = [torch.searchsorted(reached, part.long(), right=True) for part in (place.floor(), place.ceil())]
    low, high = (ordered.gather(-1, end.clamp(max=weights.shape[-1] - 1)) for end in ends)
    return (low + (high - low) * place.frac()).masked_fill(reached[..., -1:] == 0, torch.nan)


def _statistics(link: Link) -> dict[str, float | int | str | None]:
    kept = (link.weights != 0) & (link.multiplicity > 0)
    weights, count = link.weights[kept].double(), link.multiplicity[kept]
    if not len(weights):
        empty = (
            "mean",
            "std",
            "skewness",
            "kurtosis",
            "min",
            "quantile_25",
            "median",
            "quantile_75",
            "max",
            "positive",
        )
        return {"edges": 0, **dict.fromkeys(empty)}
    total = count.sum()
    mean = (weights * count).sum() / total
    std = ((weights - mean).square() * count).sum().div(total).sqrt()
    flat = bool((weights == weights[0]).all())
    shape = torch.zeros_like(weights) if flat else (weights - mean) / std
    low, first, median, third, high = _quantiles(weights, count).tolist()
    return {
        "edges": int(total),
        "mean": float(mean),
        "std": 0.0 if flat else float(std),
        "skewness": None if flat else float((shape**3 * count).sum() / total),
        "kurtosis": None if flat else float((shape**4 * count).sum() / total),
        "min": low,
        "quantile_25": first,
        "median": median,
        "quantile_75": third,
        "max": high,
        "positive": float(count[weights > 0].sum() / total),
    }
