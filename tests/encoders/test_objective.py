"""The objective looks at all pairs of a small link by matrix products, and at some of a large one by gathering them."""

import torch

from synaplex.encoders import Objective, StructureEncoder, structure_graph
from tests.encoders.structures import convolutional, dense


def test_every_edge_is_each_pair_by_itself() -> None:
    encoder = StructureEncoder(positions=2, width=4, heads=2, latent=3, epochs=0).fit([convolutional(), dense(2, 6, 5)])
    generator = torch.Generator().manual_seed(0)
    target, source = torch.randn(2, 4, 3, generator=generator), torch.randn(2, 5, 3, generator=generator)
    logit, features = encoder.model_.every_edge(target, source)
    for row in range(4):
        for column in range(5):
            alone = encoder.model_.strong_logit(target[:, row], source[:, column])
            torch.testing.assert_close(logit[:, row, column], alone)
            torch.testing.assert_close(features[:, row, column], encoder.model_.edge(target[:, row], source[:, column]))


def test_drawn_pairs_estimate_the_loss_over_all_of_them() -> None:
    graphs = dense(3, 30, 20, 10)
    encoder = StructureEncoder(positions=2, width=4, heads=2, latent=3, noise=0.0, epochs=3).fit(graphs)
    structure = structure_graph(graphs)
    messages, given = encoder.reader().messages(structure), encoder.reader().given(structure)

    def loss(pairs: int, seed: int) -> float:
        generator = torch.Generator().manual_seed(seed)
        return float(Objective(pairs=pairs).loss(encoder.model_, messages, given, generator)["weight"].detach())

    whole = sum(loss(600, seed) for seed in range(20)) / 20
    drawn = sum(loss(150, seed) for seed in range(20)) / 20
    assert abs(whole - drawn) < 0.05 * whole
