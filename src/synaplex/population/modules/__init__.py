"""Populations of any architecture: trained by step, tested and measured at snapshots, kept like other populations."""

from synaplex.population.modules.chunk import ModuleChunk, train_module_chunk
from synaplex.population.modules.objectives import ObjectiveName
from synaplex.population.modules.population import ModulePopulation
from synaplex.population.modules.snapshot import Measuring, Snapshot
from synaplex.population.modules.specification import TrainingSpec, geometric_steps
from synaplex.population.modules.store import ModuleStore
from synaplex.population.modules.training import train_modules

__all__ = [
    "Measuring",
    "ModuleChunk",
    "ModulePopulation",
    "ModuleStore",
    "ObjectiveName",
    "Snapshot",
    "TrainingSpec",
    "geometric_steps",
    "train_module_chunk",
    "train_modules",
]
