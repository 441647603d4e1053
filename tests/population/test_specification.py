import pytest
import torch

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.networks import Kaiming, Uniform, cnn, mlp
from synaplex.population import SGD, Adam, PopulationSpec

NETWORK = mlp(64, 32, 16, 10)


def spec(**fields):
    return PopulationSpec(**{"dataset": "digits", "network": NETWORK, **fields})


def test_the_defaults_are_the_recipe_of_the_paper():
    default = spec()
    assert default.initializer == Uniform(low=-0.9, high=0.9)
    assert default.optimizer == SGD(learning_rate=0.01, momentum=0)
    assert (default.epochs, default.batch_size) == (30, 100)


@pytest.mark.parametrize(
    "example",
    [
        spec(),
        spec(measures="scabini", epochs=4),
        spec(measures=["strength"], snapshots=[0, 7], optimizer="adam", initializer="kaiming"),
        spec(measures={"harmonic_centrality": {"distance": "inverse"}}, train_size=10, dtype="float64"),
    ],
)
def test_json_gives_back_the_same_specification(example):
    assert PopulationSpec.from_json(example.model_dump_json()) == example


def test_names_stand_for_their_defaults():
    assert spec(initializer="kaiming", optimizer="adam") == spec(initializer=Kaiming(), optimizer=Adam())


def test_snapshots_are_every_epoch_unless_nothing_is_measured():
    assert spec(epochs=3, measures="strength").snapshots == (0, 1, 2, 3)
    assert spec(epochs=3).snapshots == ()
    assert spec(epochs=3, measures="strength", snapshots=[3]).snapshots == (3,)
    assert spec(epochs=0, measures="strength").snapshots == (0,)


def test_measures_are_kept_with_every_option():
    assert spec(measures="strength").measures["strength"]["edges"] == "signed"
    preset = spec(measures="scabini").measures
    assert preset["neighbor_strength"]["form"] == "degree"
    assert list(preset) == [
        "strength",
        "neighbor_strength",
        "current_flow_closeness",
        "bipartite_clustering",
        "log_subgraph_centrality",
        "harmonic_centrality",
        "second_order_centrality",
        "maximal_cliques",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": -1}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"data_seed": 2**32}, "data_seed"),
        (
            {"optimizer": SGD(momentum=0.5).model_copy(), "learning_rate": 0.1},
            "'learning_rate' is not a field",
        ),
        ({"optimizer": {"kind": "sgd", "momentum": 1.0}}, "momentum"),
        ({"optimizer": {"kind": "sgd", "learning_rate": 0}}, "learning_rate"),
        ({"optimizer": {"kind": "rmsprop"}}, "optimizer"),
        ({"initializer": {"kind": "uniform", "low": 2}}, "low must be below high"),
        ({"measures": "strength", "snapshots": [0, 31]}, "snapshot after epoch 31"),
        ({"measures": "strength", "snapshots": [3, 1]}, "increasing"),
        ({"measures": "strength", "snapshots": [-1]}, "snapshots"),
        ({"snapshots": [1]}, "no measures"),
        ({"network": mlp(64, 10), "measures": "strength"}, "64-10 has no hidden layer"),
        ({"measures": {"strength": {"edgs": "positive"}}}, "no option edgs"),
        ({"dtype": "float16"}, "dtype"),
        ({"network": cnn((1, 8, 8), 3, dense=(10,))}, r"of the kind CNN, synaplex\.population\.train_modules"),
        ({"network": torch.nn.Linear(2, 2)}, r"network: a module \(Linear\).*synaplex\.networks\.mlp.*train_modules"),
        ({"network": "mlp"}, "network: input should be"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(fields, message):
    with pytest.raises(SpecificationError, match=message):
        spec(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"measures": "scabni"}, "did you mean 'scabini'"),
        ({"measures": ["strenght"]}, "did you mean 'strength'"),
        ({"initializer": "unifrom"}, "did you mean 'uniform'"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
    ],
)
def test_misspelt_names_are_corrected(fields, message):
    with pytest.raises(UnknownNameError, match=message):
        spec(**fields)


def test_differences_name_nested_fields():
    one = spec(epochs=3, optimizer=SGD(momentum=0.5))
    assert one.differences(one) == {}
    assert one.differences(spec(epochs=4)) == {"epochs": (3, 4), "optimizer.momentum": (0.5, 0.0)}
