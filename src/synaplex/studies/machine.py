"""Where and with what a study ran."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "polars")


def machine() -> Mapping[str, str]:
    """The system, its cores, and the versions of what computes."""
    import synaplex

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "machine": f"{platform.system()} {platform.machine()}, {cores} cores",
        "versions": f"Synaplex {synaplex.__version__}, Python {platform.python_version()}, {versions}",
    }


def command(study: str, **options: object) -> str:
    """What is to be typed to make a study's report again; where datasets lie is each machine's own affair."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["synaplex", "study", study, *words])


@dataclass(frozen=True)
class Origin:
    """Where a report comes from.

    Attributes
    ----------
    command
        What makes it again.
    machine
        System and versions.
    seconds
        Wall time of the run.
    """

    command: str
    machine: Mapping[str, str]
    seconds: float
