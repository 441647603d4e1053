"""The page on one model: it has every part, and nothing that a model lacks stops it."""

from pathlib import Path

import networkx as nx
import pytest
import torch

import synaplex as sx
from synaplex.errors import UnknownNameError
from synaplex.graph import NeuralGraph
from synaplex.measures import limits
from synaplex.report import Page
from tests.report.pages import read

PARTS = ["The network", "Weights", "Measures of neurons", "Hubs", "Weak and dead neurons", "Outliers", "Bottlenecks"]


def test_page_has_every_part(network: NeuralGraph, tmp_path: Path) -> None:
    seen: list[str] = []
    page = sx.report(network, tmp_path / "r.html", title="A <model>", facts={"file": "m.pt"}, progress=seen.append)
    assert isinstance(page, Page)
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    reader = read(html)
    assert reader.headings == ["A <model>", *PARTS]
    assert "12-20-10-3" in html
    assert "harmonic_centrality" in seen


def sparse() -> NeuralGraph:
    generator = torch.Generator().manual_seed(3)
    shapes = [(30, 40), (10, 30)]
    return NeuralGraph.from_weights(
        [torch.randn(s, generator=generator) * (torch.rand(s, generator=generator) < 0.05) for s in shapes]
    )


ODD = {
    "no edges": lambda: NeuralGraph.from_weights([torch.zeros(3, 4), torch.zeros(2, 3)]),
    "one edge": lambda: NeuralGraph.from_weights([torch.ones(1, 1)]),
    "isolated neurons": sparse,
    "edges within a layer": lambda: sx.graph(nx.karate_club_graph()),
    "equal weights": lambda: NeuralGraph.from_weights([torch.ones(20, 20), torch.ones(20, 20)]),
    "many layers": lambda: NeuralGraph.from_weights([torch.eye(2)] * 20),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_networks_have_pages(kind: str) -> None:
    graph = ODD[kind]()
    html = sx.report(graph, measures=["strength", "neighbor_strength", "current_flow_closeness"]).html()
    assert read(html).headings[1:] == PARTS


def test_undefined_values_are_counted_with_their_reason() -> None:
    html = sx.report(sparse(), measures=["strength", "disparity"]).html()
    assert "Measures without a value" in html
    assert "zero strength" in html


def test_measure_that_refuses_is_a_note(network: NeuralGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXACT_SIDE", 5)
    html = sx.report(network, measures=["strength", "log_subgraph_centrality"]).html()
    assert "Measures without a value" in html
    assert "is computed exactly up to" in html


def test_misspelt_measure_is_named_before_any_work(network: NeuralGraph) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'strength'"):
        sx.report(network, measures=["strenght"])
