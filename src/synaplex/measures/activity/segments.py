"""Which input features of which step a recurrent layer draws its strength from."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.measures.activity.passes import Inputs, choose, run, take
from synaplex.measures.activity.watch import Listener, watching


def segment_strength(
    module: nn.Module,
    inputs: Inputs,
    *,
    layer: str | None = None,
    signed: bool = True,
    sample: int | None = None,
    seed: int = 0,
    batch_size: int = 128,
) -> Float[Tensor, "steps features"]:
    """The strength that each input feature brings to a recurrent layer at each step, averaged over inputs.

    Of the Neurons Strength zeta_k(t) = sum_j x_j(t) w_jk + (what comes from the state before and the bias), feature j
    brings x_j(t) w_jk to neuron k. Summed over the neurons and averaged over the sample x ~ X,

        signed:    <x_j(t)> sum_k w_jk        otherwise:    <|x_j(t)|> sum_k |w_jk|

    Over a network that reads images row by row it is an image: a heat map of where the input elicits the layer.
    La Malfa et al. (2024, fig. 3) show such a map without a formula; the map of neurons by steps is
    ``Activity.moments``.

    Parameters
    ----------
    module, inputs, sample, seed, batch_size
        As in `synaplex.measures.activity`.
    layer
        Name of the recurrent module: one of PyTorch, one of its cells, or a module with a parameter ``weight_ih`` that
        is called with the input of a step. By default the first in the module. Of several stacked layers the first is
        read, of two directions the forward one; of gated modules all gates together.
    signed
        Whether contributions of opposite signs cancel.

    Returns
    -------
    Tensor
        ``(steps, features)``, float64.

    Raises
    ------
    SpecificationError
        If there is no such module, or it was not called with a batch.

    Notes
    -----
    Cost: one pass over the sample.
    """
    recurrent = {
        name: one for name, one in module.named_modules() if isinstance(one, nn.RNNBase) or hasattr(one, "weight_ih")
    }
    if not recurrent or (layer is not None and layer not in recurrent):
        asked = f"a recurrent module {layer!r}" if layer is not None else "a recurrent module"
        raise SpecificationError(f"there is no {asked}; there are: {', '.join(recurrent) or 'none'}")
    chosen = recurrent[layer if layer is not None else next(iter(recurrent))]
    sums: dict[int, Tensor] = {}
    counts: dict[int, int] = {}
    calls = 0

    def hook(one: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        nonlocal calls
        x = args[0] if args else kwargs.get("input")
        if not isinstance(x, Tensor) or x.ndim != (3 if isinstance(one, nn.RNNBase) else 2):
            raise SpecificationError(f"{type(one).__name__} was not called with a batch of inputs")
        steps = x[None] if x.ndim == 2 else x
        if isinstance(one, nn.RNNBase) and one.batch_first:
            steps = steps.transpose(0, 1)
        for part in steps.double() if signed else steps.double().abs():
            sums[calls] = sums.get(calls, 0) + part.sum(0)
            counts[calls] = counts.get(calls, 0) + len(part)
            calls += 1

    rows, _ = choose(inputs, sample, seed)
    device = next(module.parameters()).device
    handle = chosen.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        with watching(module, (), Listener()) as restart:
            for some in torch.split(rows, batch_size):
                calls = 0
                run(module, take(inputs, some, device), restart)
    finally:
        handle.remove()
    parameter = chosen.weight_ih_l0 if isinstance(chosen, nn.RNNBase) else chosen.weight_ih
    assert isinstance(parameter, Tensor)
    weight = parameter.detach().double()
    reach = (weight if signed else weight.abs()).sum(0)
    if not sums:
        raise SpecificationError(f"{type(chosen).__name__} was not called")
    means = torch.stack([sums[step] / counts[step] for step in sorted(sums)])
    return means * reach
