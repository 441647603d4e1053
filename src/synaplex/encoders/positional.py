"""Laplacian positional encodings: where a node stands in its network, as entries of eigenvectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor

from synaplex.encoders.adjacency import ADJACENCIES, Normalised, normalised_adjacency
from synaplex.encoders.signs import fixed_signs
from synaplex.encoders.structure import StructureGraph
from synaplex.errors import SpecificationError, ToleranceError, UnknownNameError

TRIVIAL = 1e-8
"""Eigenvalues up to here count as 0."""
APART = 1e-6
"""Eigenvalues nearer to each other than this count as one."""

_NULL, _PRECISE = 1e-6, 1e-4  # singular values that count as 0, and those whose vectors squares determine well

Spectrum = tuple[Float[Tensor, "networks found"], Float[Tensor, "networks nodes found"]]


@dataclass(frozen=True, eq=False)
class PositionalEncoding:
    """The positional encodings of networks of one layout.

    Attributes
    ----------
    values
        ``(networks, nodes, k)``, float64: eigenvectors of length 1, or zeros.
    eigenvalues
        ``(networks, k)``: not a number where there is no eigenvector.
    trivial
        Per network how many eigenvectors of eigenvalue 0 were passed over: with ``"absolute"`` one for each connected
        part.
    degenerate
        Per network how many of the k columns are zero because their eigenvalue is not simple, or no rule decides the
        sign: any rotation of such vectors, or either sign, would do as well.
    padded
        Per network how many columns are zero because the network has too few nodes.
    """

    values: Float[Tensor, "networks nodes k"]
    eigenvalues: Float[Tensor, "networks k"]
    trivial: Int[Tensor, " networks"]
    degenerate: Int[Tensor, " networks"]
    padded: Int[Tensor, " networks"]


def positional_encoding(
    graph: StructureGraph,
    k: int = 8,
    *,
    adjacency: str = "absolute",
    sparse_threshold: int = 2000,
    method: str = "auto",
) -> PositionalEncoding:
    """The k smallest non-trivial eigenvectors of the normalised Laplacian L = I - D^-1/2 A D^-1/2.

    An eigenvector is trivial if its eigenvalue is 0. Nodes without edges take no part; their entries are 0.
    Signs are fixed by a rule that does not depend on the order of nodes, see `fixed_signs`.

    Parameters
    ----------
    graph
        Networks of one layout.
    k
        How many.
    adjacency
        See `normalised_adjacency`. Signed Laplacians usually have no eigenvalue 0.
    sparse_threshold
        From this many nodes on (on the smaller side, where groups have two colours), eigenvectors are found by Lanczos
        iteration, one network after the other.
    method
        ``"auto"``: where groups have two colours, eigenvectors are u / sqrt(2), v / sqrt(2) of the singular vectors of
        the block between them, as long as those suffice. ``"whole"``: of the whole matrix always.

    Raises
    ------
    SpecificationError
        If k is negative, or there is no such method.
    UnknownNameError
        If there is no such adjacency.
    GraphTooLargeError, ToleranceError
        If the matrix cannot be held, or Lanczos iteration does not converge.

    Notes
    -----
    Source: algorithm 1 of the paper (StructureReps, 2024), after Dwivedi et al. (2023). Cost: O(n m² + m³) for n nodes,
    m of them on the smaller side; O(n³) without two colours.
    """
    if k < 0:
        raise SpecificationError(f"the number of eigenvectors must not be negative, got {k}")
    if adjacency not in ADJACENCIES:
        raise UnknownNameError("adjacency", adjacency, ADJACENCIES)
    if method not in ("auto", "whole"):
        raise SpecificationError(f"method={method!r} is neither 'auto' nor 'whole'")
    if not k:
        none = torch.zeros(graph.networks, dtype=torch.long)
        return PositionalEncoding(
            torch.zeros(graph.networks, graph.nodes, 0).double(), none[:, None][:, :0].double(), none, none, none
        )
    matrix = normalised_adjacency(graph, adjacency, bipartite=method == "auto")
    spectrum = _of_two_sides(matrix, k, sparse_threshold) if matrix.bipartite else None
    if spectrum is None:
        if matrix.bipartite:
            matrix = normalised_adjacency(graph, adjacency, bipartite=False)
        spectrum = _of_whole(matrix, k, sparse_threshold)
    return _selected(*spectrum, matrix.isolated, k, graph.position)


def _of_two_sides(matrix: Normalised, k: int, threshold: int) -> Spectrum | None:
    """From singular vectors; None where they are too few or too imprecise for any network.

    Singular values of 0 make one eigenspace of many dimensions, whose vectors are not needed.
    """
    block = matrix.matrix
    wide = block.shape[2] > block.shape[1]
    tall = block.mT if wide else block
    small = tall.shape[2]
    if small < k + 2:
        return None
    if small >= threshold:
        squares, inner = _largest(lambda i, x: tall[i].mT @ (tall[i] @ x), len(tall), small, k)
    else:
        squares, inner = torch.linalg.eigh(tall.mT @ tall)
        squares, inner = squares.flip(-1), inner.flip(-1)
    sizes = squares.clamp(min=0).sqrt()
    trivial = int((1 - sizes <= TRIVIAL).sum(1).max())
    wanted = trivial + k + 1
    rank = (sizes > _NULL).sum(1)
    null = (~matrix.isolated).sum(1) - 2 * rank
    sizes, inner = sizes[:, :wanted], inner[..., :wanted]
    imprecise = (sizes > _NULL) & (sizes < _PRECISE)
    lone = (rank < wanted) & ((null < 2) | (null < wanted - rank))
    if sizes.shape[1] < wanted or bool(imprecise.any()) or bool(lone.any()):
        return None
    sizes = sizes.masked_fill(sizes <= _NULL, 0.0)
    outer = (tall @ inner) / torch.where(sizes > 0, sizes, torch.inf)[:, None]
    vectors = torch.empty(len(block), matrix.isolated.shape[1], wanted, dtype=torch.float64)
    vectors[:, matrix.rows] = (inner if wide else outer) * 0.5**0.5
    vectors[:, matrix.columns] = (outer if wide else inner) * 0.5**0.5
    return 1 - sizes, vectors


def _of_whole(matrix: Normalised, k: int, threshold: int) -> Spectrum:
    """From the matrix of all nodes; those without edges come last."""
    nodes = matrix.matrix.shape[1]
    whole = matrix.matrix - 2.0 * torch.diag_embed(matrix.isolated.double())
    if nodes >= threshold:
        found, vectors = _largest(lambda i, x: whole[i] @ x, len(whole), nodes, k)
    else:
        found, vectors = torch.linalg.eigh(whole)
        found, vectors = found.flip(-1), vectors.flip(-1)
    return 1 - found, vectors


def _largest(product: Callable[[int, Tensor], Tensor], networks: int, size: int, k: int) -> Spectrum:
    """The largest eigenvalues of symmetric operators, by Lanczos iteration, more of them until enough are below 1."""
    values, vectors = [], []
    count = min(k + 3, size - 1)
    start = np.random.default_rng(0).standard_normal(size)
    for i in range(networks):
        wanted = count

        def read(x: Float[np.ndarray, ...], i: int = i) -> Float[np.ndarray, ...]:
            return product(i, torch.from_numpy(x.reshape(-1))).numpy()

        operator = LinearOperator((size, size), matvec=read, dtype=np.float64)
        while True:
            try:
                found, columns = eigsh(operator, k=wanted, which="LA", v0=start, tol=1e-12)
            except ArpackNoConvergence as error:
                raise ToleranceError(
                    f"Lanczos iteration did not find {wanted} eigenvectors of {size} nodes: ask for fewer positions, "
                    "or raise sparse_threshold above that number"
                ) from error
            if (found < 1 - TRIVIAL).sum() > k or wanted == size - 1:
                break
            wanted = min(2 * wanted, size - 1)
        values.append(torch.from_numpy(found[::-1].copy()))
        vectors.append(torch.from_numpy(columns[:, ::-1].copy()))
    most = max(map(len, values))
    filled = [torch.nn.functional.pad(one, (0, most - len(one)), value=-torch.inf) for one in values]
    padded = [torch.nn.functional.pad(one, (0, most - one.shape[1])) for one in vectors]
    return torch.stack(filled), torch.stack(padded)


def _selected(
    values: Tensor, vectors: Tensor, isolated: Bool[Tensor, "networks nodes"], k: int, position: Tensor
) -> PositionalEncoding:
    """The k smallest non-trivial ones, those of simple eigenvalues with signs fixed, zeros for the others."""
    networks, nodes, found = vectors.shape
    trivial = (values <= TRIVIAL).sum(1)
    apart = torch.ones(networks, found + 1, dtype=torch.bool)
    apart[:, 1:-1] = values.diff(dim=1) > APART
    simple = apart[:, 1:] & apart[:, :-1]
    index = trivial[:, None] + torch.arange(k)
    there = index < (~isolated).sum(1, keepdim=True)
    inside: Bool[Tensor, "networks k"] = there & (index < found)
    index = index.clamp(max=found - 1)
    kept = inside & simple.gather(1, index)
    chosen = vectors.gather(2, index[:, None].expand(-1, nodes, -1)) * kept[:, None] * ~isolated[..., None]
    signed, decided = fixed_signs(chosen, position)
    kept = kept & decided
    eigenvalues = values.gather(1, index).masked_fill(~inside, torch.nan)
    return PositionalEncoding(signed, eigenvalues, trivial, degenerate=(there & ~kept).sum(1), padded=(~there).sum(1))
