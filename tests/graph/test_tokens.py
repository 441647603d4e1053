"""Tokens, steps and patches: positions that share weights have one neuron a feature; attention by its convention."""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import synaplex as sx
from synaplex.graph import NeuralGraph, trace
from tests.graph.models import Model, derivative, through, weights


class Attention(nn.Module):
    """Self-attention whose queries and keys are zero, so that it spreads evenly: linear in its values."""

    def __init__(self, width: int, heads: int, form: str = "fused", groups: int = 1) -> None:
        super().__init__()
        self.form, self.heads, self.groups = form, heads, groups
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width // groups)
        self.value = nn.Linear(width, width // groups)
        self.output = nn.Linear(width, width)
        for part in (self.query, self.key):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = (
            part(x).view(batch, tokens, -1, width // self.heads).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        k, v = (one.repeat_interleave(self.groups, 1) for one in (k, v))
        if self.form == "fused":
            mixed = F.scaled_dot_product_attention(q, k, v)
        elif self.form == "einsum":
            scores = torch.einsum("bhtd,bhsd->bhts", q, k) / (width // self.heads) ** 0.5
            mixed = torch.einsum("bhts,bhsd->bhtd", scores.softmax(-1), v)
        else:
            scores = q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5
            mixed = torch.softmax(scores + torch.zeros(tokens, tokens), -1) @ v
        return self.output(mixed.transpose(1, 2).reshape(batch, tokens, width))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


TOKENS = {
    "linear": nn.Linear(6, 4),
    "residual": Model(lambda m, x: x + m.b(m.a(x)), a=nn.Linear(6, 8), b=nn.Linear(8, 6)),
    "attention": Attention(6, 2),
    "attention by products": Attention(6, 2, "products"),
    "attention by einsum": Attention(6, 2, "einsum"),
    "grouped queries": Attention(6, 2, groups=2),
    "block": Model(lambda m, x: m.b(x + m.a(x)), a=Attention(6, 3), b=nn.Linear(6, 4)),
    "positions added": Model(lambda m, x: m.a(x + m.table), a=nn.Linear(6, 4), table=weights(5, 6)),
    "mean of tokens": Model(lambda m, x: m.b(m.a(x).mean(1)), a=nn.Linear(6, 4), b=nn.Linear(4, 3)),
    "sum of tokens": Model(lambda m, x: m.b(m.a(x).sum(1)), a=nn.Linear(6, 4), b=nn.Linear(4, 3)),
    "one token": Model(lambda m, x: m.b(m.a(x)[:, 0]), a=nn.Linear(6, 4), b=nn.Linear(4, 3)),
    "tokens apart and together": Model(
        lambda m, x: torch.cat([(h := m.a(x))[:, 2:], h[:, :2]], 1) @ m.w, a=nn.Linear(6, 4), w=weights(4, 2)
    ),
    "windows": Model(
        lambda m, x: m.b(m.a(x).view(1, 2, 2, 6).flatten(0, 1)).view(1, 4, 6), a=nn.Linear(6, 6), b=Attention(6, 2)
    ),
    "merged": Model(
        lambda m, x: m.c(m.b(m.a(x)).view(1, 2, 12)), a=nn.Linear(6, 6), b=Attention(6, 2), c=nn.Linear(12, 3)
    ),
    "convolution over tokens": Model(
        lambda m, x: m.b(m.a(x).transpose(1, 2)).mean(2), a=Attention(6, 2), b=nn.Conv1d(6, 4, 3)
    ),
}


@pytest.mark.parametrize("name", TOKENS)
def test_shared_neurons_are_those_of_all_tokens_moved_alike(name: str) -> None:
    model = TOKENS[name].double()
    tokens = 5 if name == "positions added" else 4
    direction = torch.randn(6, dtype=torch.float64)
    graph = trace(model, torch.zeros(1, tokens, 6))
    expected = derivative(model, direction.expand(1, tokens, 6))[0]
    expected = expected.mean(1) if expected.ndim == 3 else expected
    start = direction if graph.layers[0].shape == (6,) else direction.expand(tokens, 6).flatten()
    (made,) = through(graph, start)
    torch.testing.assert_close(made, expected[0])
    assert name == "convolution over tokens" or graph.layers[0].shape == (6,)


@pytest.mark.parametrize("name", sorted(set(TOKENS) - {"one token"}))
def test_unfolded_tokens_give_the_jacobian(name: str) -> None:
    model = TOKENS[name].double()
    tokens = 5 if name == "positions added" else 4
    direction = torch.randn(1, tokens, 6, dtype=torch.float64)
    graph = trace(model, direction, unfold=True)
    (made,) = through(graph, direction.flatten())
    torch.testing.assert_close(made, derivative(model, direction)[0].flatten())
    assert graph.layers[0].shape == (tokens, 6)


def test_causal_attention_unfolds_over_the_tokens_before() -> None:
    def run(model: Model, x: Tensor) -> Tensor:
        zero = torch.zeros_like(x)[:, None]
        return F.scaled_dot_product_attention(zero, zero, model.a(x)[:, None], is_causal=True)[:, 0]

    model = Model(run, a=nn.Linear(6, 6)).double()
    direction = torch.randn(1, 4, 6, dtype=torch.float64)
    (made,) = through(trace(model, direction, unfold=True), direction.flatten())
    torch.testing.assert_close(made.view(1, 4, 6), derivative(model, direction)[0])


def test_patches_become_tokens_by_their_mean() -> None:
    def run(model: Model, x: Tensor) -> Tensor:
        tokens = model.patch(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([model.start.expand(1, -1, -1), tokens], 1) + model.table
        return model.attend(tokens)[:, 1:].mean(1)

    parts = {
        "patch": nn.Conv2d(3, 6, 4, 4),
        "attend": Attention(6, 2),
        "start": weights(1, 1, 6),
        "table": weights(1, 5, 6),
    }
    model = Model(run, **parts).double()
    graph = trace(model, torch.zeros(1, 3, 8, 8))
    assert [layer.shape for layer in graph.layers[:3]] == [(3, 8, 8), (6, 2, 2), (6,)]
    left = {row[0]: row[3] for row in graph.coverage().rows() if row[2] == "left out"}
    assert "constant beside activations" in left["start"]
    assert "added to patch (tokens)" in left["table"]
    direction = torch.randn(1, 3, 8, 8, dtype=torch.float64)
    (made,) = through(graph, direction.flatten())
    tokens = model.patch(direction) - model.patch(torch.zeros_like(direction))
    weight = model.attend.output.weight @ model.attend.value.weight
    torch.testing.assert_close(made, weight @ tokens.mean((2, 3))[0])


def test_scores_are_one_neuron_a_head() -> None:
    graph = trace(Attention(6, 2), torch.zeros(1, 4, 6))
    names = {layer.name: i for i, layer in enumerate(graph.layers)}
    assert graph.layers[names["scores"]].shape == (2,)
    incoming = {graph.layers[link.source].name: link for link in graph.links if link.target == names["scores"]}
    assert set(incoming) == {"query", "key"}
    expected = torch.block_diag(torch.ones(1, 3), torch.ones(1, 3)).double() / 3**0.5
    for link in incoming.values():
        torch.testing.assert_close(link.to_dense(), expected)
    context = {graph.layers[link.source].name: link for link in graph.links if link.target == names["context"]}
    torch.testing.assert_close(context["value"].to_dense(), torch.eye(6, dtype=torch.float64))
    torch.testing.assert_close(context["scores"].to_dense(), (expected.mT != 0).double())


def edges(graph: NeuralGraph) -> list[tuple[str, str, Tensor]]:
    found = [(graph.layers[link.source].name, graph.layers[link.target].name, link.to_dense()) for link in graph.links]
    return sorted(found, key=lambda one: (*one[:2], float(one[2].sum())))


@pytest.mark.parametrize("form", ["products", "einsum"])
def test_attention_is_the_same_graph_however_it_is_written(form: str) -> None:
    torch.manual_seed(1)
    fused = trace(Attention(6, 2, groups=2), torch.zeros(1, 4, 6))
    torch.manual_seed(1)
    other = trace(Attention(6, 2, form, groups=2), torch.zeros(1, 4, 6))
    for first, second in zip(edges(fused), edges(other), strict=True):
        assert first[:2] == second[:2]
        torch.testing.assert_close(first[2], second[2])


class Classifier(nn.Module):
    """Words, a recurrent layer, and the last state."""

    def __init__(self, kind: str = "LSTM", **options: Any) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 5)
        self.body = getattr(nn, kind)(5, 4, batch_first=True, **options)
        self.head = nn.Linear(8 if options.get("bidirectional") else 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.words(x))[0][:, -1])


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_a_recurrent_classifier_is_a_step_that_feeds_itself(kind: str, options: dict[str, Any]) -> None:
    model = Classifier(kind, **options)
    graph = trace(model, torch.zeros(2, 7, dtype=torch.long))
    assert graph.layers[0].shape == (11,)
    assert graph.layers[1].shape == (5,)
    outcomes = dict(graph.coverage().select("parameter", "outcome").rows())
    assert set(outcomes) == {name for name, _ in model.named_parameters()}
    assert all(outcome == ("bias" if "bias" in name else "link") for name, outcome in outcomes.items())
    recurrent = [link for link in graph.links if link.name.startswith("body.weight_hh")]
    assert len(recurrent) == (4 if options else 1)
    table = sx.measure(graph, ["strength", "disparity", "laplacian_centrality"], undefined="null")
    assert table.height == graph.neurons
    assert table["strength"].null_count() == 0


def test_a_recurrence_unfolds_into_a_layer_a_step() -> None:
    graph = trace(nn.LSTM(5, 4, batch_first=True), torch.zeros(1, 3, 5), unfold=True)
    names = [layer.name for layer in graph.layers]
    assert [name for name in names if name.startswith("hidden")] == [f"hidden_l0 at {step}" for step in range(3)]
    assert sum(link.name == "weight_ih_l0" for link in graph.links) == 3
    assert sum(link.name == "weight_hh_l0" for link in graph.links) == 2


os.environ["HF_HUB_OFFLINE"] = "1"
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
WORDS = torch.zeros(1, 7, dtype=torch.long)
IMAGE = torch.zeros(1, 3, 32, 32)
HUGGING_FACE: dict[str, tuple[str, str, dict[str, Any], Any]] = {
    "GPT-2": (
        "GPT2LMHeadModel",
        "GPT2Config",
        {
            "n_layer": 2,
            "n_embd": 32,
            "n_head": 4,
            "vocab_size": 50,
            "n_positions": 16,
            "bos_token_id": 0,
            "eos_token_id": 0,
        },
        WORDS,
    ),
    "BERT": ("BertModel", "BertConfig", {**SMALL, "vocab_size": 50}, {"input_ids": WORDS, "attention_mask": WORDS}),
    "ViT": ("ViTForImageClassification", "ViTConfig", {**SMALL, "image_size": 32, "patch_size": 8}, IMAGE),
    "Llama": ("LlamaForCausalLM", "LlamaConfig", {**SMALL, "vocab_size": 50, "num_key_value_heads": 2}, WORDS),
    "ConvNeXt": (
        "ConvNextModel",
        "ConvNextConfig",
        {"hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1], "image_size": 32},
        IMAGE,
    ),
    "Swin": (
        "SwinModel",
        "SwinConfig",
        {"embed_dim": 16, "depths": [2, 2], "num_heads": [2, 4], "image_size": 32, "patch_size": 2, "window_size": 4},
        IMAGE,
    ),
    "T5": (
        "T5Model",
        "T5Config",
        {"d_model": 32, "d_kv": 8, "num_layers": 1, "num_heads": 4, "d_ff": 64, "vocab_size": 50},
        {"input_ids": WORDS, "decoder_input_ids": WORDS},
    ),
}


def hugging_face(name: str, **options: Any) -> tuple[nn.Module, Any]:
    transformers = pytest.importorskip("transformers")
    model, config, settings, example = HUGGING_FACE[name]
    transformers.logging.set_verbosity_error()
    return getattr(transformers, model)(getattr(transformers, config)(**settings, **options)), example


@pytest.mark.parametrize("name", HUGGING_FACE)
@pytest.mark.filterwarnings("ignore")
def test_hugging_face_models_are_accounted_for(name: str) -> None:
    model, example = hugging_face(name)
    graph = trace(model, example)
    assert not graph.gaps
    outcomes = dict(graph.coverage().select("parameter", "outcome").rows())
    assert set(outcomes) == {name for name, _ in model.named_parameters(remove_duplicate=False)}
    left = [name for name, outcome in outcomes.items() if outcome == "left out"]
    assert all(
        any(word in name for word in ("position", "wpe", "token_type", "cls", "relative", "mask")) for name in left
    )
    table = sx.measure(graph, ["strength", "disparity", "laplacian_centrality"], undefined="null")
    assert table.height == graph.neurons
    assert table["strength"].is_finite().all()
    assert table["laplacian_centrality"].is_finite().all()
    assert table["disparity"].null_count() <= 2  # the row of the padding token


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["GPT-2", "Llama"])
def test_eager_and_fused_attention_give_the_same_graph(name: str) -> None:
    graphs = []
    for form in ("eager", "sdpa"):
        torch.manual_seed(0)
        graphs.append(trace(*hugging_face(name, attn_implementation=form)))
    for first, second in zip(*map(edges, graphs), strict=True):
        assert first[:2] == second[:2]
        torch.testing.assert_close(first[2], second[2])


@pytest.mark.filterwarnings("ignore")
def test_tied_weights_are_two_links_and_both_are_named() -> None:
    model, example = hugging_face("GPT-2")
    graph = trace(model, example)
    details = dict(graph.coverage().select("parameter", "detail").rows())
    assert details["transformer.wte.weight"].startswith("input -> transformer.wte")
    assert "same tensor as lm_head.weight" in details["transformer.wte.weight"]
    assert details["lm_head.weight"].startswith("transformer.ln_f -> lm_head")
    assert "same tensor as transformer.wte.weight" in details["lm_head.weight"]


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_models_bring_their_own_example() -> None:
    model, _ = hugging_face("BERT")
    assert trace(model).layers[0].shape == (50,)
