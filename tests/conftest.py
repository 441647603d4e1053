"""What every test shares: annotations that are checked, and where data from outside the repository lies."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import config, install_import_hook

# Before the first import of the package: shapes and types in its signatures become checks. Each method is
# checked by itself, where `Self` has no meaning yet, so that one is let through.
IGNORED = "beartype.FrozenDict({__import__('typing').Self: object})"
install_import_hook("synaplex", f"beartype.beartype(conf=beartype.BeartypeConf(hint_overrides={IGNORED}))")
os.environ.setdefault("MPLBACKEND", "Agg")
# No test downloads a dataset by accident.
os.environ.setdefault("SYNAPLEX_OFFLINE", "1")

# The first example compiles kernels and imports libraries; its time says nothing about the code.
hypothesis.settings.register_profile("synaplex", deadline=None)
hypothesis.settings.load_profile("synaplex")

SIBLING = Path(__file__).resolve().parents[2] / "shared"


def outside(variable: str, folder: str) -> Path:
    """The folder that a variable names, or its place beside the repository; else the test is skipped."""
    if named := os.environ.get(variable):
        path = Path(named)
        if not path.is_dir():
            pytest.fail(f"{variable}={named} is not a folder")
        return path
    if (SIBLING / folder).is_dir():
        return SIBLING / folder
    pytest.skip(f"needs data that is not part of the repository: set {variable} to its folder")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Where released weights and measures lie: mlp-mnist-network1.h5, mlp-mnist-network1-measures.mat."""
    return outside("SYNAPLEX_GOLDEN", "golden")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of data sets: mnist/, fashion-mnist/, cifar10/ and so on."""
    return outside("SYNAPLEX_DATA", "data")


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Annotations are not checked, as outside the tests: what remains is the package's own checks."""
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", before)
