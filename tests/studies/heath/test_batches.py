"""Augmented batches: what is done to images, and that it depends on seed and epoch alone."""

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform

from synaplex.datasets import load
from synaplex.studies.heath.batches import Samples, batches, moved, pixels, transforms
from synaplex.studies.heath.recipe import Hyper
from synaplex.studies.heath.srelu import first_slopes, srelu

STILL = Hyper(rotation=0.0, shift=0.0)


def samples(shape=(3, 9, 9), count=6, *, flips=True):
    x = torch.randn(count, int(np.prod(shape)), generator=torch.Generator().manual_seed(0))
    return Samples(x, torch.zeros(count, dtype=torch.long), x[:1], torch.zeros(1, dtype=torch.long), shape, flips)


@pytest.mark.parametrize("shape", [(1, 9, 9), (3, 8, 11)])
def test_turns_and_shifts_are_those_of_scipy(shape):
    """The mapping of the image generator that the paper used, read from its documentation: turn, shift, mirror."""
    given = samples(shape)
    random = np.random.default_rng(3)
    transform = transforms(6, given, Hyper(), np.random.default_rng(3))
    angle = np.radians(random.uniform(-10, 10, 6))
    down, right = (random.uniform(-0.1, 0.1, 6) * size for size in shape[1:])
    mirrored = random.random(6) < 0.5
    found = moved(given.x_train, shape, torch.from_numpy(transform), pixels(shape)).reshape(6, *shape).numpy()
    middle = (np.array(shape[1:]) - 1) / 2
    for i, image in enumerate(given.x_train.reshape(6, *shape).numpy()):
        turn = np.array([[np.cos(angle[i]), np.sin(angle[i])], [-np.sin(angle[i]), np.cos(angle[i])]])
        offset = middle + np.array([down[i], right[i]]) - turn @ middle
        for channel, plane in enumerate(image):
            wanted = affine_transform(plane, turn, offset, order=1, mode="nearest")
            wanted = wanted[:, ::-1] if mirrored[i] else wanted
            np.testing.assert_allclose(found[i, channel], wanted, atol=1e-4)
    assert mirrored.any()
    assert not mirrored.all()


def test_without_augmentation_every_sample_comes_once():
    given = samples(count=23, flips=False)
    seen = list(batches(given, Hyper(batch_size=5, rotation=0.0, shift=0.0), (4, 3), 0, 1))
    assert [len(batch.y) for batch in seen] == [5, 5, 5, 5, 3]
    x = torch.cat([batch.x.T for batch in seen])
    order = torch.cdist(x, given.x_train).argmin(1)
    assert sorted(order.tolist()) == list(range(23))
    torch.testing.assert_close(x, given.x_train[order], rtol=1e-4, atol=1e-5)


def test_an_epoch_depends_on_seed_and_number_alone():
    given = samples(count=40)

    def epoch(seed, number):
        return list(batches(given, Hyper(batch_size=20), (5, 3), seed, number))

    for a, b in zip(epoch(1, 2), epoch(1, 2), strict=True):
        assert torch.equal(a.x, b.x)
        assert all(torch.equal(m, n) for m, n in zip(a.masks, b.masks, strict=True))
    for seed, number in ((2, 2), (1, 3)):
        a, b = epoch(1, 2)[0], epoch(seed, number)[0]
        assert not torch.equal(a.x, b.x)
        assert not torch.equal(a.masks[0], b.masks[0])


def test_dropout_silences_the_share_it_should():
    (batch,) = batches(samples(count=500), Hyper(batch_size=500), (200, 100), 0, 1)
    for mask in batch.masks:
        assert mask.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
        assert float((mask == 0).double().mean()) == pytest.approx(0.3, abs=0.01)


def test_pixels_are_standardised_over_the_training_set():
    given = Samples.of(load("digits"))
    mean, spread = given.x_train.mean(0), given.x_train.std(0, correction=0)
    assert float(mean.abs().max()) < 1e-5
    assert set(spread.round(decimals=3).tolist()) <= {0.0, 1.0}
    assert bool(given.x_test.isfinite().all())
    assert not given.flips


def test_srelu_and_its_gradient():
    random = torch.Generator().manual_seed(0)
    x = 2 * torch.randn(3, 7, generator=random, dtype=torch.float64)
    slopes = torch.tensor([[-0.5, 0.1, 0.0], [0.2, -0.3, 1.0], [0.8, -0.6, 1.5], [1.7, 0.5, 1.0]], dtype=torch.float64)
    right = slopes[0] + slopes[2].abs()
    plain = torch.where(x < slopes[0][:, None], (slopes[0] + slopes[1] * (x.T - slopes[0])).T, x)
    plain = torch.where(x > right[:, None], (right + slopes[3] * (x.T - right)).T, plain)
    torch.testing.assert_close(srelu(x, slopes), plain)
    assert torch.autograd.gradcheck(srelu, (x.requires_grad_(), slopes.requires_grad_()))
    first = first_slopes(1000, random)
    assert not bool(first[0].any())
    assert bool((first[3] == 1).all())
    assert float(first[1:3].abs().max()) <= (3 / 1000) ** 0.5
