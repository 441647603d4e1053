from itertools import pairwise

import pytest
import torch

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.networks import Kaiming, autoencoder, cnn, mlp
from synaplex.population import Adam
from synaplex.population.modules import TrainingSpec, geometric_steps
from tests.population.modules.conftest import NETWORKS


def spec(**fields):
    return TrainingSpec(**{"dataset": "digits", "network": NETWORKS["cnn"], "steps": 10, **fields})


def test_defaults_follow_from_network_and_steps():
    assert spec().snapshots == (0, 10)
    assert spec().kept == (10,)
    assert spec(steps=0).snapshots == (0,)
    assert spec(snapshots=[3, 7]).kept == (7,)
    assert spec(snapshots=[3, 7], kept="all").kept == (3, 7)
    assert spec().objective == "cross_entropy"
    assert spec(network=NETWORKS["autoencoder"]).objective == "mean_squared_error"
    assert spec(initializer="kaiming", optimizer="adam") == spec(initializer=Kaiming(), optimizer=Adam())


@pytest.mark.parametrize(
    "example",
    [
        *(spec(network=network) for network in NETWORKS.values()),
        spec(network=NETWORKS["autoencoder"], objective="binary_cross_entropy"),
        spec(snapshots=(0, 1, 10), kept=(1,), biases="weights", dtype="float64", measured="mine", test_size=3),
    ],
)
def test_json_gives_back_the_same_specification(example):
    assert TrainingSpec.from_json(example.model_dump_json()) == example


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"snapshots": [3, 1]}, "snapshots must be increasing"),
        ({"snapshots": []}, "snapshots must be increasing"),
        ({"snapshots": [11]}, "a snapshot after step 11, but training has 10"),
        ({"snapshots": [0, 10], "kept": [5]}, "weights are kept at snapshots only"),
        ({"network": NETWORKS["autoencoder"], "objective": "cross_entropy"}, "returns its input"),
        ({"objective": "binary_cross_entropy"}, "output_activation='sigmoid'"),
        ({"network": autoencoder(64, 3), "objective": "binary_cross_entropy"}, "output_activation='sigmoid'"),
        ({"network": {"kind": "lstm"}}, "network"),
        ({"network": torch.nn.Linear(2, 2)}, r"network: a module \(Linear\) has weights"),
        ({"step": 3}, "did you mean 'steps'"),
        ({"steps": -1}, "steps"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, message):
    with pytest.raises(SpecificationError, match=message):
        spec(**fields)


def test_a_misspelt_name_is_corrected():
    with pytest.raises(UnknownNameError, match="did you mean 'adam'"):
        spec(optimizer="adams")


def test_differences_name_the_fields():
    other = spec(network=cnn((1, 8, 8), 3, dense=(10,)), optimizer=Adam(learning_rate=0.1))
    assert {"network.channels", "network.dense", "optimizer.kind"} <= set(spec().differences(other))
    assert spec(network=mlp(64, 10)).differences(spec(network=mlp(64, 10))) == {}


@pytest.mark.parametrize(("last", "per_octave"), [(0, 1), (1, 2), (7, 3), (1000, 4)])
def test_geometric_steps_grow_from_the_first_to_the_last(last, per_octave):
    steps = geometric_steps(last, per_octave=per_octave)
    assert steps[0] == 0
    assert steps[-1] == last
    assert list(steps) == sorted(set(steps))
    gaps = [after - before for before, after in pairwise(steps[:-1])]
    assert all(after >= before - 1 for before, after in pairwise(gaps))
    with pytest.raises(SpecificationError, match="at least one an octave"):
        geometric_steps(last, per_octave=0)
