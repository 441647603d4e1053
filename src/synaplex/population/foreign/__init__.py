"""Populations that others have published, read where they lie, and no sooner than they are asked for."""

from synaplex.population.foreign.base import ForeignPopulation
from synaplex.population.foreign.cnn_zoo import CnnZoo
from synaplex.population.foreign.mlp_cn import MlpCn
from synaplex.population.foreign.model_zoo import ModelZoo
from synaplex.population.foreign.recognise import open_population

__all__ = ["CnnZoo", "ForeignPopulation", "MlpCn", "ModelZoo", "open_population"]
