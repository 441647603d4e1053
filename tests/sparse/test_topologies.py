"""How many connections layers get, and that their places are drawn evenly."""

import inspect
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from synaplex.errors import SpecificationError
from synaplex.sparse.topologies import distinct, erdos_renyi, erdos_renyi_kernel, random_keys, uniform

SHAPES = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=5)


def test_the_papers_networks_have_their_number_of_connections():
    for widths, published in (((784, 256, 128, 100), 33_230), ((3072, 4000, 1000, 4000), 341_664)):
        shapes = [(after, before) for before, after in pairwise(widths)]
        generator = torch.Generator().manual_seed(0)
        drawn = sum(len(random_keys(one, p, generator)) for one, p in zip(shapes, erdos_renyi(shapes, 20), strict=True))
        expected = 20 * sum(n_in + n_out for n_out, n_in in shapes)
        assert abs(drawn - expected) < 5 * math.sqrt(expected)
        assert abs(published - expected) < 5 * math.sqrt(expected)


@pytest.mark.parametrize("value", ["5", None, math.nan, math.inf])
def test_what_is_no_number_is_named(value):
    with pytest.raises(SpecificationError, match=f"epsilon={value!r} makes no network"):
        inspect.unwrap(erdos_renyi)([], value)


@given(SHAPES, st.floats(0.01, 1))
def test_erk_spends_its_budget(shapes, density):
    made = erdos_renyi_kernel(shapes, density)
    sizes = np.array([a * b for a, b in shapes])
    assert all(0 < one <= 1 + 1e-9 for one in made)
    assert np.dot(made, sizes) == pytest.approx(density * sizes.sum())
    ratios = [one * a * b / (a + b) for one, (a, b) in zip(made, shapes, strict=True) if one < 1 - 1e-9]
    assert ratios == pytest.approx([ratios[0]] * len(ratios)) if ratios else True


@given(SHAPES, st.floats(0.01, 1))
def test_uniform_is_uniform(shapes, density):
    assert uniform(shapes, density) == [density] * len(shapes)


@given(st.integers(0, 2000), st.data())
def test_distinct_numbers(possible, data):
    count = data.draw(st.integers(0, possible))
    keys = distinct(possible, count, torch.Generator().manual_seed(count))
    assert len(keys) == count
    assert (keys.diff() > 0).all()
    assert not count or (keys[0] >= 0 and keys[-1] < possible)


@pytest.mark.parametrize(("possible", "count"), [(40, 3), (40, 25)])
def test_every_place_is_as_likely(possible, count):
    generator = torch.Generator().manual_seed(0)
    hits = torch.stack([torch.bincount(distinct(possible, count, generator), minlength=possible) for _ in range(3000)])
    assert chisquare(hits.sum(0).numpy()).pvalue > 1e-4


def test_huge_layers_are_no_matter():
    keys = random_keys((10**6, 10**6), 1e-7, torch.Generator().manual_seed(0))
    assert abs(len(keys) - 10**5) < 2000
    assert (keys.diff() > 0).all()


@pytest.mark.parametrize("epsilon", [0, -1, math.nan, math.inf])
def test_epsilon_out_of_range(epsilon):
    with pytest.raises(SpecificationError, match="epsilon"):
        erdos_renyi([(3, 3)], epsilon)


@pytest.mark.parametrize("density", [0, -0.1, 1.1, math.nan])
def test_density_out_of_range(density):
    for topology in (uniform, erdos_renyi_kernel):
        with pytest.raises(SpecificationError, match="density"):
            topology([(3, 3)], density)
