"""Drop rules equal their definitions, written out connection by connection."""

import math

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import synaplex as sx
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.measures import find
from synaplex.sparse.drop import Random, Smallest, SmallestBySign
from synaplex.sparse.drop_neurons import BelowThreshold, LowestShare, WhileNotRising
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.rules import drop_rule
from synaplex.sparse.structure import Structure
from synaplex.sparse.topologies import distinct
from synaplex.sparse.view import View
from tests.sparse.networks import small


def view_of(model: nn.Module, share: float = 1.0, seed: int = 0) -> View:
    layers = {name: one for name, one in model.named_modules() if isinstance(one, SparseLinear)}
    keys = {name: layer.pattern.keys for name, layer in layers.items()}
    return View(layers, keys, Structure(model, layers), share, torch.Generator().manual_seed(seed))


WEIGHTS = st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 3.0]), max_size=40)


def one_layer(weights: list[float]) -> nn.Sequential:
    layer = SparseLinear(10, 8, distinct(80, len(weights), torch.Generator().manual_seed(0)))
    layer.weight.data = torch.tensor(weights)
    return nn.Sequential(layer, nn.Linear(8, 2))


def nearest(weights: list[float], places: list[int], share: float) -> set[int]:
    ordered = sorted(places, key=lambda place: (abs(weights[place]), place))
    return set(ordered[: math.floor(share * len(places) + 1e-9)])


@given(WEIGHTS, st.sampled_from([0.05, 0.3, 0.5, 0.9]), st.sampled_from([0.5, 1.0]))
def test_set_drops_the_smallest_positive_and_largest_negative(weights, zeta, share):
    mask = SmallestBySign(zeta).choose(view_of(one_layer(weights), share))["0"]
    positive = [i for i, w in enumerate(weights) if w > 0]
    negative = [i for i, w in enumerate(weights) if w < 0]
    zeros = {i for i, w in enumerate(weights) if w == 0}
    wanted = nearest(weights, positive, zeta * share) | nearest(weights, negative, zeta * share) | zeros
    assert set(mask.nonzero()[:, 0].tolist()) == wanted


@given(WEIGHTS, st.sampled_from([0.05, 0.3, 0.5, 0.9]))
def test_magnitude_drops_the_smallest(weights, zeta):
    mask = Smallest(zeta).choose(view_of(one_layer(weights)))["0"]
    assert set(mask.nonzero()[:, 0].tolist()) == nearest(weights, list(range(len(weights))), zeta)


@given(WEIGHTS, st.sampled_from([0.05, 0.3, 0.9]), st.integers(0, 100))
def test_random_drops_its_share(weights, zeta, seed):
    model = one_layer(weights)
    mask = Random(zeta).choose(view_of(model, seed=seed))["0"]
    assert mask.sum() == math.floor(zeta * len(weights) + 1e-9)
    assert torch.equal(mask, Random(zeta).choose(view_of(model, seed=seed))["0"])


def released_centrality(model: nn.Module) -> torch.Tensor:
    """Neuron by neuron, over input and hidden neurons: what the released notebook has NetworKit compute."""
    sparse = [one for one in model if isinstance(one, SparseLinear)]
    matrices = [one.to_dense().detach().double() for one in sparse]
    sent = [matrix.sum(0) for matrix in matrices] + [torch.zeros(len(matrices[-1]), dtype=torch.float64)]
    values = []
    for depth, matrix in enumerate(matrices):
        for neuron in range(matrix.shape[1]):
            own = float(int(sent[depth][neuron])) ** 2
            for target in range(matrix.shape[0]):
                weight = matrix[target, neuron]
                own += float(weight * weight + 2 * weight * sent[depth + 1][target])
            values.append(own)
    return torch.tensor(values + [0.0] * len(matrices[-1]), dtype=torch.float64)


def exact_centrality(model: nn.Module, absolute: bool) -> torch.Tensor:
    """By taking each neuron out: the drop of the sum of squared eigenvalues, by traces."""
    graph = nx.Graph(sx.graph(model).undirected("absolute" if absolute else "signed").dense.numpy())

    def energy(one: nx.Graph) -> float:
        degrees = dict(one.degree(weight="weight"))
        return sum(d**2 for d in degrees.values()) + 2 * sum(w**2 for *_, w in one.edges(data="weight"))

    whole = energy(graph)
    return torch.tensor([whole - energy(graph.subgraph(set(graph) - {v})) for v in graph])


