import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.io import loadmat

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.neurons import (
    LARGEST,
    RELEASED_MNIST,
    SCABINI_MEASURES,
    BagOfNeurons,
    Descriptors,
    descriptors,
)


@pytest.fixture
def table() -> pl.DataFrame:
    """Two networks (seeds 9 and 4) of two layers; three of the eight neurons lack a measure."""
    return pl.DataFrame(
        {
            "seed": [9, 9, 9, 9, 4, 4, 4, 4],
            "epoch": [30] * 8,
            "layer": [1, 1, 2, 2, 1, 1, 2, 2],
            "neuron": [0, 1, 0, 1, 0, 1, 0, 1],
            "strength": [1.0, 2.0, 3.0, 4.0, -5.0, 6.0, None, 8.0],
            "bipartite_clustering": [0.1, math.nan, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
            "log_subgraph_centrality": [200.0, 201.0, None, 203.0, 204.0, 205.0, 206.0, 207.0],
            "maximal_cliques": [1, 2, 3, 4, 5, 6, 7, 8],
            "reason": [None, None, "subgraph_centrality: isolated", None, None, None, None, None],
        },
        schema_overrides={"layer": pl.Int32, "neuron": pl.Int32, "maximal_cliques": pl.Int32},
    )


def test_rows_with_a_value_for_every_measure(table: pl.DataFrame) -> None:
    found = descriptors(table)
    assert len(found) == 5
    assert found.measures == ("strength", "bipartite_clustering", "log_subgraph_centrality")
    assert found.values[:, 0].tolist() == [1.0, 4.0, -5.0, 6.0, 8.0]
    assert found.index.columns == ["seed", "epoch", "layer", "neuron"]
    assert found.layers.tolist() == [1, 2, 1, 1, 2]


def test_neurons_left_out_are_counted_by_reason(table: pl.DataFrame) -> None:
    found = descriptors(table)
    assert found.left_out_count == 3
    assert found.left_out.rows() == [
        (1, "bipartite_clustering is not a number", 1),
        (2, "strength is null", 1),
        (2, "subgraph_centrality: isolated", 1),
    ]
    assert found.of_layer(2).left_out_count == 2
    assert descriptors(table, ["maximal_cliques"]).left_out_count == 0


def test_infinite_values_are_left_out() -> None:
    found = descriptors(pl.DataFrame({"strength": [math.inf, 1.0]}), ["strength"])
    assert found.left_out.rows() == [("strength is infinite", 1)]
    assert found.index.rows() == [(1,)]


def test_a_reason_for_another_measure_leaves_no_neuron_out(table: pl.DataFrame) -> None:
    found = descriptors(table, ["bipartite_clustering"])
    assert len(found) == 7


def test_plain_and_logarithmic_columns_agree_once_normalized(table: pl.DataFrame) -> None:
    plain = table.with_columns(pl.col("log_subgraph_centrality").exp().alias("subgraph_centrality"))
    for name in ("largest", "min-max", "released"):
        from_logarithms = descriptors(table, normalization=name)
        from_values = descriptors(plain.drop("log_subgraph_centrality"), normalization=name)
        np.testing.assert_allclose(from_logarithms.values, from_values.values, rtol=1e-12, atol=1e-15)
        assert from_logarithms.measures == from_values.measures == SCABINI_MEASURES
    assert descriptors(plain).measures == SCABINI_MEASURES
    assert descriptors(plain, ["log_subgraph_centrality"]).measures == ("log_subgraph_centrality",)


def test_the_fitted_normalization_travels_with_the_values(table: pl.DataFrame) -> None:
    early, late = table.head(4), table.tail(4)
    fitted = descriptors(late, normalization="largest").normalization
    assert fitted is not None
    other = descriptors(early, normalization=fitted)
    np.testing.assert_allclose(other.values[:, 0], [1 / 8, 4 / 8])
    with pytest.raises(SpecificationError, match="normalized already"):
        other.normalized(LARGEST)


def test_groups_number_the_networks_in_sorted_order(table: pl.DataFrame) -> None:
    found = descriptors(table)
    codes, networks = found.groups()
    assert codes.tolist() == [1, 1, 0, 0, 0]
    assert networks.rows() == [(4, 30), (9, 30)]
    codes, layers = found.groups("layer")
    assert codes.tolist() == [0, 1, 0, 0, 1]
    assert layers["layer"].to_list() == [1, 2]


def test_group_numbers_are_rows_of_the_histogram(table: pl.DataFrame) -> None:
    found = descriptors(table, ["strength"])
    bag = BagOfNeurons.from_centers(np.array([[-5.0], [5.0]]))
    codes, networks = found.groups("seed")
    frequencies = bag.histogram(found.values, codes)
    assert networks["seed"].to_list() == [4, 9]
    np.testing.assert_allclose(frequencies, [[1 / 3, 2 / 3], [0, 1]])


def test_selection(table: pl.DataFrame) -> None:
    found = descriptors(table)
    part = found.select(found.values[:, 0] > 3)
    assert part.values[:, 0].tolist() == [4.0, 6.0, 8.0]
    assert part.index["neuron"].to_list() == [1, 1, 1]
    with pytest.raises(SpecificationError, match=r"no neurons in layer 7; there are layers \[1, 2\]"):
        found.of_layer(7)


def test_what_a_table_may_lack(table: pl.DataFrame) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'strength'"):
        descriptors(table, ["strenght"])
    with pytest.raises(SpecificationError, match="'reason' is not numeric but String"):
        descriptors(table, ["reason"])
    with pytest.raises(SpecificationError, match="asked for twice"):
        descriptors(table, ["subgraph_centrality", "log_subgraph_centrality"])
    with pytest.raises(SpecificationError, match="at least one measure"):
        descriptors(table, [])
    with pytest.raises(SpecificationError, match="none of the 1 neurons"):
        descriptors(table[6:7], ["strength"])
    with pytest.raises(UnknownNameError, match="'released'"):
        descriptors(table, normalization="relased")
    bare = descriptors(table.select("strength"), ["strength"])
    with pytest.raises(SpecificationError, match="no column 'layer'"):
        _ = bare.layers
    with pytest.raises(SpecificationError, match="name the columns to group by"):
        bare.groups()
    with pytest.raises(SpecificationError, match="no column 'epoch'"):
        bare.groups("epoch")


def test_parts_of_different_lengths() -> None:
    with pytest.raises(SpecificationError, match="for 1 neurons and 1 measures"):
        Descriptors(np.ones((2, 1)), ("strength",), pl.DataFrame({"neuron": [0]}), pl.DataFrame())


# The vocabulary released for MNIST, both layers together, and the shares of its types among 300,000 neurons.
RELEASED_CENTERS = np.array(
    [
        [-0.3969, 0.5685, 0.1118],
        [-0.2142, 0.7298, 0.1267],
        [-0.0527, 0.8154, 0.1259],
        [0.0478, 0.8713, 0.3746],
        [0.1188, 0.8637, 0.1300],
        [0.3236, 0.8920, 0.1723],
    ]
)
RELEASED_SHARES = np.array([0.0794, 0.2056, 0.2783, 0.0697, 0.2457, 0.1214])


def test_a_released_network_has_the_released_types(golden: Path) -> None:
    measured = loadmat(golden / "mlp-mnist-network1-measures.mat")
    rows = np.concatenate([measured["fmap_h1"][-1], measured["fmap_h2"][-1]])
    neurons = pl.DataFrame(
        {
            "layer": np.repeat([1, 2], [200, 100]),
            "strength": rows[:, 0],
            "bipartite_clustering": rows[:, 3],
            "log_subgraph_centrality": np.log(rows[:, 4]),
        }
    )
    found = descriptors(neurons, normalization=RELEASED_MNIST)
    assert found.left_out_count == 0
    shares = BagOfNeurons.from_centers(RELEASED_CENTERS).histogram(found.values, np.zeros(300))[0]
    # Three standard errors of a share among 300 neurons are at most 0.09.
    np.testing.assert_allclose(shares, RELEASED_SHARES, atol=0.09)
