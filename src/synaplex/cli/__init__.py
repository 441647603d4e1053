"""The command line: a thin face over the library."""

from synaplex.cli import models, sparse, studies
from synaplex.cli.app import app

__all__ = ["app"]

del models, sparse, studies
