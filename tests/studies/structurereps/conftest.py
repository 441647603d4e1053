"""A study small enough for a test: a few networks on points and digits, encoders of a few numbers."""

from pathlib import Path

import pytest

from synaplex.studies.structurereps.recipe import Crowd, Settings, Shapes, Task
from synaplex.studies.structurereps.run import run

TINY = Settings(
    tasks=(
        Task("two-moons", "Two Moons", "two-moons", ((3, 3), (4, 3)), (1e-3, 1e-2), train_size=60, test_size=40),
        Task("digits", "Digits", "digits", ((2, 2), (2, 3)), (1e-3, 1e-2), True, train_size=60, test_size=40),
    ),
    shapes=Shapes("two-moons", (("regular", (4, 3)), ("wider", (6,))), seeds=4, fitted=2, every=2),
    crowd=Crowd((12,), 40, 0.5, 0.3, 12, 1, 100, 60, 1, together=25),
    epochs=10,
    snapshots=(2, 6, 10),
    seeds=3,
    encoder=(("width", 2), ("heads", 1), ("latent", 2), ("edge_hidden", 2), ("positions", 2)),
    encoder_epochs=1,
    network_epochs=1,
    ablated=("two-moons",),
    regressors=("ridge",),
    resamples=15,
)


def run_tiny(out: Path) -> Path:
    return run(
        out,
        scale="small",
        tasks="all",
        population="digits",
        seed=0,
        data_dir=None,
        results_page=out / "structurereps.md",
        progress=False,
        settings=TINY,
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    return run_tiny(tmp_path_factory.mktemp("structurereps") / "study").parent
