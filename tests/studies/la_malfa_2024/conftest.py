"""A study small enough for a test: a few networks on digits."""

from pathlib import Path

import pytest

from synaplex.studies.la_malfa_2024.recipe import KINDS, Settings
from synaplex.studies.la_malfa_2024.run import run

TINY = Settings(
    networks=tuple((kind, 2) for kind in KINDS),
    steps=tuple((kind, depth, 6) for kind in KINDS for depth in (3, 7, 9)),
    train_size=200,
    test_size=100,
    sample=12,
    kept_values=60,
    kept_neurons=20,
    parameters=1500,
    depths=(("dense", (3, 7)), ("cnn", (3,)), ("rnn", (3,)), ("autoencoder", (3,))),
    activations=("sigmoid",),
    folds=2,
)


def run_tiny(out: Path) -> Path:
    return run(
        out,
        scale="small",
        dataset="digits",
        seed=0,
        data_dir=None,
        results_page=out / "la-malfa-2024.md",
        progress=False,
        settings=TINY,
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    return run_tiny(tmp_path_factory.mktemp("la-malfa-2024") / "study").parent
