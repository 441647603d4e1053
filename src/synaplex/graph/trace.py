"""From a PyTorch module to its graph: the model's own computation is traced, not guessed from its parts."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from synaplex.errors import InvalidGraphError
from synaplex.graph.network import NeuralGraph
from synaplex.graph.tracing.examples import examples, unwrapped
from synaplex.graph.tracing.recording import DataDependentError, Recording, record
from synaplex.graph.tracing.walk import Walk

_WALKS = 5


def trace(module: nn.Module, example_input: Any = None, *, unfold: bool = False) -> NeuralGraph:
    """The graph of a module, read off its computation.

    Each operation with weights makes a new layer, the neurons it feeds. Activations, dropout, softmax and reshapes act
    on the neurons of a layer and make none. An addition of two layers is one layer: of its two operands, the one that
    nothing else reads, with an `IdentityLink` from the other. A module called twice gives two links that share their
    weights. Weights are shared with the module, not copied. The guide *Architectures* lists the conventions for
    everything that is not linear.

    Parameters
    ----------
    module
        Any module. It is traced as at evaluation, and left as it was.
    example_input
        A tensor, a tuple of one value an argument, or a mapping of arguments by name, with the batch axis first; only
        shapes and kinds are read. Needed where the weights do not tell the number of input neurons.
    unfold
        A map that is applied to every token, or every step of a sequence, has one neuron a feature, whatever the
        number of tokens. With ``unfold=True`` it has one a token and feature.

    Returns
    -------
    NeuralGraph
        Layers in the order in which the model computes them, named after its modules. Its `coverage` lists what became
        of every parameter, its `gaps` the steps that were not understood.

    Raises
    ------
    InvalidGraphError
        If the model cannot run on such inputs, if what it computes depends on their values, or if its weights have no
        values, are quantised or no numbers; names the module.
    """
    module = unwrapped(module)
    _check_weights(module)
    recording = _recorded(module, example_input)
    walk = Walk(module, recording, unfold=unfold)
    with torch.no_grad():
        graph = walk.run()
        for _ in range(_WALKS):
            wanted = frozenset() if unfold else walk.wanted() | walk.shared
            if wanted == walk.shared:
                break
            walk = Walk(module, recording, wanted, unfold=unfold)
            graph = walk.run()
    return graph


def _recorded(module: nn.Module, given: Any) -> Recording:
    """The module's computation on the example, or without one on the first guess that it takes."""
    kind, failure = type(module).__name__, None
    for args, kwargs in examples(module, given):
        try:
            return record(module, args, kwargs)
        except DataDependentError:
            raise
        except InvalidGraphError as error:
            if given is not None:
                raise
            failure = failure or error
    if failure is None and not any(True for _ in module.parameters()):
        raise InvalidGraphError(f"{kind} holds no layer of weights, so there is no graph of it")
    raise InvalidGraphError(
        f"the weights of {kind} do not tell the shape of its input: pass example_input, a tensor of that shape with "
        f"the batch axis first{'' if failure is None else f' (without one: {failure})'}"
    )


def _check_weights(module: nn.Module) -> None:
    devices = set()
    for path, owner in module.named_modules():
        kind = f"module {path!r} ({type(owner).__name__})" if path else f"the model ({type(owner).__name__})"
        if ".quantized" in type(owner).__module__ or hasattr(owner, "_packed_params"):
            raise _quantised(kind)
        tensors = {**owner._parameters, **{name: one for name, one in owner._buffers.items() if name == "qweight"}}
        for name, tensor in tensors.items():
            full = f"{path}.{name}" if path else name
            if tensor is None:
                continue
            if isinstance(tensor, UninitializedParameter):
                raise InvalidGraphError(f"{full!r} has no shape yet: run the lazy module once on an input first")
            if tensor.is_complex():
                raise InvalidGraphError(f"{full!r} of {kind} holds complex numbers; edges need real weights")
            if tensor.is_quantized or not tensor.is_floating_point() or tensor.element_size() < 2:
                raise _quantised(kind)
            devices.add(tensor.device)
    if len(devices) > 1:
        places = ", ".join(sorted(map(str, devices)))
        raise InvalidGraphError(f"the model lies on several devices ({places}): move it to one first")


def _quantised(kind: str) -> InvalidGraphError:
    return InvalidGraphError(
        f"{kind} has quantised weights, which are no numbers by themselves: load the model in float16, bfloat16 or "
        "float32, or dequantise it first"
    )
