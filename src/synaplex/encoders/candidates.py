"""Networks by name, from files, folders, populations and graphs, a few at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import torch

from synaplex.encoders.checkpoints import load_checkpoint
from synaplex.encoders.graph_set import EDGES_AT_ONCE, GraphSet
from synaplex.errors import SpecificationError, UnreadableFileError
from synaplex.graph import NeuralGraph
from synaplex.graph import graph as read_module
from synaplex.graph.chain import natural_order
from synaplex.population import ForeignPopulation, Population, open_population
from synaplex.population.modules import ModulePopulation, ModuleStore
from synaplex.population.store import Store

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".h5", ".hdf5")
"""Of the files of a folder that are taken for models."""
AT_ONCE = 32
"""Networks of a population that are read at once."""

Piece = tuple[tuple[str, ...], NeuralGraph]


class Candidates:
    """Networks in order, each with a name; read while they are gone through, so that they need not fit into memory.

    Parameters
    ----------
    models
        Any of these, a sequence of them, or a mapping from names to them:

        - a file of weights that `load_checkpoint` reads, or of edges, named by its path;
        - a folder of such files, in natural order (epoch 2 before epoch 10);
        - a population or its folder: its trained networks, named ``folder:seed``, without those that have diverged;
        - a graph, or a batch or `GraphSet`, whose networks are numbered.
    layers
        Of `synaplex.load`, for all files.
    node_features
        Of the encoder that the networks are for, see `load_checkpoint`.

    Attributes
    ----------
    left_out : list of str
        Names of the networks that have diverged, known once all were gone through.

    Raises
    ------
    SpecificationError
        If there is nothing, something else, or one name twice.
    UnreadableFileError, InvalidGraphError
        If a file cannot be read or makes no graph; names it.
    """

    def __init__(self, models: Any, *, layers: Sequence[str] | None = None, node_features: Sequence[str] = ()) -> None:
        self._layers = layers
        self._node_features = tuple(node_features)
        self._given = _listed(models)
        if not self._given:
            raise SpecificationError("no models are given: name files of weights, folders of them, or populations")
        self.left_out: list[str] = []

    def __iter__(self) -> Iterator[Piece]:
        """Names, and the single network or batch that has them."""
        known: set[str] = set()
        for place, (name, one) in enumerate(self._given):
            for names, graph in self._pieces(name, one, place):
                for each in names:
                    if each in known:
                        raise SpecificationError(f"{each} is given twice")
                    known.add(each)
                yield names, graph

    def portions(self, networks: int) -> Iterator[tuple[tuple[str, ...], GraphSet]]:
        """Names and networks, about `networks` of them or `EDGES_AT_ONCE` weights at a time."""
        names: list[str] = []
        graphs: list[NeuralGraph] = []
        weights = 0
        for some, graph in self:
            names += some
            graphs.append(graph)
            weights += len(some) * sum(link.weights.shape[-1] for link in graph.links)
            if len(names) >= networks or weights >= EDGES_AT_ONCE:
                yield tuple(names), GraphSet.of(graphs)
                names, graphs, weights = [], [], 0
        if graphs:
            yield tuple(names), GraphSet.of(graphs)

    def _pieces(self, name: str | None, one: Any, place: int) -> Iterator[Piece]:
        if isinstance(one, NeuralGraph):
            yield _numbered(one, f"network {place}" if name is None else name), one
        elif isinstance(one, GraphSet):
            for start in range(0, len(one), AT_ONCE):
                for row in range(start, min(start + AT_ONCE, len(one))):
                    alone = next(one.parts([row]))
                    yield (f"{'network' if name is None else name} {row}",), alone
        elif isinstance(one, Population | ModulePopulation | ForeignPopulation):
            yield from self._population(one, str(one.folder) if name is None else name)
        else:
            path = Path(one)
            yield from self._path(path, str(path) if name is None else name)

    def _path(self, path: Path, name: str) -> Iterator[Piece]:
        if not path.is_dir():
            yield (name,), self._file(path)
            return
        if any((path / record).is_file() for record in (Store.record_name, ModuleStore.record_name)):
            yield from self._population(open_population(path), name)
            return
        if any(path.glob("*.index.json")):
            raise UnreadableFileError(
                f"{path} holds one checkpoint in several files, which do not say how it computes: build the model, "
                "load them into it, and embed sx.graph(model, example_input)"
            )
        files = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file()]
        if (path / "card.json").is_file() and (path / "encoder.safetensors").is_file():
            raise UnreadableFileError(f"{path} is an encoder, not a model")
        if not files:
            try:
                found = open_population(path)
            except UnreadableFileError as error:
                raise UnreadableFileError(f"{path} holds no model ({', '.join(SUFFIXES)}) and no population") from error
            yield from self._population(found, name)
            return
        for file in sorted(files, key=lambda file: natural_order(file.name)):
            yield (f"{name}/{file.name}",), self._file(file)

    def _file(self, path: Path) -> NeuralGraph:
        return load_checkpoint(path, layers=self._layers, node_features=self._node_features)

    def _population(self, found: Population | ModulePopulation | ForeignPopulation, name: str) -> Iterator[Piece]:
        seeds: Sequence[int] = found.seeds
        if not seeds:
            raise SpecificationError(f"the population {name} is empty: no network of it is finished")
        if not isinstance(found, ForeignPopulation):
            lost = _diverged(found)
            self.left_out += [f"{name}:{seed}" for seed in seeds if seed in lost]
            seeds = [seed for seed in seeds if seed not in lost]
        if isinstance(found, ModulePopulation):
            network = found.spec.network
            example = torch.zeros(1, *network.input_shape).to(found.spec.torch_dtype)
            for seed in seeds:
                yield (f"{name}:{seed}",), read_module(found.module(seed), example)
            return
        for start in range(0, len(seeds), AT_ONCE):
            some = seeds[start : start + AT_ONCE]
            yield tuple(f"{name}:{seed}" for seed in some), found.weights(some)


def _listed(models: Any) -> list[tuple[str | None, Any]]:
    """Everything given, with the name that it was given."""
    if isinstance(models, Mapping):
        named = list(models.items())
        for name, one in named:
            _check(one)
            if not isinstance(name, str):
                raise SpecificationError(f"names of models are texts, and {name!r} is none")
        return named
    single = isinstance(models, _KINDS) or not isinstance(models, Iterable)
    listed = [models] if single else list(models)
    for one in listed:
        _check(one)
    return [(None, one) for one in listed]


_KINDS = (NeuralGraph, GraphSet, Population, ModulePopulation, ForeignPopulation, str, os.PathLike)


def _check(one: Any) -> None:
    if not isinstance(one, _KINDS):
        raise SpecificationError(
            f"models are files, folders, populations or graphs, and {type(one).__name__} is none: make a graph of a "
            "module by synaplex.graph(model, example_input)"
        )


def _numbered(graph: NeuralGraph, name: str) -> tuple[str, ...]:
    if graph.networks is None:
        return (name,)
    return tuple(f"{name}:{graph.first_network + k}" for k in range(graph.networks))


def _diverged(found: Population | ModulePopulation) -> frozenset[int]:
    """Seeds of the networks whose last row gives a reason instead of scores."""
    table = found.networks()
    time = "epoch" if "epoch" in table.columns else "step"
    last = table.filter(pl.col(time) == table[time].max())
    return frozenset(last.filter(pl.col("reason").is_not_null())["seed"].to_list())
