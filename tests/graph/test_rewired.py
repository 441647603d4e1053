"""The null model of other connections: degrees stay, and nothing else does."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import nn

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import (
    DenseLink,
    Layer,
    NeuralGraph,
    RepeatedLink,
    SparseLink,
    curveball,
    rewired,
    shuffled,
    to_networkx,
)
from synaplex.measures import beside_null
from tests.graph.graphs import networks_of


def scattered(generator, *shape, density):
    return torch.randn(shape, generator=generator) * (torch.rand(shape, generator=generator) < density)


def one_layer(weight):
    return NeuralGraph((Layer("a", (weight.shape[-1],)),), (DenseLink(source=0, target=0, weight=weight),), {})


def pattern(weight):
    return tuple((weight != 0).flatten().int().tolist())


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    sizes=st.lists(st.integers(1, 12), min_size=2, max_size=4),
    density=st.sampled_from([0.0, 0.1, 0.4, 0.8, 1.0]),
    networks=st.sampled_from([None, 3]),
    sparse=st.booleans(),
)
def test_degrees_and_weights_stay(seed, sizes, density, networks, sparse):
    generator = torch.Generator().manual_seed(seed)
    lead = () if networks is None else (networks,)
    weights = [scattered(generator, *lead, out, into, density=density) for into, out in pairwise(sizes)]
    biases = [torch.randn(*lead, out, generator=generator) for out in sizes[1:]]
    graph = NeuralGraph.from_weights(weights, biases)
    if sparse:
        graph = NeuralGraph(graph.layers, tuple(link.to_sparse() for link in graph.links), graph.biases)
    if not any(0 < int((weight != 0).sum()) < weight.numel() for weight in weights):
        with pytest.raises(SpecificationError, match=f"{sizes[0]} -> {sizes[1]}.*only one wiring"):
            rewired(graph, seed)
        return
    drawn = rewired(graph, seed)
    assert [type(link) for link in drawn.links] == [type(link) for link in graph.links]
    assert drawn.biases is graph.biases
    for before, after in zip(networks_of(graph), networks_of(drawn), strict=True):
        first, second = to_networkx(before), to_networkx(after)
        assert dict(first.in_degree()) == dict(second.in_degree())
        assert dict(first.out_degree()) == dict(second.out_degree())
        for one, other in zip(before.links, after.links, strict=True):
            assert torch.equal(one.to_sparse().weight.sort()[0], other.to_sparse().weight.sort()[0])
    for link in drawn.links:
        edges = link.to_sparse()
        ends = torch.stack([edges.edge_network, edges.row, edges.column])
        assert ends.unique(dim=1).shape == ends.shape


@settings(max_examples=40)
@given(
    st.integers(0, 2**31), st.integers(2, 14), st.sampled_from([0.1, 0.3, 0.7]), st.sampled_from([None, True, False])
)
def test_degrees_within_a_layer_stay(seed, neurons, density, directed):
    """Of undirected graphs, stored one way, the number of neighbours; of others both degrees. Self-loops stay."""
    generator = torch.Generator().manual_seed(seed)
    weight = scattered(generator, neurons, neurons, density=density)
    one_way = directed is False or bool(seed % 2)
    weight = weight.tril() if one_way else weight
    graph = one_layer(weight)
    if not weight.any() or weight.all():
        return
    drawn = rewired(graph, seed, directed=directed)
    after = drawn.links[0].to_dense()
    assert torch.equal(after.diagonal() != 0, weight.diagonal() != 0)
    assert torch.equal(after[after != 0].sort()[0], weight[weight != 0].sort()[0])
    stored_one_way = not weight.triu(1).any() or not weight.tril(-1).any()
    if directed or (directed is None and not stored_one_way):
        assert torch.equal((after != 0).sum(0), (weight != 0).sum(0))
        assert torch.equal((after != 0).sum(1), (weight != 0).sum(1))
    else:
        first, second = to_networkx(graph, directed=False), to_networkx(drawn, directed=False)
        assert dict(first.degree()) == dict(second.degree())
        assert first.number_of_edges() == second.number_of_edges() == int((weight != 0).sum())
        assert not after.triu(1).any()


def wirings(weight):
    """All zero-one matrices with the sums of rows and columns of a pattern, by trying all."""
    present = (weight != 0).numpy()
    rows = [combinations(range(present.shape[1]), int(count)) for count in present.sum(1)]
    for chosen in product(*rows):
        made = np.zeros_like(present)
        for row, columns in enumerate(chosen):
            made[row, list(columns)] = True
        if (made.sum(0) == present.sum(0)).all():
            yield made


def undirected_wirings(weight):
    """All simple graphs with the degrees of one, stored below the diagonal, by trying all."""
    present = (weight != 0).numpy()
    pairs = list(combinations(range(len(present)), 2))
    for chosen in combinations(pairs, int(present.sum())):
        made = np.zeros_like(present)
        for low, high in chosen:
            made[high, low] = True
        if ((made | made.T).sum(0) == (present | present.T).sum(0)).all():
            yield made


CYCLE = torch.eye(5).roll(1, 0)
EVEN = {
    "one to one": (torch.eye(3), NeuralGraph.from_weights, wirings, 6),
    "bipartite": (torch.tensor([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1.0]]), NeuralGraph.from_weights, wirings, None),
    "directed": (
        torch.eye(4).roll(1, 0),
        lambda weights: one_layer(weights[0]),
        lambda weight: (made for made in wirings(weight) if not made.diagonal().any()),
        9,
    ),
    "undirected": (
        (CYCLE + CYCLE.T).tril(),
        lambda weights: one_layer(weights[0]),
        undirected_wirings,
        12,
    ),
}


@pytest.mark.parametrize("case", EVEN)
def test_all_wirings_are_equally_likely(case):
    weight, make, every, number = EVEN[case]
    possible = {pattern(torch.from_numpy(made)) for made in every(weight)}
    assert number in (None, len(possible))
    draws = 50 * len(possible)
    drawn = rewired(make([weight.expand(draws, *weight.shape).clone()]), 1).links[0].to_dense()
    seen = [pattern(one) for one in drawn]
    assert set(seen) == possible
    assert chisquare([seen.count(one) for one in possible]).pvalue > 0.01


def test_seeds_and_networks_differ():
    weight = scattered(torch.Generator().manual_seed(1), 30, 20, density=0.3)
    graph = NeuralGraph.from_weights([weight.expand(2, 30, 20).clone()])
    first, second = rewired(graph, 5).links[0].to_dense()
    assert not torch.equal(first != 0, second != 0)
    assert torch.equal(rewired(graph, 5).links[0].to_dense()[1], second)
    other = rewired(graph, 6).links[0].to_dense()[0]
    assert not torch.equal(first != 0, other != 0)


def test_modules_dissolve():
    """Blocks along the diagonal, a tenth of the matrix, keep the tenth that chance gives them."""
    block = torch.ones(10, 10)
    weight = torch.block_diag(*[block] * 10) * (torch.rand(100, 100, generator=torch.Generator().manual_seed(0)) < 0.6)
    inside = torch.block_diag(*[block] * 10).bool()
    drawn = torch.stack([rewired(NeuralGraph.from_weights([weight]), seed).links[0].to_dense() for seed in range(10)])
    share = (drawn[:, inside].sum() / drawn.sum()).item()
    assert share == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("kind", ["bipartite", "directed", "undirected"])
def test_plain_python_draws_the_same(kind, monkeypatch):
    weight = scattered(torch.Generator().manual_seed(3), 12, 12, density=0.3)
    graph = NeuralGraph.from_weights([weight]) if kind == "bipartite" else one_layer(weight)
    if kind == "undirected":
        graph = one_layer(weight.tril(-1))
    compiled = rewired(graph, 2).links[0].to_dense()
    monkeypatch.setattr(curveball, "trade", curveball.trade.py_func)
    assert torch.equal(rewired(graph, 2).links[0].to_dense(), compiled)
    assert not torch.equal(compiled != 0, graph.links[0].to_dense() != 0)


def pruned(layer, seed):
    keep = torch.rand(layer.weight.shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    layer.weight.data *= keep
    return layer


class Model(nn.Module):
    """Pruned, tied and repeated layers among operations that have no choice of connections."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm1d(24)
        self.shared, self.tokens = pruned(nn.Linear(16, 8), 1), pruned(nn.Linear(6, 6), 2)
        self.head = nn.Linear(24, 3)

    def forward(self, x):
        wide = nn.functional.interpolate(self.conv(x), size=(4, 4), mode="bilinear").flatten(1)
        code = self.shared(wide).relu()
        both = self.norm(torch.cat([nn.functional.linear(code, self.shared.weight.t()), code], 1)).relu()
        return self.head(self.tokens(both.view(-1, 4, 6)).relu().flatten(1))


