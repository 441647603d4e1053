"""What the tests of neuron types share: a made-up population."""

import numpy as np
import pytest

CENTERS = np.array([[-0.6, 0.2, 0.1], [-0.2, 0.7, 0.1], [0.1, 0.9, 0.6], [0.5, 0.9, 0.2]])


@pytest.fixture(scope="session")
def population() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descriptors of 40 networks of 25 neurons around four centers; the networks; the true types."""
    generator = np.random.default_rng(5)
    types = generator.integers(len(CENTERS), size=1000)
    values = CENTERS[types] + generator.normal(scale=0.03, size=(1000, 3))
    return values, generator.permutation(np.repeat(np.arange(40), 25)), types
