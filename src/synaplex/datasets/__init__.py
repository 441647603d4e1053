"""The data that networks are trained on, by name."""

from synaplex.datasets import california_housing as _california_housing
from synaplex.datasets import cifar10 as _cifar10
from synaplex.datasets import covtype as _covtype
from synaplex.datasets import digits as _digits
from synaplex.datasets import idx as _idx
from synaplex.datasets import imagenette as _imagenette
from synaplex.datasets import kth_tips as _kth_tips
from synaplex.datasets import two_moons as _two_moons
from synaplex.datasets.dataset import Dataset
from synaplex.datasets.image_folder import image_folder
from synaplex.datasets.registry import load, names, register

__all__ = ["Dataset", "image_folder", "load", "names", "register"]

del _california_housing, _cifar10, _covtype, _digits, _idx, _imagenette, _kth_tips, _two_moons
