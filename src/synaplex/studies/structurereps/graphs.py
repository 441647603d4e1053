"""Trained networks as batches of graphs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from synaplex.graph import Layer, NeuralGraph
from synaplex.graph.conv import conv_link
from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.networks import CNN, MLP


def graph_of(network: MLP | CNN, parameters: Sequence[np.ndarray]) -> NeuralGraph:
    """Networks of one architecture as a batch of graphs.

    Parameters
    ----------
    network
        The architecture.
    parameters
        Weights and biases of each layer in turn, ``(networks, ...)``.
    """
    values = [torch.from_numpy(np.ascontiguousarray(value)) for value in parameters]
    weights, biases = values[::2], values[1::2]
    if isinstance(network, MLP):
        return NeuralGraph.from_weights(weights, biases)
    shapes: list[tuple[int, ...]] = [*network.images, *((width,) for width in network.dense)]
    names = ["input", *(f"hidden {i}" for i in range(1, len(shapes) - 1)), "output"]
    roles = ["input", *["hidden"] * (len(shapes) - 2), "output"]
    layers = [Layer(*one) for one in zip(names, shapes, roles, strict=True)]  # type: ignore[arg-type]
    links: list[Link] = []
    shifts: dict[int, Tensor] = {}
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        link: Link
        if index < len(network.strides):
            step = network.strides[index]
            link = conv_link(weight, shapes[index], stride=step, padding=network.padding, name=f"layer {index + 1}")
        else:
            link = DenseLink(source=0, target=0, weight=weight, name=f"layer {index + 1}")
        links.append(link.between(index, index + 1))
        shifts[index + 1] = bias.repeat_interleave(math.prod(shapes[index + 1][1:]), dim=1)
    return NeuralGraph(tuple(layers), tuple(links), shifts)
