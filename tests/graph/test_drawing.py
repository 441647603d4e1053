"""The picture: how much of the network it shows, and that it says so."""

from __future__ import annotations

import io
import sys
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import synaplex as sx
from synaplex.errors import SpecificationError
from synaplex.graph import IdentityLink, Layer, NeuralGraph, SparseLink
from synaplex.graph.drawing import NEGATIVE, POSITIVE, draw


def lines(figure: Figure) -> LineCollection:
    return next(item for item in figure.axes[0].collections if isinstance(item, LineCollection))


def caption(figure: Figure) -> str:
    return figure.get_supxlabel()


def png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def random_network(*widths: int) -> NeuralGraph:
    generator = torch.Generator().manual_seed(0)
    return sx.graph([torch.randn(b, a, generator=generator) for a, b in pairwise(widths)])


def test_small_network_is_shown_whole() -> None:
    figure = random_network(4, 6, 3).draw()
    assert type(figure) is Figure
    assert caption(figure) == "All 13 neurons and 42 edges"
    assert len(lines(figure).get_segments()) == 42
    assert png(figure).startswith(b"\x89PNG")


def test_large_network_is_thinned_and_says_so() -> None:
    figure = random_network(300, 80, 10).draw(max_neurons=20, max_edges=100)
    assert "50 of 390 neurons" in caption(figure)
    assert "100 of 24,800 edges" in caption(figure)
    assert len(lines(figure).get_segments()) == 100
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "300 neurons\n20 shown" in texts
    assert "10 neurons" in texts


def test_drawn_edges_are_the_strongest_and_coloured_by_sign() -> None:
    weight = torch.tensor([[1.0, -5.0], [4.0, -0.5]])
    figure = sx.graph([weight]).draw(max_edges=2)
    colors = {tuple(np.round(color[:3], 6)) for color in lines(figure).get_colors()}
    assert colors == {tuple(np.round(to_rgb(color), 6)) for color in (POSITIVE, NEGATIVE)}
    ends = {tuple(segment[:, 1].round(3)) for segment in lines(figure).get_segments()}
    assert len(ends) == 2
    assert "All 4 neurons; 2 of 4 edges" in caption(figure)


def test_edge_rule() -> None:
    figure = sx.graph([torch.tensor([[1.0, -5.0]])]).draw(edges="positive")
    assert caption(figure) == "All 3 neurons and 1 edges"
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["positive weight"]


def test_every_kind_of_link_is_drawn() -> None:
    layers = tuple(Layer(name, (3,)) for name in "abc")
    loop = SparseLink.from_edges(
        torch.tensor([0, 1]), torch.tensor([0, 2]), torch.tensor([1.0, -1.0]), (3, 3), source=1, target=1
    )
    skip = IdentityLink(source=0, target=2, size=3, scale=torch.tensor(1.0))
    figure = draw(NeuralGraph(layers, (loop, skip), {}))
    assert len(lines(figure).get_segments()) == 5
    png(figure)


def test_graph_of_one_layer_is_a_circle() -> None:
    figure = sx.graph(nx.karate_club_graph()).draw()
    assert caption(figure) == "All 34 neurons and 78 edges"
    assert len(lines(figure).get_segments()) == 78
    png(figure)


def test_network_without_edges() -> None:
    figure = NeuralGraph((Layer("a", (2,)), Layer("b", (1,))), (), {}).draw()
    assert caption(figure) == "All 3 neurons and 0 edges"
    png(figure)


def test_drawing_leaves_pyplot_alone() -> None:
    png(random_network(2, 2).draw())
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_batch_and_limits_are_refused() -> None:
    with pytest.raises(SpecificationError, match=r"graph\.network\(k\)\.draw\(\)"):
        sx.graph([torch.ones(2, 3, 3)]).draw()
    with pytest.raises(SpecificationError, match="at least 1"):
        random_network(2, 2).draw(max_edges=0)
