"""Link weights: their distribution per link, and as features of a network."""

from __future__ import annotations

import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.graph import NeuralGraph
from synaplex.graph.link import Link

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
    strength = graph.undirected(edges).strength
    parts = [strength[..., graph.layer_slice(i)].std(-1, correction=0) for i in range(len(graph.layers))]
    return torch.stack(parts, -1)


def weight_features(graph: NeuralGraph) -> pl.DataFrame:
    """Plain weight statistics of each network: the baseline that every structural claim must beat.

    Per link the mean, the variance and the quantiles 0, 25, 50, 75 and 100 per cent of the weights; a row a network.
    Cost: a sort of the weights. Source: Unterthiner et al. 2020 ("StatNN").
    """
    columns: dict[str, Tensor] = {}
    for number, link in enumerate(graph.links):
        weights = _edge_weights(link)
        columns[f"link {number} mean"] = weights.mean(-1)
        columns[f"link {number} variance"] = weights.var(-1, correction=0)
        at = torch.tensor(QUANTILES, dtype=torch.float64, device=weights.device)
        ordered = weights.sort(-1).values
        place = at * (weights.shape[-1] - 1)
        low, high = ordered[..., place.floor().long()], ordered[..., place.ceil().long()]
        between = low + (high - low) * place.frac()
        for quantile, values in zip(QUANTILES, between.unbind(-1), strict=True):
            columns[f"link {number} quantile {quantile:g}"] = values
    return pl.DataFrame({name: values.reshape(-1).cpu().numpy() for name, values in columns.items()})


def _singles(graph: NeuralGraph) -> list[NeuralGraph]:
    return [graph] if graph.networks is None else [graph.network(k) for k in range(graph.networks)]


def _edge_weights(link: Link) -> Float[Tensor, "*networks edges"]:
    """Every weight of a link as often as edges carry it."""
    return link.weights.double().repeat_interleave(link.multiplicity, dim=-1)


def _statistics(link: Link) -> dict[str, float | int | str | None]:
    weights = _edge_weights(link)
    weights = weights[weights != 0]
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
    mean, std = weights.mean(), weights.std(correction=0)
    shape = (weights - mean) / std
    ordered = weights.sort().values
    place = torch.tensor(QUANTILES, dtype=torch.float64) * (len(ordered) - 1)
    quantiles = ordered[place.floor().long()].lerp(ordered[place.ceil().long()], place.frac())
    low, first, median, third, high = quantiles.tolist()
    flat = float(std) == 0
    return {
        "edges": len(weights),
        "mean": float(mean),
        "std": float(std),
        "skewness": None if flat else float((shape**3).mean()),
        "kurtosis": None if flat else float((shape**4).mean()),
        "min": low,
        "quantile_25": first,
        "median": median,
        "quantile_75": third,
        "max": high,
        "positive": float((weights > 0).double().mean()),
    }
