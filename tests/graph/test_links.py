"""Every link is a matrix: its products, maps and forms agree with the dense one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synaplex.errors import InvalidGraphError
from synaplex.graph import DenseLink, IdentityLink, Link, SparseLink
from synaplex.graph.matrix import as_matrix, link_from_matrix
from tests.graph.graphs import KINDS, make_link, random_matrix


@dataclass(frozen=True)
class Drawn:
    """What a random link is made from."""

    seed: int
    kind: str
    out: int
    into: int
    networks: int | None

    @property
    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)

    @property
    def link(self) -> Link:
        into = self.out if self.kind in ("diagonal", "identity") else self.into
        return make_link(self.kind, self.generator, self.networks, self.out, into)


def links() -> st.SearchStrategy[Drawn]:
    size, networks = st.integers(1, 5), st.sampled_from([None, 1, 3])
    return st.builds(Drawn, st.integers(0, 2**20), st.sampled_from(KINDS), size, size, networks)


@given(links(), st.sampled_from([(), (1,), (4,), (2, 1)]))
def test_products_are_those_of_the_matrix(drawn: Drawn, lead: tuple[int, ...]) -> None:
    link, generator = drawn.link, drawn.generator
    matrix = link.to_dense()
    batch = () if link.networks is None else (link.networks,)
    x = torch.randn(*lead, *batch, link.in_size, generator=generator, dtype=torch.float64)
    y = torch.randn(*lead, *batch, link.out_size, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(link.forward(x), torch.einsum("...ij,...j->...i", matrix, x))
    torch.testing.assert_close(link.backward(y), torch.einsum("...ij,...i->...j", matrix, y))


@given(links())
def test_one_vector_serves_all_networks(drawn: Drawn) -> None:
    link, generator = drawn.link, drawn.generator
    x = torch.randn(link.in_size, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(link.forward(x), torch.einsum("...ij,j->...i", link.to_dense(), x))


@given(links())
def test_map_changes_edges(drawn: Drawn) -> None:
    link = drawn.link
    torch.testing.assert_close(link.map(torch.square).to_dense(), link.to_dense().square())
    torch.testing.assert_close(link.to(torch.float32).to_dense(), link.to_dense().float())


@given(links())
def test_other_forms_hold_the_same_matrix(drawn: Drawn) -> None:
    link = drawn.link
    torch.testing.assert_close(link.to_sparse().to_dense(), link.to_dense())
    torch.testing.assert_close(link.transpose().to_dense(), link.to_dense().mT)
    assert (link.transpose().source, link.transpose().target) == (link.target, link.source)
    assert bool((link.to_sparse().weight != 0).all())


@given(links())
def test_edges_are_entries_other_than_zero(drawn: Drawn) -> None:
    link = drawn.link
    assert link.edge_count == int((link.to_dense() != 0).sum())
    if link.networks is None or not isinstance(link, SparseLink):
        networks = link.networks or 1
        total = (link.weights.reshape(networks, -1) * link.multiplicity).sum()
        torch.testing.assert_close(total, link.to_dense().sum())


@given(links())
def test_network_is_one_of_the_batch(drawn: Drawn) -> None:
    link = drawn.link
    for k in range(link.networks or 0):
        single = link.network(k)
        assert single.networks is None
        torch.testing.assert_close(single.to_dense(), link.to_dense()[k])


def test_sparse_edges_between_the_same_neurons_add() -> None:
    row, column = torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0])
    link = SparseLink.from_edges(row, column, torch.tensor([1.0, 2.0, 5.0]), (2, 2), source=0, target=1)
    assert link.to_dense().tolist() == [[0, 3], [5, 0]]


def test_repr_says_what_and_between_which_sizes() -> None:
    assert repr(DenseLink(source=0, target=1, name="fc", weight=torch.zeros(3, 2))) == "DenseLink(2 -> 3 'fc')"
    identity = IdentityLink(source=0, target=1, size=4, scale=torch.ones(2))
    assert repr(identity) == "IdentityLink(2 networks, 4 -> 4)"


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
def test_sparse_tensors_make_sparse_links() -> None:
    matrix = random_matrix(torch.Generator().manual_seed(0), 4, 3)
    for stored in (matrix.to_sparse(), matrix.to_sparse_csr()):
        link = link_from_matrix(stored, source=0, target=1)
        assert isinstance(link, SparseLink)
        assert torch.equal(link.to_dense(), matrix)


def test_matrix_is_not_copied() -> None:
    matrix = torch.ones(2, 3)
    assert as_matrix(matrix).data_ptr() == matrix.data_ptr()
    assert as_matrix(matrix.numpy()).data_ptr() == matrix.data_ptr()


def test_ragged_rows_are_refused() -> None:
    with pytest.raises(InvalidGraphError, match="'W1' is no matrix of numbers"):
        as_matrix([[1.0, 2.0], [3.0]], "W1")
