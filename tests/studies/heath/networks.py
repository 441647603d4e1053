"""Groups of networks small enough for a test."""

import torch

from synaplex.datasets import load
from synaplex.studies.heath.plan import Group, Settings
from synaplex.studies.heath.recipe import GRID, MLP, RELEASED, STATED, STATIC, Hyper, Method, censet_method, set_method
from synaplex.studies.heath.training import Course

HYPER = Hyper(epsilon=4.0, batch_size=50)
CPU = torch.device("cpu")


def settings(**changes):
    given = {"epochs": {}, "seeds": {}, "snapshots": 2, "draws": 2, "hyper": HYPER}
    return Settings(**{**given, **changes})


def course(train=300, test=60):
    whole = Course.of(load("digits").subset(train, test), settings())
    return Course(whole.samples, whole.digest, (64, 24, 16, 12, 10), whole.settings)


def released(epochs=4):
    methods = (STATIC, set_method(HYPER), censet_method(0.5, RELEASED))
    return Group("final", RELEASED, 0, epochs, methods)


def stated(epochs=4):
    return Group("final", STATED, 1, epochs, (set_method(HYPER), censet_method(0.5, STATED)))


def grid(epochs=4):
    rules = (("set:0.05", "gradient"), ("least:laplacian_centrality:0.1", "central"), ("least:katz:0.1", "ch2-l3n"))
    return Group("grid", GRID, 2, epochs, tuple(Method(f"{drop} / {grow}", drop, grow) for drop, grow in rules))


def dense(epochs=4):
    return Group("final", RELEASED, 0, epochs, (MLP,))
