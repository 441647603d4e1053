"""What is measured: a graph, and not what one is made of."""

from __future__ import annotations

import os
from typing import Any

from torch import nn

from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph


def check_graph(given: Any) -> None:
    """Raise `SpecificationError` for anything but a graph, saying how to make one of it."""
    if isinstance(given, NeuralGraph):
        return
    if isinstance(given, str | os.PathLike):
        what, how = f"{os.fspath(given)!r} is a path", f"pass sx.load({os.fspath(given)!r})"
    elif isinstance(given, nn.Module):
        what, how = f"a {type(given).__name__} is a model", "pass sx.graph(model) or sx.graph(model, example_input)"
    else:
        what, how = f"this is a {type(given).__name__}", "pass what sx.load(path) or sx.graph(model) returns"
    raise SpecificationError(f"{what}, where a graph is needed: {how}")
