"""The command line: a thin face over the library."""

from synaplex.cli import models, studies
from synaplex.cli.app import app

__all__ = ["app"]

del models, studies
