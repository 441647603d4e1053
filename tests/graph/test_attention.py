"""Attention: its projections are views of the fused weights, a map joins tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import (
    AttentionLink,
    DenseLink,
    RepeatedLink,
    attention_graph,
    repeated_heads,
    select_link,
    split_projections,
)
from synaplex.measures import in_strength, strength
from tests.graph.operators import assert_is_matrix, assert_measured_as_edges, generator, jacobian


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.sampled_from([None, 2]))
def test_attention_mixes_tokens_within_each_head(
    heads: int, targets: int, sources: int, head_size: int, networks: int | None
) -> None:
    lead = () if networks is None else (networks,)
    attention = torch.rand(*lead, heads, targets, sources, generator=generator(0), dtype=torch.float64)
    attention = attention * (attention > 0.3)
    link = AttentionLink(source=0, target=1, attention=attention, head_size=head_size)
    feature = torch.eye(head_size, dtype=torch.float64)
    head = torch.eye(heads, dtype=torch.float64)
    matrix = torch.einsum("...hts,hg,jk->...thjsgk", attention, head, feature)
    matrix = matrix.reshape(*lead, targets * heads * head_size, sources * heads * head_size)
    assert_is_matrix(link, matrix)
    assert_measured_as_edges(link)


def test_with_its_map_attention_is_linear_in_the_values() -> None:
    """Projections, map and output in a row are torch's own attention for one fixed map."""
    module = nn.MultiheadAttention(6, 2, bias=False, batch_first=True).double()
    x = torch.randn(1, 4, 6, generator=generator(1), dtype=torch.float64)
    with torch.no_grad():
        theirs, maps = module(x, x, x, need_weights=True, average_attn_weights=False)
    _, _, value = split_projections(module.in_proj_weight.detach(), (6, 6, 6))
    assert value.data_ptr() == module.in_proj_weight[12:].data_ptr()
    steps = (
        RepeatedLink(source=0, target=1, link=DenseLink(source=0, target=0, weight=value), times=4),
        AttentionLink(source=1, target=2, attention=maps[0], head_size=3),
        RepeatedLink(
            source=2,
            target=3,
            link=DenseLink(source=0, target=0, weight=module.out_proj.weight.detach()),
            times=4,
        ),
    )
    ours = x.flatten()
    for link in steps:
        ours = link.forward(ours)
    torch.testing.assert_close(ours, theirs.flatten())


def test_grouped_queries_read_the_same_values() -> None:
    values = torch.randn(1, 2, 5, 3, dtype=torch.float64)  # batch, value heads, tokens, head size

    def repeat(x: torch.Tensor) -> torch.Tensor:
        heads = x.reshape(1, 5, 2, 3).transpose(1, 2).repeat_interleave(2, dim=1)
        return heads.transpose(1, 2).flatten(2)

    link = select_link(repeated_heads(4, 2, 3), 6)
    assert_is_matrix(RepeatedLink(source=0, target=1, link=link, times=5), jacobian(repeat, (5, 6)))
    assert values.shape[1] == 2


@pytest.mark.parametrize("heads", ["mean", "each"])
@pytest.mark.parametrize("residual", [False, True])
def test_maps_make_a_graph_of_tokens(heads: Any, residual: bool) -> None:
    maps = [torch.rand(2, 3, 4, 4, generator=generator(k), dtype=torch.float64).softmax(-1) for k in range(2)]
    graph = attention_graph(maps, heads=heads, residual=residual)
    assert [layer.role for layer in graph.layers] == ["input", "hidden", "output"]
    assert graph.networks == 2
    received = in_strength(graph)[:, graph.layer_slice(2)]
    torch.testing.assert_close(received, torch.full_like(received, 2.0 if residual else 1.0))
    single = attention_graph([one[0] for one in maps], heads=heads, residual=residual)
    torch.testing.assert_close(strength(single), strength(graph)[0])
    if heads == "mean" and not residual:
        torch.testing.assert_close(single.links[0].to_dense(), maps[0][0].mean(0))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidGraphError, match="of one shape"):
        attention_graph([torch.ones(1, 2, 2), torch.ones(1, 3, 3)])
    with pytest.raises(InvalidGraphError, match=r"of one shape.*got none"):
        attention_graph([])
    with pytest.raises(InvalidGraphError, match="2 tokens to 3"):
        attention_graph([torch.ones(1, 2, 3)])
    with pytest.raises(InvalidGraphError, match=r"\(4, 4\) rows do not fit"):
        split_projections(torch.ones(9, 2), (4, 4))
    with pytest.raises(SpecificationError, match="5 heads cannot share 2"):
        repeated_heads(5, 2, 1)
