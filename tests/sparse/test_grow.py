"""Grow rules equal their definitions, and draw with the probabilities that they state."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import nn

from synaplex.errors import TrainingError
from synaplex.sparse import Evolution, sparsify, to_dense
from synaplex.sparse.grow import AwayFromCentral, RandomGrowth, TowardsCentral, drawn, drawn_evenly
from synaplex.sparse.grow_gradient import GradientGrowth, largest_gradients
from synaplex.sparse.grow_hebb import CannistraciHebb, highest_scores
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.topologies import distinct
from tests.sparse.networks import small
from tests.sparse.test_drop import view_of


@st.composite
def patterns(draw: st.DrawFn) -> tuple[int, int, torch.Tensor, int, int]:
    out, into = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    kept = draw(st.integers(0, out * into))
    seed = draw(st.integers(0, 2**20))
    keys = distinct(out * into, kept, torch.Generator().manual_seed(seed))
    return out, into, keys, draw(st.integers(0, out * into - kept)), seed


@given(patterns())
def test_random_growth_is_absent_and_complete(case):
    out, into, kept, count, seed = case
    generator = torch.Generator().manual_seed(seed)
    even = torch.ones(out, dtype=torch.float64), torch.ones(into, dtype=torch.float64)
    for grown in (
        drawn(SparseLinear(into, out), kept, count, *even, generator),
        drawn_evenly(out * into, kept, count, generator),
    ):
        assert len(grown) == count
        assert (grown.diff() > 0).all()
        assert not set(grown.tolist()) & set(kept.tolist())
        assert all(0 <= key < out * into for key in grown.tolist())


@pytest.mark.parametrize(("kept", "count"), [(4, 3), (30, 3), (4, 25)])
def test_random_growth_is_even(kept, count):
    generator = torch.Generator().manual_seed(0)
    existing = distinct(40, kept, generator)
    hits = torch.zeros(40)
    for _ in range(2000):
        hits[drawn_evenly(40, existing, count, generator)] += 1
    assert (hits[existing] == 0).all()
    free = torch.ones(40, dtype=torch.bool).index_fill(0, existing, False)
    assert chisquare(hits[free].numpy()).pvalue > 1e-4


@pytest.mark.parametrize("kept", [[1], [0, 2, 3, 4, 5, 6, 8, 9, 10]])
def test_probabilities_are_products_of_the_ends(kept):
    """Two connections, one after another: compared with the exact distribution of pairs."""
    layer, kept = SparseLinear(4, 3), torch.tensor(kept)
    out, into = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([1.0, 1.0, 2.0, 4.0]).double()
    free = [key for key in range(12) if key not in kept.tolist()]
    chance = {key: float(out[key // 4] * into[key % 4]) for key in free}
    total = sum(chance.values())
    pairs = {}
    for first, second in itertools.permutations(free, 2):
        pair = tuple(sorted((first, second)))
        p = chance[first] / total * chance[second] / (total - chance[first])
        pairs[pair] = pairs.get(pair, 0) + p
    generator, trials = torch.Generator().manual_seed(0), 3000
    seen = dict.fromkeys(pairs, 0)
    for _ in range(trials):
        seen[tuple(drawn(layer, kept, 2, out, into, generator).tolist())] += 1
    wanted = [pairs[pair] * trials for pair in pairs]
    assert chisquare(list(seen.values()), wanted).pvalue > 1e-4


def test_the_rare_case_of_few_absent_connections_has_the_same_law(monkeypatch):
    """Drawing from all absent connections at once, where trial and error would take too long."""
    monkeypatch.setattr("synaplex.sparse.grow._DRAWS", 0)
    test_probabilities_are_products_of_the_ends([1])


def test_towards_central_neurons_and_away_from_them():
    view = view_of(small(2, epsilon=2.5))
    values = view.scores("laplacian_centrality", edges="absolute")
    target, source = view.at_ends("0", values)
    means = {}
    for rule in (RandomGrowth(), TowardsCentral(), AwayFromCentral()):
        found = []
        for seed in range(40):
            view.generator.manual_seed(seed)
            grown = rule.choose(view, "0", view.keys["0"], 20)
            found.append((target[grown // 20].mean() + source[grown % 20].mean()) / 2)
        means[rule.name] = float(torch.stack(found).mean())
    assert means["away"] < 0.95 * means["random"]
    assert means["central"] > 1.05 * means["random"]


def test_ranks_share_ties():
    values = torch.tensor([3.0, -1.0, 3.0, 7.0])
    assert TowardsCentral().preference(values).tolist() == [2.5, 1.0, 2.5, 4.0]
    assert AwayFromCentral().preference(values).tolist() == [2.5, 4.0, 2.5, 1.0]


@settings(max_examples=50)
@given(patterns(), st.integers(1, 12))
def test_gradient_growth_equals_the_dense_gradient(case, block):
    out, into, kept, count, seed = case
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(-2, 3, (5, into), generator=generator).double()
    grad = torch.randint(-2, 3, (5, out), generator=generator).double()
    dense = (grad.T @ x).abs().reshape(-1).tolist()
    free = [key for key in range(out * into) if key not in set(kept.tolist())]
    wanted = sorted(sorted(free, key=lambda key: (-dense[key], key))[:count])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synaplex.sparse.grow_gradient._ENTRIES", block)
        assert largest_gradients(x, grad, kept, count).tolist() == wanted


def test_gradient_growth_sees_the_last_batch():
    from tests.sparse.networks import batch

    model = small(dtype=torch.float64)
    evolution = Evolution(model, drop="magnitude:0.2", grow="gradient", schedule="steps:1")
    x, y = batch(0)
    torch.nn.functional.cross_entropy(model(x.double()), y).backward()
    full = {}
    for name in ("0", "2"):
        layer = model.get_submodule(name)
        seen, grad = evolution._observer.inputs[name], evolution._observer.gradients[name]
        full[name] = (grad.T @ seen).reshape(-1)
        torch.testing.assert_close(full[name][layer.pattern.keys], layer.weight.grad)
    before = {name: set(model.get_submodule(name).pattern.keys.tolist()) for name in full}
    evolution.step()
    for name, gradient in full.items():
        layer = model.get_submodule(name)
        born = [
            key for key, weight in zip(layer.pattern.keys.tolist(), layer.weight.tolist(), strict=True) if not weight
        ]
        absent = [key for key in range(gradient.numel()) if key not in before[name] or key in born]
        assert min(gradient[born].abs()) >= max((abs(gradient[key]) for key in absent if key not in born), default=0)
    with pytest.raises(TrainingError, match="last batch"):
        evolution.step()


def hebb_score(edges: set[tuple[int, int]], u: int, v: int) -> float:
    """CH2-L3n by its definition: the neurons on paths of three connections, and where their connections lead."""
    targets = {(0, t) for t, _ in edges}
    sources = {(1, s) for _, s in edges}
    near = {one: set() for one in targets | sources | {(0, u), (1, v)}}
    for t, s in edges:
        near[0, t].add((1, s))
        near[1, s].add((0, t))
    community = {z for w in near[0, u] for z in near[w] if z in near[1, v] and z != (0, u)} | {
        w for w in near[0, u] if any(z in near[1, v] and z != (0, u) for z in near[w])
    }
    score = 0.0
    for z in community:
        inside = len(near[z] & community)
        outside = len(near[z] - community - {(0, u), (1, v)})
        score += (1 + inside) / (1 + outside)
    return score


@settings(max_examples=60, deadline=None)
@given(patterns(), st.integers(1, 12))
def test_cannistraci_hebb_scores(case, block):
    out, into, kept, count, _ = case
    edges = {divmod(key, into) for key in kept.tolist()}
    free = [key for key in range(out * into) if divmod(key, into) not in edges]
    scores = {key: hebb_score(edges, *divmod(key, into)) for key in free}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synaplex.sparse.grow_hebb._ENTRIES", block)
        found = highest_scores(kept, (out, into), count).tolist()
    positive = [key for key in free if scores[key] > 0]
    assert len(found) == min(count, len(positive))
    assert set(found) <= set(positive)
    left = [scores[key] for key in positive if key not in found]
    assert min((scores[key] for key in found), default=0) >= max(left, default=0) - 1e-9 or not found


def test_cannistraci_hebb_fills_up_at_random():
    model = small(2, epsilon=1)
    view = view_of(model)
    kept = torch.tensor([0, 25])
    grown = CannistraciHebb().choose(view, "0", kept, 50)
    assert len(grown.unique()) == 50
    assert not set(grown.tolist()) & {0, 25}


class Twice(nn.Module):
    """A sparse layer that is called twice in one forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.last = nn.Linear(12, 12), nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.inner(torch.tanh(self.inner(x)))))


