"""A study small enough for a test: four populations of small networks on digits."""

from pathlib import Path

import pytest

from synaplex.datasets import load
from synaplex.studies.files import write_tables
from synaplex.studies.la_malfa_2021.recipe import Settings
from synaplex.studies.la_malfa_2021.run import Job, compute, tables
from synaplex.studies.stages import stages

TINY = Settings(
    per_bin=2,
    networks=20,
    steps=tuple((kind, 10_000, scale, 40) for kind in ("dense", "cnn") for scale in (0.05, 0.5)),
    evaluated=200,
    kept_neurons=40,
    kept_weights=60,
    compositions=2,
    resamples=8,
    null_draws=2,
    individual_steps=20,
    populations=(("normal", 10_000),),
)


def computed(folder: Path):
    """The study without its figures: pieces, then tables."""
    digits = load("digits")
    results = compute(folder / "pieces", Job(digits, digits, TINY, "small", 0), stages(False))
    write_tables(tables(results), folder / "tables")
    return results


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a finished study lies; not to be changed."""
    return tmp_path_factory.mktemp("la-malfa-2021") / "study"


@pytest.fixture(scope="session")
def results(folder: Path):
    """What it found."""
    return computed(folder)
