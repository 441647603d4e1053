"""Bottlenecks: how many directions a link passes on, of those its width allows."""

from __future__ import annotations

import math

import polars as pl
import torch
from torch import Tensor

from synaplex.graph import NeuralGraph
from synaplex.graph.link import Link

LARGEST_SIDE, LARGEST_MATRIX = 2_048, 20_000_000
"""A link's narrower width, and weights, up to which its singular values are computed: some seconds on two cores."""


def singular_values(link: Link) -> Tensor | None:
    """The singular values of a link's matrix, largest first; None for a link that is too large."""
    width = min(link.in_size, link.out_size)
    if width > LARGEST_SIDE or link.in_size * link.out_size > LARGEST_MATRIX:
        return None
    values: Tensor = torch.linalg.svdvals(link.to_dense().double())
    return values


def effective_rank(values: Tensor) -> float:
    """Exp of the entropy of the singular values, normalised to sum 1 (Roy & Vetterli 2007); 0 for a link of zeros.

    k equal values and the rest zero give k.

    Examples
    --------
    >>> effective_rank(torch.tensor([2.0, 2.0, 0.0]))
    2.0
    """
    share = values.double() / values.sum() if float(values.sum()) > 0 else values.double()
    entropy = -float(torch.xlogy(share, share).sum())
    return round(math.exp(entropy), 12) if float(share.sum()) > 0 else 0.0


def link_ranks(graph: NeuralGraph, *, seed: int = 0) -> pl.DataFrame:
    """How many directions each link passes on, beside the same weights in random order.

    Parameters
    ----------
    graph
        A single network.
    seed
        Of the random order.

    Returns
    -------
    polars.DataFrame
        A row a link: ``link``, ``source``, ``target``, ``full`` (the smaller of its two widths), ``rank``
        (singular values above the rounding of the
        weights), ``effective_rank`` (see `effective_rank`), ``shuffled``
        (the same of the link's weights in random order: what their distribution alone gives), ``stable_rank`` (the
        squared Frobenius norm over the squared largest singular value). Null for links that are too large.

    Notes
    -----
    Cost: two singular value problems a link. Source: Roy & Vetterli 2007 (effective rank).
    """
    generator = torch.Generator().manual_seed(seed)
    rows: list[dict[str, str | int | float | None]] = []
    for link in graph.links:
        row: dict[str, str | int | float | None] = {
            "link": link.name,
            "source": link.source,
            "target": link.target,
            "full": min(link.in_size, link.out_size),
        }
        values = singular_values(link)
        if values is not None and len(values):
            top = float(values[0])
            rounding = torch.finfo(link.dtype).eps * max(link.in_size, link.out_size)
            row |= {
                "rank": int((values > rounding * top).sum()),
                "effective_rank": effective_rank(values),
                "shuffled": _shuffled(link, generator),
                "stable_rank": float((values / top).square().sum()) if top > 0 else 0.0,
            }
        rows.append(row)
    schema = {"link": pl.String, "source": pl.Int32, "target": pl.Int32, "full": pl.Int64, "rank": pl.Int64}
    floats = dict.fromkeys(("effective_rank", "shuffled", "stable_rank"), pl.Float64)
    return pl.DataFrame(rows, schema={**schema, **floats})


def _shuffled(link: Link, generator: torch.Generator) -> float:
    matrix = link.to_dense().double().cpu()
    order = torch.randperm(matrix.numel(), generator=generator)
    return effective_rank(torch.linalg.svdvals(matrix.flatten()[order].reshape(matrix.shape)))
