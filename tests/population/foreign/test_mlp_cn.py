"""The layout of Scabini & Bruno's dataset, from small files of it and from one of its networks."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import torch
from scipy.io import savemat

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError, UnreadableFileError
from synaplex.population import MlpCn, open_population

h5py = pytest.importorskip("h5py")
SIZES = (6, 5, 4, 3)


def write_keras(path, sizes=SIZES, seed=0):
    """A file as Keras 2 writes it; kernels are (in, out)."""
    rng = np.random.default_rng(seed)
    kernels = [rng.normal(size=pair).astype(np.float32) for pair in pairwise(sizes)]
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights")
        names = [f"dense_{i}" for i in range(1, len(sizes))]
        group.attrs["layer_names"] = [name.encode() for name in names]
        for name, kernel in zip(names, kernels, strict=True):
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [f"{name}/kernel:0".encode()]
            layer.create_dataset(f"{name}/kernel:0", data=kernel)
    return kernels


def write_measures(path, epochs=4, columns=8, seed=0):
    rng = np.random.default_rng(seed)
    values = {f"fmap_h{i}": rng.uniform(1, 2, (epochs, SIZES[i], columns)) for i in (1, 2)}
    savemat(path, values)
    return values


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "200x100hidden").mkdir()
    (tmp_path / "feature_maps").mkdir()
    for number in (1, 2, 10):
        write_keras(tmp_path / "200x100hidden" / f"network{number}.h5", seed=number)
    write_measures(tmp_path / "feature_maps" / "network2_9measures.mat", seed=2)
    write_measures(tmp_path / "feature_maps" / "network10_9measures.mat", columns=9, seed=10)
    return tmp_path


def test_networks_are_found_by_their_numbers(folder):
    population = open_population(folder)
    assert isinstance(population, MlpCn)
    assert population.seeds == (1, 2, 10)
    assert population.networks()["measures"].is_null().to_list() == [True, False, False]
    assert repr(population).startswith("MlpCn(3 networks in ")


def test_weights_come_as_one_batch(folder):
    kernels = write_keras(folder / "200x100hidden" / "network2.h5", seed=2)
    graph = MlpCn(folder).weights([10, 2])
    assert (graph.networks, graph.sizes) == (2, SIZES)
    for link, kernel in zip(graph.links, kernels, strict=True):
        torch.testing.assert_close(link.weight[1].float(), torch.from_numpy(kernel.T))


def test_measures_are_a_table_as_ours(folder):
    values = write_measures(folder / "feature_maps" / "network2_9measures.mat", seed=2)
    frame = MlpCn(folder).neurons([2])
    assert len(frame) == 4 * (5 + 4)
    row = frame.filter(epoch=3, layer=2, neuron=1)
    assert row["strength"].item() == values["fmap_h2"][3, 1, 0]
    assert row["log_subgraph_centrality"].item() == pytest.approx(np.log(values["fmap_h2"][3, 1, 4]))
    assert row["maximal_cliques"].item() == values["fmap_h2"][3, 1, 7]
    assert "unnamed" not in frame.columns


def test_a_ninth_column_is_kept_without_a_name(folder):
    frame = MlpCn(folder).neurons()
    assert frame.columns[-1] == "unnamed"
    assert frame.filter(seed=2)["unnamed"].is_null().all()
    assert frame.filter(seed=10)["unnamed"].null_count() == 0


def test_what_is_not_there_is_named(folder, tmp_path_factory):
    population = MlpCn(folder)
    with pytest.raises(SpecificationError, match="no network 3"):
        population.tensors(3)
    with pytest.raises(SpecificationError, match=r"no measures of networks \[1\]"):
        population.neurons([1])
    with pytest.raises(SpecificationError, match="after epoch 0; there are: 3"):
        population.tensors(2, epoch=0)
    with pytest.raises(UnreadableFileError, match="is no population"):
        open_population(tmp_path_factory.mktemp("empty"))


def test_two_benchmarks_in_one_folder_are_refused(folder):
    (folder / "other").mkdir()
    write_keras(folder / "other" / "network1.h5")
    with pytest.raises(UnreadableFileError, match="the same number"):
        MlpCn(folder)


def test_networks_of_other_sizes_are_no_batch(folder):
    write_keras(folder / "200x100hidden" / "network1.h5", sizes=(6, 5, 3))
    with pytest.raises(InvalidGraphError, match="network 2 has other layers than 1"):
        MlpCn(folder).weights()


@pytest.mark.parametrize("values", [{"x": np.ones(3)}, {"fmap_h1": np.ones((2, 5, 7)), "fmap_h2": np.ones((2, 4, 7))}])
def test_damaged_measures_are_named(folder, values):
    savemat(folder / "feature_maps" / "network2_9measures.mat", values)
    with pytest.raises(UnreadableFileError, match="network2_9measures"):
        MlpCn(folder).neurons([2])


def test_the_released_network_is_measured_as_published(golden):
    population = MlpCn(golden)
    assert population.seeds == (1,)
    published = population.neurons().filter(epoch=30)
    ours = sx.measure(population.weights(), ["strength"], layers="hidden")
    assert len(published) == 300
    np.testing.assert_allclose(published["strength"], ours["strength"], rtol=1e-4, atol=1e-5)
    assert published["log_subgraph_centrality"].dtype == pl.Float64
