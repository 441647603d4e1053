"""Populations are opened by what their folder holds: those of Synaplex too."""

import pytest

import synaplex as sx
from synaplex.networks import cnn, mlp
from synaplex.population import ModulePopulation, Population, open_population, train_modules


def test_a_population_of_modules_is_recognised(tmp_path):
    network = cnn((1, 8, 8), 2, dense=(10,))
    trained = train_modules(network, "digits", seeds=[3, 1], steps=1, store=tmp_path / "store", progress=False)
    opened = open_population(tmp_path / "store")
    assert isinstance(opened, ModulePopulation)
    assert opened.seeds == (3, 1)
    assert opened.networks().equals(trained.networks())


def test_a_population_is_recognised_in_a_folder_and_at_a_url(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path / "cache"))
    for place in (tmp_path / "store", (tmp_path / "at a url").as_uri()):
        sx.train_population(mlp(64, 4, 10), seeds=[3, 1], epochs=1, store=place, progress=False)
        opened = open_population(place)
        assert isinstance(opened, Population)
        assert opened.seeds == (3, 1)


def test_what_is_looked_for_is_named(tmp_path):
    with pytest.raises(OSError, match=r"is no population: no population\.json or modules\.json, no weights\.npy"):
        open_population(tmp_path)
