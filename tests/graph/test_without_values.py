"""Models on the meta device: their graph is that of the same model with values, and takes no memory for weights."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import synaplex as sx
from synaplex.errors import InvalidGraphError
from synaplex.graph import NeuralGraph, trace
from tests.graph.test_architectures import CifarNet, Squeeze, UNet
from tests.graph.test_tokens import HUGGING_FACE, Classifier, hugging_face

WORDS = torch.zeros(2, 7, dtype=torch.long)
MODELS: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "dense": (lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.LayerNorm(3), nn.Linear(3, 2)), torch.zeros(1, 4)),
    "residual network": (lambda: CifarNet(1, "B"), torch.zeros(1, 3, 16, 16)),
    "U-Net": (lambda: UNet(nn.ReLU()), torch.zeros(1, 1, 16, 16)),
    "gates": (lambda: Squeeze(), torch.zeros(1, 3, 6, 6)),
    "LSTM": (lambda: Classifier("LSTM", num_layers=2, bidirectional=True), WORDS),
    "GRU": (lambda: Classifier("GRU"), WORDS),
}


def shapes(graph: NeuralGraph) -> list[Any]:
    return [
        *[(layer.name, layer.shape, layer.role) for layer in graph.layers],
        *[(link.source, link.target, link.name, type(link), link.in_size, link.out_size) for link in graph.links],
        *graph.coverage().rows(),
    ]


@pytest.mark.parametrize("name", MODELS)
def test_layers_links_and_coverage_need_no_values(name: str) -> None:
    make, example = MODELS[name]
    with torch.device("meta"):
        model = make()
    assert shapes(trace(model, example)) == shapes(trace(make(), example))


@pytest.mark.parametrize("name", ["GPT-2", "BERT", "ViT", "Llama"])
@pytest.mark.filterwarnings("ignore")
def test_hugging_face_models_need_no_values(name: str) -> None:
    real, example = hugging_face(name)
    with torch.device("meta"):
        model, _ = hugging_face(name)
    assert HUGGING_FACE[name][3] is example
    assert shapes(trace(model, example)) == shapes(trace(real, example))


def test_a_billion_parameters_are_traced_without_their_memory() -> None:
    with torch.device("meta"):
        model = nn.Sequential(*[nn.Linear(10_000, 10_000) for _ in range(10)])
    trace(nn.Linear(2, 2))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    graph = sx.graph(model, torch.zeros(1, 10_000))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / (1e6 if sys.platform == "darwin" else 1e3)
    assert sum(link.weights.numel() for link in graph.links) == 10**9
    assert grown < 200  # MB; the weights would take 4,000


def test_measures_of_weights_without_values_are_refused() -> None:
    graph = trace(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).to("meta"))
    assert "no values" in repr(graph)
    for name in ("strength", "in_strength", "disparity", "laplacian_centrality", "subgraph_centrality"):
        with pytest.raises(InvalidGraphError, match=r"DenseLink\(4 -> 3 '0\.weight'\) are on the meta device"):
            getattr(sx.measures, name)(graph)
    with pytest.raises(InvalidGraphError, match="meta device"):
        sx.measure(graph)
