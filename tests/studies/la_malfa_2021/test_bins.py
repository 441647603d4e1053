"""Dealing networks out to bins: one network in one bin, as many places filled as can be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synaplex.studies.la_malfa_2021.bins import composition, compositions, filled, resampled
from synaplex.studies.la_malfa_2021.population import bin_of
from synaplex.studies.la_malfa_2021.recipe import BINS

visits = st.lists(st.sets(st.integers(0, BINS - 1), min_size=1), min_size=1, max_size=25)


def rows(visited):
    pairs = [(network, one) for network, bins in enumerate(visited) for one in sorted(bins)]
    return tuple(np.array(column) for column in zip(*pairs, strict=True))


@given(visits, st.integers(1, 3), st.integers(0, 99))
def test_one_network_in_one_bin_that_it_has_been_in(visited, per_bin, seed):
    network, bins = rows(visited)
    dealt = composition(network, bins, per_bin, np.random.default_rng(seed))
    taken = np.concatenate(dealt)
    assert len(set(network[taken])) == len(taken)
    for number, one in enumerate(dealt):
        assert len(one) <= per_bin
        assert (bins[one] == number).all()


def test_all_bins_are_filled_where_they_can_be():
    # Network i has been in all bins up to i // 2: only one way fills the highest bins.
    network, bins = rows([set(range(i // 2 + 1)) for i in range(2 * BINS)])
    drawn = compositions(network, bins, 2, 5, seed=0)
    assert all(len(one) == 2 for dealt in drawn for one in dealt)
    assert filled(drawn) == list(range(BINS))


def test_compositions_differ_and_repeat_by_seed():
    network, bins = rows([set(range(BINS))] * 40)
    first, again = (compositions(network, bins, 3, 4, seed=1) for _ in range(2))
    assert all((a == b).all() for one, two in zip(first, again, strict=True) for a, b in zip(one, two, strict=True))
    assert len({tuple(np.concatenate(dealt)) for dealt in first}) == 4


def test_resampling_stays_within_bins():
    network, bins = rows([set(range(BINS))] * 40)
    dealt = composition(network, bins, 3, np.random.default_rng(0))
    drawn = resampled(dealt, np.random.default_rng(1))
    assert all(set(a) <= set(b) and len(a) == len(b) for a, b in zip(drawn, dealt, strict=True))


def test_edges_of_bins():
    assert bin_of(np.array([0.0, 0.0999, 0.1, 0.3, 0.7, 0.9, 1.0])).tolist() == [0, 0, 1, 3, 7, 9, 9]
