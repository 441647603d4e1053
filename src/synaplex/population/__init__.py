"""Populations: many networks of one architecture, trained as one batch and measured while they learn."""

from synaplex.population.chunk import Chunk, ChunkResult, train_chunk
from synaplex.population.engine import Engine, InProcess
from synaplex.population.engines import find_engine
from synaplex.population.export import export_population
from synaplex.population.foreign import CnnZoo, ForeignPopulation, MlpCn, ModelZoo, open_population
from synaplex.population.memory import default_chunk_size
from synaplex.population.modules import ModulePopulation, Snapshot, TrainingSpec, geometric_steps, train_modules
from synaplex.population.optimizers import SGD, Adam
from synaplex.population.population import Population
from synaplex.population.ranges import parse_chunks
from synaplex.population.ray_engine import RayEngine
from synaplex.population.record import StoreRecord
from synaplex.population.specification import PopulationSpec
from synaplex.population.store import Store
from synaplex.population.trainer import EpochScores, Trainer
from synaplex.population.training import train_population, train_specification

__all__ = [
    "SGD",
    "Adam",
    "Chunk",
    "ChunkResult",
    "CnnZoo",
    "Engine",
    "EpochScores",
    "ForeignPopulation",
    "InProcess",
    "MlpCn",
    "ModelZoo",
    "ModulePopulation",
    "Population",
    "PopulationSpec",
    "RayEngine",
    "Snapshot",
    "Store",
    "StoreRecord",
    "Trainer",
    "TrainingSpec",
    "default_chunk_size",
    "export_population",
    "find_engine",
    "geometric_steps",
    "open_population",
    "parse_chunks",
    "train_chunk",
    "train_modules",
    "train_population",
    "train_specification",
]
