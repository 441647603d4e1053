"""Lists of edges in files and frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, given, settings

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError, UnreadableFileError, UnwritableFileError
from synaplex.graph import NeuralGraph, from_edgelist, write_edgelist
from synaplex.report.summary import layer_summary
from tests.graph.graphs import Recipe, directed_matrix, recipes

EXPECTED = [[0.0, 2.5, 0.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.csv", "source,target,weight\n1,2,2.5\n2,10,-1\n"),
        ("e.csv", "Weight;Target;Source\n2.5;2;1\n-1;10;2\n"),
        ("e.csv", "1,2,2.5\n2,10,-1\n"),
        ("e.csv", "pre,post,synapses\n1,2,2.5\n2,10,-1\n"),
        ("e.tsv", "# neurons of a worm\n\n1\t2\t2.5\n2\t10\t-1\n"),
        ("e.edgelist", "1 2 2.5\n2   10 -1\n"),
        ("e.txt", "\ufeff'1' '2' 2.5\n'2' '10' -1\n"),
        ("e.edgelist", "1 2 {'weight': 2.5}\n2 10 {'kind': 'gap', 'weight': -1}\n"),
        ("e.edgelist", "100 200 {'weight': 2.5}\n200 300 {'weight': -1.0}\n"),
        ("e.csv", "1,2,1.5\n1,2,1\n2,10,-1\n"),
    ],
)
def test_files_of_many_kinds(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    graph = sx.load(tmp_path / name)
    assert graph.sizes == (3,)
    assert graph.hidden == (0,)
    assert directed_matrix(graph).tolist() == EXPECTED


def test_edges_without_weights_weigh_one(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("a,b\nb,c\n")
    assert directed_matrix(sx.load(tmp_path / "e.csv")).tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_a_symmetric_list_is_undirected(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("a,b,2\nb,a,2\nb,b,5\n")
    assert sx.load(tmp_path / "e.csv").undirected().dense.tolist() == [[0, 2], [2, 5]]
    directed = from_edgelist(tmp_path / "e.csv", directed=True)
    assert directed.undirected().dense.tolist() == [[0, 4], [4, 5]]


def test_undirected_edges_may_be_listed_once() -> None:
    frame = pl.DataFrame({"source": ["b", "c"], "target": ["a", "b"], "weight": [2.0, 3.0]})
    graph = from_edgelist(frame, directed=False)
    assert graph.undirected().dense.tolist() == [[0, 2, 0], [2, 0, 3], [0, 3, 0]]


def test_frames_by_the_names_of_their_columns() -> None:
    frame = pl.DataFrame({"pre": [7, 8], "post": [8, 9], "synapses": [1, 2]})
    graph = from_edgelist(frame, source="pre", target="post", weight="synapses")
    assert directed_matrix(graph).tolist() == [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
    assert directed_matrix(sx.graph(frame.rename({"pre": "source", "post": "target"}))).max() == 1
    with pytest.raises(InvalidGraphError, match="no column 'source'; it has 'pre', 'post', 'synapses'"):
        sx.graph(frame)
    with pytest.raises(InvalidGraphError, match="column 'w' must hold numbers"):
        from_edgelist(pl.DataFrame({"source": [1], "target": [2], "w": ["x"]}), weight="w")
    with pytest.raises(InvalidGraphError, match="the list of edges is empty"):
        from_edgelist(pl.DataFrame({"source": [], "target": []}))
    with pytest.raises(InvalidGraphError, match="no name at one of its ends"):
        from_edgelist(pl.DataFrame({"source": ["a", None], "target": ["b", "c"]}))


def test_names_of_nodes_are_kept(tmp_path: Path) -> None:
    (tmp_path / "worm.csv").write_text("AVAL,AVAR,3\nDD1,AVAL,2\n")
    graph = sx.load(tmp_path / "worm.csv")
    assert graph.layers[0].names == ("AVAL", "AVAR", "DD1")
    frame = sx.measure(graph, "strength")
    assert frame.columns == ["layer", "layer_name", "neuron", "name", "strength"]
    assert frame.select("name", "strength").rows() == [("AVAL", 5.0), ("AVAR", 3.0), ("DD1", 2.0)]
    assert "AVAR" not in str(layer_summary(frame))
    write_edgelist(graph, tmp_path / "again.csv")
    again = sx.load(tmp_path / "again.csv")
    assert again.layers == graph.layers
    np.testing.assert_array_equal(directed_matrix(again), directed_matrix(graph))
    numbered = from_edgelist(pl.DataFrame({"source": [0, 1], "target": [1, 2]}))
    assert numbered.layers[0].names == ()
    assert "name" not in sx.measure(numbered, "strength").columns


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recipes())
def test_written_list_holds_the_edges(tmp_path: Path, drawn: Recipe) -> None:
    graph = drawn.graph
    write_edgelist(graph, tmp_path / "e.csv")
    frame = pl.read_csv(tmp_path / "e.csv")
    assert frame.columns == ["source", "target", "weight"]
    matrix = np.zeros((graph.neurons, graph.neurons))
    for source, target, weight in frame.iter_rows():
        matrix[source, target] = weight
    np.testing.assert_array_equal(matrix, directed_matrix(graph))


def test_undirected_list_has_each_edge_once(tmp_path: Path) -> None:
    graph = NeuralGraph.from_weights([torch.tensor([[1.0, -2.0]])])
    write_edgelist(graph, tmp_path / "e.csv", edges="positive", directed=False)
    assert (tmp_path / "e.csv").read_text() == "source,target,weight\n0,2,1.0\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3\n1,2,x\n", r"line 2: not an edge of two names and a weight: '1 2 x'"),
        ("1,2,x\n1,2,3\n", "line 1: not an edge"),
        ("# only words\n1,2,3\n4\n", "line 3: not an edge"),
        ("# nothing\n\n", "holds no edges"),
        ("source,target\n", "the list of edges is empty"),
        ("1,2,nan\n", "1 NaN or infinite"),
    ],
)
def test_lists_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises((UnreadableFileError, InvalidGraphError), match=message):
        sx.load(tmp_path / "e.csv")


def test_binary_file_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_bytes(b"\xff\xfe\xfa\x00\x81")
    with pytest.raises(UnreadableFileError, match="no text file"):
        sx.load(tmp_path / "e.csv")


def test_no_place_to_write(tmp_path: Path) -> None:
    graph = NeuralGraph.from_weights([torch.ones(1, 1)])
    with pytest.raises(UnwritableFileError, match="cannot be written"):
        write_edgelist(graph, tmp_path / "no such folder" / "e.csv")
    with pytest.raises(SpecificationError, match="batch of 2"):
        write_edgelist(NeuralGraph.from_weights([torch.ones(2, 1, 1)]), tmp_path / "e.csv")
