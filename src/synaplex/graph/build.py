"""One door for everything that is a graph already or can be read as one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph.chain import chain
from synaplex.graph.edgelist import from_edgelist
from synaplex.graph.interop import from_networkx, from_scipy
from synaplex.graph.named import state_tensors
from synaplex.graph.network import NeuralGraph
from synaplex.graph.trace import trace


def graph(
    obj: Any, example_input: Any = None, *, layers: Sequence[str] | None = None, unfold: bool = False
) -> NeuralGraph:
    """The graph of a neural network, or any other graph, as layers of neurons joined by links.

    Parameters
    ----------
    obj
        One of

        - a `torch.nn.Module`, whose computation is traced: see `synaplex.graph.trace.trace`;
        - a list of weight matrices, each ``(out, in)``, or ``(networks, out, in)`` for a batch: tensors,
          arrays, nested lists or SciPy sparse matrices;
        - a state dict, read as a chain of dense, sparse or pruned layers in its own order: see
          `synaplex.graph.chain.chain`;
        - a NetworkX graph, see `from_networkx`; a SciPy sparse adjacency matrix, see `from_scipy`; a frame of
          edges, see `from_edgelist`;
        - a `NeuralGraph`, which is returned as it is.
    example_input
        For a module: a tensor, a tuple of one value an argument, or a mapping of arguments by name, batch axis first.
        Only shapes are read.
    layers
        For a state dict: names of the matrices to chain, in order.
    unfold
        For a module: whether tokens and steps of a sequence are neurons of their own, rather than one neuron a feature.

    Returns
    -------
    NeuralGraph
        Weights are shared with `obj` where its library allows that.

    Raises
    ------
    InvalidGraphError
        If `obj` makes no graph; says what about it does not fit.
    SpecificationError
        If another argument does not go with `obj`.

    Examples
    --------
    >>> from torch import nn
    >>> graph(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)))
    NeuralGraph(4-3-2: 9 neurons, 18 edges)
      0 input      (4,)
      1 0          (3,)   <- 0  DenseLink(4 -> 3 '0.weight')
      2 2          (2,)   <- 1  DenseLink(3 -> 2 '2.weight')
    """
    if example_input is not None and not isinstance(obj, nn.Module):
        raise SpecificationError(f"example_input goes with a module, not with a {type(obj).__name__}")
    if unfold and not isinstance(obj, nn.Module):
        raise SpecificationError(f"unfold=True goes with a module, not with a {type(obj).__name__}")
    if layers is not None and not isinstance(obj, Mapping):
        raise SpecificationError(f"layers= chooses from a state dict, not from a {type(obj).__name__}")
    if isinstance(obj, NeuralGraph):
        return obj
    if isinstance(obj, nn.Module):
        return trace(obj, example_input, unfold=unfold)
    if isinstance(obj, Mapping):
        return _from_state(obj, layers)
    if isinstance(obj, list | tuple):
        return NeuralGraph.from_weights(obj)
    if isinstance(obj, str | os.PathLike):
        raise InvalidGraphError(f"{str(obj)!r} is the name of a file: read it with sx.load({str(obj)!r})")
    if hasattr(obj, "adjacency") and hasattr(obj, "is_multigraph"):
        return from_networkx(obj)
    if type(obj).__module__.startswith("scipy.sparse"):
        return from_scipy(obj)
    if hasattr(obj, "columns") and hasattr(obj, "shape"):
        return from_edgelist(obj)
    if hasattr(obj, "shape"):
        raise InvalidGraphError(
            f"one array of shape {tuple(obj.shape)} could be weights or an adjacency matrix: pass [array] "
            "for the weights (out, in) of one link, or scipy.sparse.csr_array(array) for an adjacency matrix"
        )
    raise InvalidGraphError(
        f"cannot read a {type(obj).__name__} as a graph: pass a torch module, a list of weight matrices, a "
        "state dict, a networkx graph, a scipy sparse adjacency matrix or a frame of edges"
    )


def _from_state(state: Mapping[Any, Any], layers: Sequence[str] | None) -> NeuralGraph:
    wrong = [name for name, value in state.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if wrong:
        raise InvalidGraphError(
            f"a mapping must be a state dict, of names and tensors; {wrong[0]!r} is a {type(state[wrong[0]]).__name__}"
        )
    return chain(state_tensors(state), layers=layers, ordered=True, origin="the state dict")
