"""Which layout a folder has."""

from __future__ import annotations

import os
from pathlib import Path

from synaplex.errors import UnreadableFileError
from synaplex.population.folder import is_url
from synaplex.population.foreign.base import ForeignPopulation
from synaplex.population.foreign.cnn_zoo import LAYOUT, WEIGHTS, CnnZoo
from synaplex.population.foreign.mlp_cn import MlpCn
from synaplex.population.foreign.model_zoo import CONFIGURATIONS, ModelZoo
from synaplex.population.modules.population import ModulePopulation
from synaplex.population.modules.store import ModuleStore
from synaplex.population.population import Population
from synaplex.population.store import Store


def open_population(folder: str | os.PathLike[str]) -> Population | ModulePopulation | ForeignPopulation:
    """Open a population, of Synaplex or of others, by what the folder holds; at a URL, a `Population`.

    ============================================= =============================================================
    found in the folder                           opened as
    ============================================= =============================================================
    ``population.json``                           `Population`, of `train_population`
    ``modules.json``                              `ModulePopulation`, of `train_modules`
    ``weights.npy``, ``layout.csv``               `CnnZoo` (Unterthiner et al. 2020)
    ``*/params.json`` or ``*/config.json``        `ModelZoo` (Schürholt et al. 2022)
    ``network1.h5`` or ``network1_....mat``       `MlpCn` (Scabini & Bruno 2021), in any subfolder
    ============================================= =============================================================

    Raises
    ------
    UnreadableFileError
        If it is none of these, or damaged.
    """
    if is_url(folder):
        return Population.open(folder)
    root = Path(folder)
    if (root / Store.record_name).is_file():
        return Population.open(root)
    if (root / ModuleStore.record_name).is_file():
        return ModulePopulation.open(root)
    if (root / WEIGHTS).is_file() and (root / LAYOUT).is_file():
        return CnnZoo(root)
    if any(any(root.glob(f"*/{name}")) for name in CONFIGURATIONS):
        return ModelZoo(root)
    if any(root.rglob("*network*.h5")) or any(root.rglob("*network*.mat")):
        return MlpCn(root)
    raise UnreadableFileError(
        f"{root} is no population: no {Store.record_name} or {ModuleStore.record_name}, no {WEIGHTS} with {LAYOUT}, no "
        "folder with params.json, no network1.h5"
    )
