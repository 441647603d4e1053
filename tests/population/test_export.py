"""What is exported can be read by whoever knows Parquet and safetensors, and nothing is lost."""

import json
import shutil

import polars as pl
import pytest
from safetensors.torch import load_file

import synaplex as sx
from synaplex.errors import UnwritableFileError
from synaplex.population import export_population
from tests.population.conftest import RECIPE

TITLE = {"title": 'Seven networks: "digits"', "license": "cc-by-4.0", "authors": "A. Author"}


@pytest.fixture(scope="module")
def exported(population, tmp_path_factory):
    return export_population(population, tmp_path_factory.mktemp("export") / "seven", **TITLE)


def test_tables_and_weights_are_those_of_the_population(population, exported):
    networks = pl.read_parquet(exported / "data" / "networks-*.parquet")
    neurons = pl.read_parquet(exported / "data" / "neurons-*.parquet")
    assert networks.equals(population.networks())
    assert neurons.equals(population.neurons())
    for path in sorted((exported / "weights").glob("*.safetensors")):
        tensors = load_file(path)
        graph = population.weights(tensors["seeds"].tolist())
        assert all(
            tensors[f"layer{i}.weight"].equal(link.weight.float()) for i, link in enumerate(graph.links, start=1)
        )
    assert json.loads((exported / "population.json").read_text())["specification"]["epochs"] == 3


def test_names_follow_the_layout_of_the_hub(exported):
    assert sorted(str(path.relative_to(exported)) for path in exported.rglob("*.*") if path.is_file()) == [
        "README.md",
        "data/networks-00000-of-00001.parquet",
        "data/neurons-00000-of-00003.parquet",
        "data/neurons-00001-of-00003.parquet",
        "data/neurons-00002-of-00003.parquet",
        "population.json",
        "weights/weights-00000-of-00003.safetensors",
        "weights/weights-00001-of-00003.safetensors",
        "weights/weights-00002-of-00003.safetensors",
    ]


def test_the_card_has_a_header_that_is_yaml(exported):
    yaml = pytest.importorskip("yaml")
    _, header, body = (exported / "README.md").read_text().split("---\n", 2)
    card = yaml.safe_load(header)
    assert card["pretty_name"] == TITLE["title"]
    assert card["license"] == "cc-by-4.0"
    assert card["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in card["configs"]] == ["networks", "neurons"]
    for config in card["configs"]:
        assert list(exported.glob(config["data_files"]))
    assert "64-12-8-10" in body
    assert "| optimizer | kind sgd, learning_rate 0.01, momentum 0.0 |" in body
    assert "| maximal_cliques | Int32 |" in body


def test_networks_without_measures_have_no_table_of_neurons(tmp_path):
    plain = sx.train_population(**{**RECIPE, "measures": None}, seeds=[1], store=tmp_path / "store")
    folder = export_population(plain, tmp_path / "out", title="One", license="mit")
    assert "neurons" not in (folder / "README.md").read_text().split("---\n", 2)[1]
    assert not list(folder.glob("data/neurons*"))


def test_what_is_there_is_not_overwritten_and_what_fails_leaves_nothing(population, exported, tmp_path, monkeypatch):
    with pytest.raises(UnwritableFileError, match="exists already"):
        export_population(population, exported, **TITLE)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(UnwritableFileError, match=r"cannot write .*out: .*No space left"):
        export_population(population, tmp_path / "out", **TITLE)
    assert list(tmp_path.iterdir()) == []
