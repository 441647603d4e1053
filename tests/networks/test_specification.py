import pytest

from synaplex.errors import SpecificationError
from synaplex.networks import MLP, Normal, Uniform, mlp


@pytest.mark.parametrize("network", [mlp(64, 32, 10), mlp(3, 1, activation="tanh", bias=True)])
def test_json_gives_back_the_same_specification(network):
    assert MLP.from_json(network.model_dump_json()) == network


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mlp(3), "widths"),
        (lambda: mlp(3, 0, 2), r"widths\.1"),
        (lambda: MLP(widths=(3, 2), activation="rleu"), "relu"),
        (lambda: MLP(width=(3, 2)), "did you mean 'widths'"),
        (lambda: MLP(widths=(3, 2), dropout=0.5), "'dropout' is not a field; known: kind, widths"),
        (lambda: Uniform(low=1, high=-1), "low must be below high"),
        (lambda: Normal(std=float("nan")), "finite"),
        (lambda: MLP.from_json("{"), "not JSON"),
        (lambda: MLP.from_json("[1]"), "not a JSON object"),
        (lambda: MLP.from_json('{"widths": [1]}'), "widths"),
    ],
)
def test_a_wrong_field_is_named(make, message):
    with pytest.raises(SpecificationError, match=message):
        make()


def test_a_specification_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        mlp(3, 2).bias = True