def test_only_pruned_layers_of_a_model_change_and_tied_ones_alike():
    torch.manual_seed(0)
    graph = sx.graph(Model().eval(), torch.zeros(1, 1, 3, 3))
    drawn = rewired(graph, 4)
    kinds = {type(link) for link in graph.links}
    assert {SparseLink, RepeatedLink, DenseLink} < kinds
    changed = []
    for before, after in zip(graph.links, drawn.links, strict=True):
        if torch.equal(before.to_dense(), after.to_dense()):
            continue
        changed.append(before.name)
        assert not torch.equal(before.to_dense() != 0, after.to_dense() != 0)
        assert before.edge_count == after.edge_count
    assert changed == ["shared.weight", "shared.weight", "tokens.weight"]
    there, back = (link.to_dense() for link in drawn.links if link.name == "shared.weight")
    assert torch.equal(there, back.mT)
    assert all(torch.equal(drawn.biases[layer], bias) for layer, bias in graph.biases.items())


def test_a_sparse_layer_called_twice_changes_alike():
    torch.manual_seed(0)
    layer = nn.Linear(10, 10)
    model = nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(10, 2))
    sx.sparse.sparsify(model, epsilon=1.0, skip=[model[4]])
    first, second, full = rewired(graph := sx.graph(model, torch.zeros(1, 10)), 1).links
    assert isinstance(first, SparseLink)
    assert torch.equal(first.to_dense(), second.to_dense())
    assert not torch.equal(first.to_dense() != 0, graph.links[0].to_dense() != 0)
    assert full is graph.links[2]
    first, second, _ = shuffled(graph, 1).links
    assert torch.equal(first.to_dense(), second.to_dense())