class Seen(RandomGrowth):
    """Random growth that notes the dense gradient that it could read."""

    name = "seen"
    needs_gradients = True

    def __init__(self) -> None:
        self.gradient: torch.Tensor | None = None
        self.rows = 0

    def choose(self, view, name, kept, count):
        self.gradient, self.rows = view.gradients[name].T @ view.inputs[name], len(view.inputs[name])
        return super().choose(view, name, kept, count)


def twice(schedule: str, optimized: bool = True):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = sparsify(Twice().double(), 2, seed=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rule = Seen()
    given = optimizer if optimized else None
    return model, optimizer, rule, Evolution(model, given, drop="random:0.2", grow=rule, schedule=schedule)


def parts(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, 12, generator=generator, dtype=torch.float64) for count in (4, 9, 2)]


def test_gradient_growth_reads_the_whole_gradient_of_a_step():
    """All calls of a layer, and all batches that the optimiser's step is about: weight.grad, and the rest of it."""
    model, optimizer, rule, evolution = twice("steps:3")
    for step in range(3):
        full = to_dense(model)
        optimizer.zero_grad()
        for x in parts(step):
            model(x).square().sum().backward()
            full(x).square().sum().backward()
        own, keys = model.inner.weight.grad.clone(), model.inner.pattern.keys
        optimizer.step()
        evolution.step()
    torch.testing.assert_close(rule.gradient, full.inner.weight.grad)
    torch.testing.assert_close(rule.gradient.reshape(-1)[keys], own)
    assert rule.rows == 2 * (4 + 9 + 2)


@pytest.mark.parametrize("optimized", [True, False])
def test_batches_of_earlier_steps_are_not_held(optimized):
    model, optimizer, _, evolution = twice("steps:100", optimized)
    for step in range(5):
        for x in parts(step):
            model(x).square().sum().backward()
            optimizer.step()
            if not optimized:  # nothing else tells that a step was taken
                evolution.step()
        held = evolution._observer.inputs["inner"]
        assert len(held) == 2 * 2  # two calls with the last batch
    if optimized:
        model(parts(0)[0]).sum().backward()
        evolution.epoch()
        model(parts(0)[1]).sum().backward()  # the end of an epoch also ends what is summed
        assert len(evolution._observer.inputs["inner"]) == 2 * 9


def test_one_call_and_one_batch_are_read_as_they_are():
    model = small()
    evolution = Evolution(model, grow="gradient")
    x = torch.randn(7, 20)
    model(x).sum().backward()
    assert evolution._observer.inputs["0"].data_ptr() == x.data_ptr()


def test_gradient_growth_without_a_backward_pass():
    with pytest.raises(TrainingError, match="layer '0'"):
        GradientGrowth().choose(view_of(small()), "0", torch.tensor([0]), 3)
