import inspect
import math

import pytest
import torch

from synaplex.errors import SpecificationError
from synaplex.networks import (
    GlorotNormal,
    GlorotUniform,
    Kaiming,
    Normal,
    Uniform,
    check_seeds,
    initial_weights,
    mlp,
)

WIDTHS = (40, 30, 20)


def test_weights_are_a_function_of_the_seed_alone():
    together = initial_weights(WIDTHS, [5, 17, 2], Uniform())
    alone = initial_weights(WIDTHS, [17], Uniform())
    for batch, single in zip(together, alone, strict=True):
        assert torch.equal(batch[1], single[0])
        assert not torch.equal(batch[0], batch[1])


def test_a_separate_stream_gives_each_layer_other_numbers_and_a_shared_one_the_same():
    own = initial_weights(WIDTHS, [3], Uniform())
    shared = initial_weights(WIDTHS, [3], Uniform(), shared_stream=True)
    assert torch.equal(own[0], shared[0])

    def in_drawing_order(weight):
        return weight[0].T.flatten()

    length = shared[1].numel()
    assert torch.equal(in_drawing_order(shared[0])[:length], in_drawing_order(shared[1]))
    assert not torch.equal(in_drawing_order(own[0])[:length], in_drawing_order(own[1]))


def test_the_stream_is_that_of_torch_input_neuron_by_input_neuron():
    drawn = torch.rand(40, 30, generator=torch.Generator().manual_seed(9)) * 1.8 - 0.9
    torch.testing.assert_close(initial_weights(WIDTHS, [9], Uniform())[0][0], drawn.T)


@pytest.mark.parametrize(
    ("initializer", "std", "bound"),
    [
        (Uniform(), 0.9 / math.sqrt(3), 0.9),
        (Uniform(low=0, high=1), math.sqrt(1 / 12), 1.0),
        (Normal(std=0.3), 0.3, math.inf),
        (GlorotUniform(), math.sqrt(2 / 600), math.sqrt(6 / 600)),
        (GlorotNormal(), math.sqrt(2 / 600), math.inf),
        (Kaiming(), math.sqrt(2 / 400), math.inf),
        (Kaiming(distribution="uniform"), math.sqrt(2 / 400), math.sqrt(6 / 400)),
    ],
)
def test_spread_and_bounds_are_those_of_the_distribution(initializer, std, bound):
    (weights,) = initial_weights((400, 200), [1], initializer)
    assert weights.shape == (1, 200, 400)
    assert float(weights.std()) == pytest.approx(std, rel=0.02)
    assert float(weights.abs().max()) <= bound


def test_a_built_module_starts_from_the_weights_of_its_seed():
    module = mlp(*WIDTHS).build(7, Kaiming(), shared_stream=True)
    weights = initial_weights(WIDTHS, [7], Kaiming(), shared_stream=True)
    for linear, weight in zip([module[0], module[2]], weights, strict=True):
        assert torch.equal(linear.weight, weight[0])


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([], "no seeds"),
        ([1, 2, 1], "seed 1 is given twice"),
        ([-1], "got -1"),
        ([2**32], str(2**32)),
        ([1.5], "1.5"),
        (["a"], "got 'a'"),
        ([None], "got None"),
        ([float("nan")], "got nan"),
        ("12", "several integers.*not '12'"),
        (3, r"several integers.*range\(300\), not 3"),
    ],
)
def test_seeds_that_make_no_sense_are_refused(seeds, message):
    with pytest.raises(SpecificationError, match=message):
        inspect.unwrap(check_seeds)(seeds)


def test_seeds_of_an_array_are_integers():
    assert check_seeds(torch.arange(3)) == check_seeds(range(3)) == (0, 1, 2)
