"""Links that move, repeat, sum and copy neurons, and tables of embeddings."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import (
    DenseLink,
    RepeatedLink,
    SelectLink,
    conv_link,
    embedding_link,
    mean_link,
    select_link,
    spread_link,
    sum_link,
)
from tests.graph.operators import assert_is_matrix, assert_measured_as_edges, jacobian, weights

SHAPE = (2, 3, 4)
INDEX = torch.arange(24).view(SHAPE)


@pytest.mark.parametrize(
    "move",
    [
        lambda x: x.permute(0, 3, 1, 2),
        lambda x: x[:, :, 1:, ::2],
        lambda x: x.flip(-1),
        lambda x: torch.cat([x, x[:, :1]], 1),
        lambda x: x.repeat_interleave(2, -1),
        lambda x: nn.functional.pad(x, (1, 2, 0, 1)),
        lambda x: nn.functional.pixel_shuffle(x.reshape(1, 4, 3, 2), 2),
    ],
)
def test_movements_select(move: object) -> None:
    """The index of a movement is what it does to a tensor of indices."""
    index = move(INDEX[None] + 1).flatten() - 1  # type: ignore[operator]
    link = select_link(index, 24)
    matrix = jacobian(move, SHAPE)  # type: ignore[arg-type]
    assert_is_matrix(link, matrix)
    assert_measured_as_edges(link)


@given(st.lists(st.integers(-1, 4), max_size=8), st.sampled_from([None, 1, 3]))
def test_select_takes_one_neuron_or_none(index: list[int], networks: int | None) -> None:
    lead = () if networks is None else (networks,)
    scale = torch.linspace(1, 2, networks or 1).double().reshape(lead)
    link = SelectLink(source=0, target=1, index=torch.tensor(index, dtype=torch.long), size=5, scale=scale)
    matrix = torch.zeros(*lead, len(index), 5, dtype=torch.float64)
    for target, source in enumerate(index):
        if source >= 0:
            matrix[..., target, source] = scale
    assert_is_matrix(link, matrix)


@given(st.sampled_from([(0,), (1,), (2,), (1, 2), (-1,), (0, 1), (0, 1, 2)]), st.sampled_from([None, 2]), st.booleans())
@settings(max_examples=30)
def test_folds_are_sums_and_means(axes: tuple[int, ...], networks: int | None, mean: bool) -> None:
    make = mean_link if mean else sum_link
    link = make(SHAPE, axes, networks=networks)
    shifted = tuple(axis + 1 if axis >= 0 else axis for axis in axes)
    matrix = jacobian(lambda x: x.mean(shifted) if mean else x.sum(shifted), SHAPE)
    assert_is_matrix(link, matrix if networks is None else matrix.expand(networks, -1, -1))
    copies = spread_link(SHAPE, axes, networks=networks, source=3, target=5)
    assert (copies.source, copies.target) == (3, 5)
    assert torch.equal(copies.to_dense() != 0, (link.to_dense() != 0).mT)
    assert_measured_as_edges(link)


def test_axes_apart_are_no_fold() -> None:
    with pytest.raises(SpecificationError, match="side by side"):
        sum_link((2, 3, 4), (0, 2))


@given(st.integers(1, 4), st.sampled_from([None, 1, 3]), st.sampled_from(["dense", "sparse", "conv"]))
@settings(max_examples=30)
def test_repeated_link_is_a_block_diagonal(times: int, networks: int | None, kind: str) -> None:
    lead = () if networks is None else (networks,)
    if kind == "conv":
        inner = conv_link(weights(0, *lead, 2, 1, 3), (1, 5), padding=1)
    else:
        inner = DenseLink(source=0, target=1, weight=weights(0, *lead, 3, 4))
    link = RepeatedLink(source=0, target=1, link=inner.to_sparse() if kind == "sparse" else inner, times=times)
    blocks = inner.to_dense().reshape(-1, inner.out_size, inner.in_size)
    matrix = torch.stack([torch.block_diag(*[block] * times) for block in blocks])
    assert_is_matrix(link, matrix if networks is not None else matrix[0])
    assert_measured_as_edges(link)


def test_linear_over_tokens_repeats() -> None:
    linear = nn.Linear(4, 3, bias=False).double()
    inner = DenseLink(source=0, target=1, weight=linear.weight.detach())
    assert_is_matrix(RepeatedLink(source=0, target=1, link=inner, times=5), jacobian(linear, (5, 4)))


def test_embedding_reads_a_one_hot_layer() -> None:
    table = nn.Embedding(6, 3)
    link = embedding_link(table.weight.detach(), name="tokens")
    one_hot = nn.functional.one_hot(torch.tensor([4, 0]), 6).float()
    torch.testing.assert_close(link.forward(one_hot), table(torch.tensor([4, 0])))
    assert link.weight.data_ptr() == table.weight.data_ptr()


def test_selecting_what_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidGraphError, match="outside of 0 to 2"):
        select_link(torch.tensor([0, 3]), 3)


def test_moving_back_is_the_transpose() -> None:
    order = torch.randperm(6, generator=torch.Generator().manual_seed(0))
    link = select_link(order, 6)
    values = torch.randn(6, dtype=torch.float64)
    torch.testing.assert_close(link.backward(link.forward(values)), values)
