"""Edge rules: which edges of the graph a measure reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink

Kind = Literal["signed", "positive", "absolute", "top"]
_WHOLE: dict[str, Kind] = {"signed": "signed", "positive": "positive", "absolute": "absolute"}
_RULES = "'signed', 'positive', 'absolute', 'top:SHARE' and 'top:SHARE/layer' with 0 < SHARE <= 1, such as 'top:0.1'"


@dataclass(frozen=True)
class EdgeRule:
    """Which edges are read, and with what weight.

    ``"signed"``: every edge with its weight. ``"positive"``: edges of positive weight only. ``"absolute"``:
    every edge with |w|. ``"top:0.1"``: the tenth of all edges with the largest |w|, with their (signed)
    weights, ties at the threshold included; ``"top:0.1/layer"`` takes the share within each link.

    Attributes
    ----------
    kind
        ``"signed"``, ``"positive"``, ``"absolute"`` or ``"top"``.
    share
        For ``"top"``, the share of edges kept, in (0, 1].
    per_layer
        For ``"top"``, whether the share is taken within each link.
    """

    kind: Kind
    share: float = 1.0
    per_layer: bool = False

    @classmethod
    def parse(cls, text: str) -> EdgeRule:
        """Read a rule from its text form; `SpecificationError` quotes a text that is none."""
        if not isinstance(text, str):
            raise SpecificationError(f"edge rule {text!r} is no text: give {_RULES}")
        if text in _WHOLE:
            return cls(_WHOLE[text])
        head, _, tail = text.partition(":")
        number, slash, scope = tail.partition("/")
        try:
            share = float(number)
        except ValueError:
            share = math.nan
        if head != "top" or not 0 < share <= 1 or (slash and scope != "layer"):
            raise SpecificationError(f"edge rule {text!r} is none of {_RULES}")
        return cls("top", share, bool(slash))

    @property
    def function(self) -> Elementwise | None:
        """What the rule maps each weight by, where it looks at one weight at a time and is not the identity."""
        return {"positive": torch.relu, "absolute": torch.abs}.get(self.kind)

    def apply(self, links: Sequence[Link], *, symmetric: bool = False) -> tuple[Link, ...]:
        """The links under this rule; parallel links must have been summed before.

        With `symmetric`, a link within a layer holds a symmetric matrix, in which an edge stands twice.
        """
        if self.kind == "signed":
            return tuple(links)
        if self.function is not None:
            return tuple(link.map(self.function) for link in links)
        if self.per_layer:
            return tuple(kept for link in links for kept in _keep_largest([link], self.share, symmetric))
        return _keep_largest(links, self.share, symmetric)

    def __str__(self) -> str:
        return f"top:{self.share!r}{'/layer' if self.per_layer else ''}" if self.kind == "top" else self.kind


def _keep_largest(links: Sequence[Link], share: float, symmetric: bool) -> tuple[Link, ...]:
    """The links with every edge zeroed whose |w| is below the threshold of the largest `share` of edges."""
    if not links:
        return ()
    networks = next((link.networks for link in links), None)
    if networks is None:
        threshold = _threshold(links, share, symmetric)
        return tuple(link.drop_below(threshold) for link in links)
    thresholds = torch.stack(
        [_threshold([link.network(k) for link in links], share, symmetric) for k in range(networks)]
    )
    return tuple(link.drop_below(thresholds) for link in links)


def _threshold(links: Sequence[Link], share: float, symmetric: bool) -> Float[Tensor, ""]:
    """The smallest |w| among the `share` of edges of one network with the largest |w|."""
    once = [_lower(link) if symmetric and link.source == link.target else link for link in links]
    size = torch.cat([link.weights.abs().double() for link in once])
    count = torch.cat([link.multiplicity for link in once])[size > 0]
    values, order = size[size > 0].sort(descending=True)
    ordered = count[order]
    if not len(values):
        return values.new_tensor(math.inf)
    wanted = math.ceil(share * int(ordered.sum()) - 1e-9)
    place = int(torch.searchsorted(ordered.cumsum(0), torch.tensor(wanted, device=ordered.device)))
    return values[min(place, len(values) - 1)]


def _lower(link: Link) -> SparseLink:
    """Each edge of a symmetric matrix once."""
    edges = link.to_sparse()
    return edges.map(lambda weight: weight * (edges.column <= edges.row))
