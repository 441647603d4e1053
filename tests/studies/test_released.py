"""The comparison on the scale of the released data, with neurons whose types are known."""

import numpy as np
import polars as pl
import pytest

from synaplex.datasets import load
from synaplex.errors import UnknownNameError
from synaplex.studies.scabini import published
from synaplex.studies.scabini.recipe import Analysis, specification
from synaplex.studies.scabini.released import applies, beside_released, elbow_on_released_scale, largest_values
from synaplex.studies.scabini.vocabulary import Vocabulary
from tests.studies.made_up import neurons

QUICK = Analysis(starts=8, elbow_starts=2)
CENTERS = published.released_types().select(published.KEPT).to_numpy()
SHARES = np.array([[0.1, 0.2, 0.3, 0.1, 0.2, 0.1], [0.1, 0.2, 0.26, 0.1, 0.24, 0.1]])


def test_neurons_at_the_released_centroids_are_found_there() -> None:
    table = beside_released({"made up": neurons(CENTERS, SHARES)}, QUICK).filter(pl.col("rows") == "all layers")
    assert table.height == 18
    assert table["difference"].abs().max() < 0.005
    shares = table.filter(pl.col("measure") == "strength").sort("type")["share"].to_list()
    assert shares == pytest.approx(SHARES.mean(axis=0).tolist(), abs=0.01)


def test_a_shift_of_one_type_shows_as_that_difference() -> None:
    moved = CENTERS.copy()
    moved[3, 2] += 0.2
    table = beside_released({"moved": neurons(moved, SHARES)}, QUICK).filter(pl.col("rows") == "all layers")
    far = table.filter(pl.col("difference").abs() > 0.05)
    assert far.select("type", "measure").rows() == [(4, "subgraph_centrality")]
    assert far["difference"][0] == pytest.approx(0.2, abs=0.01)


def test_layers_alone_stand_beside_their_own_centroids() -> None:
    table = beside_released({"made up": neurons(CENTERS, SHARES)}, QUICK)
    assert table["rows"].unique(maintain_order=True).to_list() == ["all layers", "layer 1", "layer 2"]
    layer = table.filter((pl.col("rows") == "layer 2") & (pl.col("type") == 1) & (pl.col("measure") == "strength"))
    assert layer["released"].to_list() == [-0.4180]


def test_the_elbow_is_at_the_number_of_types_that_are_there() -> None:
    three = np.array([[-0.5, 0.2, 0.1], [0.0, 0.9, 0.1], [0.5, 0.4, 0.8]])
    table = elbow_on_released_scale(neurons(three, np.array([[0.3, 0.4, 0.3]])), QUICK)
    assert table.filter("picked")["n_types"].to_list() == [3]
    assert set(table["rows"]) == {"released scale"}


def test_largest_values_stand_beside_the_released_constants() -> None:
    frame = neurons(CENTERS, SHARES)
    table = largest_values(Vocabulary.find(frame, 6, 2, 0).scale.table())
    assert table.height == 8
    rows = {(row["measure"], row["layer"], row["bound"]): row for row in table.iter_rows(named=True)}
    strength = rows["strength", 1, "high"]
    first = frame.filter(pl.col("layer") == 1)
    assert strength["here"] == pytest.approx(first["strength"].max())
    assert strength["released"] == pytest.approx(76.098, abs=1e-3)
    subgraph = rows["subgraph_centrality", 2, "high"]
    assert subgraph["here"] == pytest.approx(frame.filter(pl.col("layer") == 2)["log_subgraph_centrality"].max())
    assert subgraph["released"] == pytest.approx(np.log(1.5926423017865634e89))


def test_it_applies_to_the_papers_networks_on_mnist_only() -> None:
    spec = specification(load("digits"), 3, 0)
    assert not applies(spec)
    assert not applies(spec.model_copy(update={"dataset": "mnist"}))
    with pytest.raises(UnknownNameError, match="released"):
        specification(load("digits"), 3, 0, "relesed")
