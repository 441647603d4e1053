"""What every link must be, given its matrix: tests of each family compare with the Jacobian of the real module."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from synaplex.graph import Link, NeuralGraph
from synaplex.graph.layer import Layer
from synaplex.measures import disparity, laplacian_centrality, neighbor_strength, strength


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def weights(seed: int, *shape: int) -> Tensor:
    """Signed weights in quarters, some zero, some equal: sums of them are exact, so that cancelled edges vanish."""
    return torch.randint(-6, 7, shape, generator=generator(seed)).double() / 4


def jacobian(function: Callable[[Tensor], Tensor], in_shape: Sequence[int]) -> Tensor:
    """The matrix of a linear function of one example (no batch axis)."""
    zeros = torch.zeros(math.prod(in_shape), dtype=torch.float64)

    def flat(x: Tensor) -> Tensor:
        return function(x.reshape(1, *in_shape)).flatten()

    matrix: Tensor = torch.autograd.functional.jacobian(flat, zeros)
    return matrix.detach()


def assert_is_matrix(link: Link, matrix: Tensor) -> None:
    """Every question that a link answers, answered by its matrix (``(*networks, out, in)``)."""
    close = torch.testing.assert_close
    lead = matrix.shape[:-2]
    assert (link.out_size, link.in_size) == tuple(matrix.shape[-2:])
    assert link.networks == (lead[0] if lead else None)
    x = torch.randn(3, *lead, link.in_size, generator=generator(0), dtype=torch.float64)
    y = torch.randn(2, 1, *lead, link.out_size, generator=generator(1), dtype=torch.float64)
    close(link.forward(x), torch.einsum("...ij,...j->...i", matrix, x))
    close(link.backward(y), torch.einsum("...ij,...i->...j", matrix, y))
    one, other = torch.ones(link.in_size).double(), torch.ones(link.out_size).double()
    close(link.forward(one).expand(*lead, -1), matrix.sum(-1))
    close(link.backward(other).expand(*lead, -1), matrix.sum(-2))
    close(link.to_dense(), matrix)
    close(link.to_sparse().to_dense(), matrix)
    assert bool((link.to_sparse().weight != 0).all())
    for function in (torch.square, torch.abs, torch.relu):
        close(link.map(function).forward(x), torch.einsum("...ij,...j->...i", function(matrix), x))
        close(link.map(function).backward(y), torch.einsum("...ij,...i->...j", function(matrix), y))
        close(link.map(function).to_dense(), function(matrix))
    assert link.edge_count == int((matrix != 0).sum())
    close(_total(link), matrix.sum())
    close(_total(link.map(torch.square)), matrix.square().sum())
    rows = torch.arange(link.out_size).repeat_interleave(link.in_size)
    columns = torch.arange(link.in_size).repeat(link.out_size)
    close(link.entries(rows, columns).reshape(matrix.shape), matrix)
    close(link.to(torch.float32).forward(x), link.forward(x), rtol=1e-5, atol=1e-5)
    turned = link.transpose()
    assert (turned.source, turned.target) == (link.target, link.source)
    close(turned.forward(y), link.backward(y))
    close(turned.to_dense(), matrix.mT)
    close(turned.to_sparse().to_dense(), matrix.mT)
    close(turned.transpose().to_dense(), matrix)
    for k in range(link.networks or 0):
        assert link.network(k).networks is None
        close(link.network(k).to_dense(), matrix[k])
        close(link.subset(k, k + 1).to_dense(), matrix[k : k + 1])


def _total(link: Link) -> Tensor:
    return (link.weights * link.multiplicity).sum()


def assert_measured_as_edges(link: Link) -> None:
    """Measures of the graph of one link are those of the list of its edges."""
    layers = (Layer("input", (link.in_size,), "input"), Layer("output", (link.out_size,), "output"))
    graph = NeuralGraph(layers, (link.between(0, 1),), {})
    listed = NeuralGraph(layers, (link.to_sparse().between(0, 1),), {})
    for edges in ("signed", "absolute", "positive", "top:0.4"):
        torch.testing.assert_close(strength(graph, edges=edges), strength(listed, edges=edges))
        torch.testing.assert_close(laplacian_centrality(graph, edges=edges), laplacian_centrality(listed, edges=edges))
    alive = (strength(listed, edges="absolute") > 0).all(0) if link.networks else strength(listed, edges="absolute") > 0
    torch.testing.assert_close(disparity(graph, neurons=alive), disparity(listed, neurons=alive))
    torch.testing.assert_close(
        neighbor_strength(graph, neurons=alive, edges="absolute"),
        neighbor_strength(listed, neurons=alive, edges="absolute"),
    )
