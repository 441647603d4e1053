"""The data that networks are trained on, by name."""

from synaplex.datasets import cifar10 as _cifar10
from synaplex.datasets import digits as _digits
from synaplex.datasets import idx as _idx
from synaplex.datasets.dataset import Dataset
from synaplex.datasets.registry import load, names, register

__all__ = ["Dataset", "load", "names", "register"]

del _cifar10, _digits, _idx
