"""The command line: a thin face over the library."""

from synaplex.cli import encoders, models, nulls, sparse, studies
from synaplex.cli.app import app

__all__ = ["app"]

del encoders, models, nulls, sparse, studies