@pytest.mark.parametrize("variant", ["exact", "censet"])
@pytest.mark.parametrize("edges", ["signed", "absolute"])
@pytest.mark.parametrize("k", [0.0, 0.5, 1.0])
def test_censet_drops_what_touches_neurons_below_the_threshold(variant, edges, k):
    model = small(3)
    if edges == "absolute":
        for one in model[:4:2]:
            one.weight.data.abs_()
    values = released_centrality(model) if variant == "censet" else exact_centrality(model, edges == "absolute")
    values = values[: 20 + 16 + 12]  # without the outputs
    low = values < values.mean() - k * values.std(correction=0)
    assert k == 1.0 or low.any()
    masks = BelowThreshold(k, variant, edges).choose(view_of(model))
    start = 0
    for name, width in (("0", 20), ("2", 16)):
        layer = model.get_submodule(name)
        for place, key in enumerate(layer.pattern.keys.tolist()):
            target, source = divmod(key, layer.in_features)
            assert bool(masks[name][place]) == bool(low[start + source] | low[start + width + target])
        start += width


def test_exact_absolute_centrality_is_never_below_a_negative_threshold():
    masks = BelowThreshold(2.6, "exact", "absolute").choose(view_of(small(3)))
    assert not any(mask.any() for mask in masks.values())


@pytest.mark.parametrize("measure", ["laplacian_centrality", "strength", "disparity", "katz", "pagerank"])
def test_the_lowest_share_within_each_hidden_layer(measure):
    pytest.importorskip("igraph")
    model = small(5)
    graph = sx.graph(model)
    if measure in ("katz", "pagerank"):
        values = sx.graph.__dict__["centrality"](graph, measure, edges="absolute")
    else:
        from synaplex.measures.undefined import Undefined

        values = find(measure).function(graph, edges="absolute", undefined=Undefined())
    values = values.nan_to_num(nan=-math.inf).tolist()
    chosen = set()
    for start, width in ((20, 16), (36, 12)):
        alive = [i for i in range(start, start + width) if connected(model, i)]
        chosen |= set(sorted(alive, key=lambda i: (values[i], i))[: int(0.25 * width)])
    view = view_of(model)
    found = LowestShare(measure, 0.25).neurons(view)
    assert set(found.nonzero()[:, 0].tolist()) == chosen


def connected(model: nn.Module, neuron: int) -> bool:
    first, second = model[0].to_dense() != 0, model[2].to_dense() != 0
    if neuron < 36:
        return bool(first[neuron - 20].any() | second[:, neuron - 20].any())
    return bool(second[neuron - 36].any())


def test_while_mean_centrality_does_not_rise():
    model = small(3)
    rule = WhileNotRising(BelowThreshold(0.5))
    assert any(mask.any() for mask in rule.choose(view_of(model)).values())
    model[0].weight.data *= 2
    assert not any(mask.any() for mask in rule.choose(view_of(model)).values())
    resumed = WhileNotRising(BelowThreshold(0.5))
    resumed.recall(rule.memory())
    model[0].weight.data /= 4
    for one in (rule, resumed):
        assert any(mask.any() for mask in one.choose(view_of(model)).values())


@pytest.mark.parametrize("zeta", [0, 1, -0.1, 1.5, math.nan])
@pytest.mark.parametrize("name", ["set", "magnitude", "random", "lowest:strength"])
def test_zeta_out_of_range(zeta, name):
    with pytest.raises(SpecificationError, match=r"lies between 0 and 1"):
        drop_rule(f"{name}:{zeta}")


def test_rules_as_text():
    rule = drop_rule("while-not-rising:censet:3.2:censet")
    assert isinstance(rule, WhileNotRising)
    assert (rule.rule.k, rule.rule.variant) == (3.2, "censet")
    with pytest.raises(UnknownNameError, match="did you mean 'censet'"):
        drop_rule("cenzet")
    with pytest.raises(SpecificationError, match="takes at most zeta"):
        drop_rule("set:0.3:4")
    with pytest.raises(SpecificationError, match="by centrality"):
        drop_rule("while-not-rising:set:0.3")
    with pytest.raises(UnknownNameError, match="laplacian_centrality"):
        LowestShare("laplacian_centralty").neurons(view_of(small()))
