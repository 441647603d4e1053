"""What a page is about: one network whose weights have values."""

from __future__ import annotations

from typing import Any

from synaplex.errors import InvalidGraphError
from synaplex.measures.input import check_graph


def check_network(given: Any, what: str) -> None:
    """Refuse what is no graph, and a graph whose weights have no values.

    Raises
    ------
    SpecificationError
        For a model, a path or anything else that is no graph.
    InvalidGraphError
        For weights on the meta device; `what` names the graph.
    """
    check_graph(given)
    if given.without_values:
        raise InvalidGraphError(
            f"the weights of {given.without_values} are on the meta device, so there is nothing to say about {what}: "
            "load the weights into the model first"
        )