def test_full_networks_of_a_batch_stay():
    weight = torch.rand(3, 4, 5) + 1
    weight[1] *= torch.eye(5)[:4] + torch.eye(5)[1:]
    drawn = rewired(NeuralGraph.from_weights([weight]), 2).links[0].to_dense()
    assert torch.equal(drawn[::2], weight[::2])
    assert not torch.equal(drawn[1], weight[1])


def test_directions_can_be_told():
    """A directed graph whose connections all run one way along its order."""
    weight = torch.zeros(4, 4)
    weight[1, 0], weight[3, 2] = 1.0, 2.0
    degrees = [
        ((drawn != 0).sum(0).tolist(), (drawn != 0).sum(1).tolist())
        for drawn in (rewired(one_layer(weight), seed, directed=True).links[0].to_dense() for seed in range(20))
    ]
    assert degrees == [([1, 0, 1, 0], [0, 1, 0, 1])] * 20
    assert len({pattern(rewired(one_layer(weight), seed).links[0].to_dense()) for seed in range(30)}) == 3


def test_what_cannot_be_rewired_is_refused():
    with pytest.raises(SpecificationError, match="both ways"):
        rewired(one_layer(torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])), directed=False)
    with pytest.raises(SpecificationError, match=r"DenseLink\(3 -> 2 'layer 1'\).*shuffled"):
        rewired(NeuralGraph.from_weights([torch.ones(2, 3)]))
    with pytest.raises(InvalidGraphError, match="meta"):
        rewired(NeuralGraph.from_weights([torch.empty(2, 3, device="meta")]))


def test_measures_beside_it():
    """Neurons that share all their sources are more alike than their degrees make them."""
    weight = torch.block_diag(*[torch.ones(4, 4)] * 5).double()
    graph = NeuralGraph.from_weights([weight, torch.ones(1, 20).double()])
    table = beside_null(graph, ["strength", "subgraph_centrality"], null="rewired", draws=19, layers="input")
    z = dict(zip(table["measure"] + " " + table["statistic"], table["z"], strict=True))
    assert z["strength mean"] is None
    assert z["subgraph_centrality mean"] > 3
