"""What a page or a comparison cannot be made of is refused in one line, before any work."""

from pathlib import Path
from typing import Any

import pytest
import torch
from jaxtyping import config
from torch import nn

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError, UnknownNameError, UnwritableFileError
from synaplex.graph import NeuralGraph


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Annotations are not checked, as outside the tests: what remains is the package's own checks."""
    monkeypatch.setattr(config, "jaxtyping_disable", True)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("given", "todo"), [(nn.Linear(2, 2), "graph"), ("m.pt", "load"), (Path("m.pt"), "load")])
def test_what_is_no_graph(network: NeuralGraph, given: Any, todo: str) -> None:
    for call in (lambda: sx.report(given), lambda: sx.compare(given, network), lambda: sx.compare(network, given)):
        with pytest.raises(SpecificationError, match=f"where a graph is needed.*{todo}"):
            call()


def test_weights_without_values(network: NeuralGraph) -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    empty = sx.graph(model)
    with pytest.raises(InvalidGraphError, match=r"meta device.*this network"):
        sx.report(empty)
    for pair in ((empty, empty), (network, empty)):
        with pytest.raises(InvalidGraphError, match=r"meta device.* model"):
            sx.compare(*pair)


def test_place_that_cannot_be_written_is_found_before_any_work(
    network: NeuralGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synaplex.report.model.measure_each", lambda *_: pytest.fail("it was measured"))
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableFileError, match="cannot write"):
        sx.report(network, tmp_path / "file" / "x.html")
    with pytest.raises(UnknownNameError, match="betweenness"):
        sx.report(network, tmp_path / "x.html", measures=["betweenness"])
    assert not (tmp_path / "x.html").exists()


def test_one_measure_is_a_name(network: NeuralGraph) -> None:
    assert sx.compare(network, network, measures="disparity").neurons.columns[-2:] == ["disparity_a", "disparity_b"]
    options = {"strength": {"edges": "positive"}}
    found = sx.compare(network, network, measures=options).neurons
    assert found["strength_a"].equals(sx.measure(network, options)["strength"].alias("strength_a"))
    assert "disparity" in sx.report(network, measures="disparity").html()
    with pytest.raises(UnknownNameError, match="did you mean 'disparity'"):
        sx.compare(network, network, measures="disparty")


def test_weights_alone_are_compared(network: NeuralGraph) -> None:
    assert sx.compare(network, network, measures=[]).neurons.columns[-1] == "outgoing_cosine"
