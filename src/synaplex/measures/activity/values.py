"""Neurons Strength and Neurons Activation of one layer, value by value."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from synaplex.measures.activity.collect import activity
from synaplex.measures.activity.passes import Inputs
from synaplex.measures.activity.result import Activity


def neurons_strength(
    module: nn.Module, inputs: Inputs, layer: str, *, sample: int | None = None, seed: int = 0, batch_size: int = 128
) -> Float[Tensor, "observations steps neurons"]:
    """Neurons Strength: what each neuron of a layer receives, sum_i z_i w_ik + b_k, for each input.

    Parameters
    ----------
    module, inputs, sample, seed, batch_size
        As in `activity`.
    layer
        Name of a module, or of a part of a recurrent one.

    Returns
    -------
    Tensor
        ``(samples, 1, neurons)``, of a recurrent layer ``(samples, steps, neurons)``; of a dense layer over tokens the
        tokens of each sample follow one another. Float32.

    Raises
    ------
    UndefinedMeasureError, UnknownNameError, SpecificationError
        As `activity` does; also where the values would take more than 256 MB.

    Notes
    -----
    Source: La Malfa et al. 2024, eq. 5 (dense), 7 (convolutional) and 9 (recurrent).

    Examples
    --------
    >>> import torch
    >>> neurons_strength(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), torch.zeros(5, 2), "0").shape
    torch.Size([5, 1, 3])
    """
    return _kept(module, inputs, layer, sample, seed, batch_size).values(layer, "strength")


def neurons_activation(
    module: nn.Module, inputs: Inputs, layer: str, *, sample: int | None = None, seed: int = 0, batch_size: int = 128
) -> Float[Tensor, "observations steps neurons"]:
    """Neurons Activation: what each neuron of a layer sends, f(sum_i z_i w_ik + b_k), for each input.

    Parameters, returns and errors as in `neurons_strength`. Source: La Malfa et al. 2024, eq. 6.
    """
    return _kept(module, inputs, layer, sample, seed, batch_size).values(layer, "activation")


def _kept(module: nn.Module, inputs: Inputs, layer: str, sample: int | None, seed: int, batch_size: int) -> Activity:
    # A part of a recurrent module is named after it; the module itself is what is watched.
    modules = dict(module.named_modules())
    owner = layer
    while owner not in modules and "." in owner:
        owner = owner.rpartition(".")[0]
    return activity(
        module,
        inputs,
        sample=sample,
        seed=seed,
        batch_size=batch_size,
        layers=[owner],
        dimension=False,
        keep_values=True,
    )
