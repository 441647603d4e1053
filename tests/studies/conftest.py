"""A small study, run once for all tests of it."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from synaplex.datasets import load
from synaplex.population import Population
from synaplex.studies.scabini import recipe
from synaplex.studies.scabini.analysis import Results, analyse
from synaplex.studies.scabini.run import run
from synaplex.studies.scabini.training import Training

NETWORKS, EPOCHS = 20, 3

QUICK = recipe.Analysis(
    starts=3,
    elbow_starts=1,
    epoch_starts=1,
    resamples=60,
    draws=3,
    repeats=1,
    separations=1,
    vocabulary_resamples=3,
)
"""Settings that are enough to see that everything is there."""


def run_quickly(out: Path, chunk_size: int | None = None) -> Path:
    return run(
        out,
        dataset="digits",
        networks=NETWORKS,
        seed=0,
        epochs=EPOCHS,
        data_dir=None,
        training=Training(chunk_size=chunk_size, progress=False),
        settings=QUICK,
    )


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study."""
    return run_quickly(tmp_path_factory.mktemp("study")).parent


@pytest.fixture(scope="session")
def results(study: Path) -> Results:
    """What it found out."""
    population = Population.open(study / "population")
    return analyse(population, load("digits"), recipe.network_seeds(NETWORKS, 0), QUICK, lambda name: nullcontext())
