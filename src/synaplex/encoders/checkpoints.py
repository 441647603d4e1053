"""Files of weights as encoders read them: chains of dense layers, and of convolutions without sizes of images."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from synaplex.encoders.graph_set import FINGERPRINTED
from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import ConvLink, Layer, Link, NeuralGraph, load
from synaplex.graph.chain import (
    chain,
    left_out,
    listing,
    named_tensor,
    natural_order,
    several_orders,
    without_wrapper,
)
from synaplex.graph.checkpoints import read_safetensors, read_torch
from synaplex.graph.composed import composed
from synaplex.graph.coverage import Coverage
from synaplex.graph.load import file_kind
from synaplex.graph.matrix import link_from_matrix
from synaplex.graph.named import NamedTensor

Readers = dict[str, tuple[Callable[[Path], list[NamedTensor]], bool]]
_READERS: Readers = {"safetensors": (read_safetensors, False), "torch": (read_torch, True)}
"""By the kind of a file: its reader, and whether tensors come in the order of the layers."""

_LOADING = {
    "safetensors": "safetensors.torch.load_model(model, file)",
    "torch": "model.load_state_dict(torch.load(file, weights_only=True))",
}


def load_checkpoint(
    path: str | os.PathLike[str], *, layers: Sequence[str] | None = None, node_features: Sequence[str] = ()
) -> NeuralGraph:
    """The network of a file of weights, for an encoder.

    As `synaplex.load`, and besides a chain of convolutions with or without dense layers behind it. A file does not tell
    the sizes of images, strides, paddings or pooling; none of them changes nodes or edges of an encoder, for which a
    channel is a node and a kernel an edge (see `structure_graph`), so that the graph has sizes that stand for any: do
    not measure neurons on it. The footprint of a dense layer that reads n positions a channel is that of a square
    image, or of n positions in a row behind kernels of one axis.

    Parameters
    ----------
    path
        The file.
    layers
        Of `synaplex.load`, kernels included.
    node_features
        Of the encoder. For one that reads biases or gains, all vectors of the file have to be biases: what a
        normalisation does is not told in full.

    Raises
    ------
    UnreadableFileError, UnknownNameError
        As `synaplex.load`.
    SpecificationError
        If `layers` is one text.
    InvalidGraphError
        If the weights make no such chain, or more than one; says how to give the model itself.
    """
    path = Path(path)
    kind = file_kind(path)
    if kind not in _READERS:
        return load(path, layers=layers)
    read, ordered = _READERS[kind]
    tensors = composed(without_wrapper(read(path)))
    if isinstance(layers, str):
        raise SpecificationError(f"layers must be a list of names, not the text {layers!r}")
    chosen = _weights(tensors) if layers is None else [named_tensor(tensors, name) for name in layers]
    if any(_is_kernel(tensor) for tensor in chosen):
        graph = _channels(tensors, chosen, certain=ordered or layers is not None, strict=layers is None, path=path)
    else:
        graph = chain(tensors, layers=layers, ordered=ordered, origin=str(path))
    lost = [one for one in graph.records if one.outcome == "left out" and len(one.shape) == 1]
    if lost and layers is None and not set(FINGERPRINTED).isdisjoint(node_features):
        needed = " and ".join(name for name in FINGERPRINTED if name in node_features)
        vector = f"{lost[0].parameter} {lost[0].shape}"
        _refuse(path, f"the encoder reads the {needed} of nodes, and {vector} may change it, as a normalisation does")
    return graph


def _is_kernel(tensor: NamedTensor) -> bool:
    return len(tensor.shape) in (3, 4, 5) and tensor.floating and tensor.part == "weight" and not tensor.reason


def _weights(tensors: Sequence[NamedTensor]) -> list[NamedTensor]:
    """Kernels and matrices of weights, in the order of the file."""
    return [
        one for one in tensors if _is_kernel(one) or (len(one.shape) == 2 and one.floating and one.part == "weight")
    ]


def _refuse(path: Path, why: str) -> NoReturn:
    raise InvalidGraphError(
        f"{path} does not tell how it computes: {why}. Build the model in Python, load the file into it by "
        f"{_LOADING[file_kind(path)]}, and in the place of the file give the graph of the model, with an input of its "
        f"shape: embed({{{path.name!r}: sx.graph(model.eval(), torch.zeros(1, 3, 32, 32))}}, encoder), and likewise "
        "rank. To read only a chain of layers, pass layers=[names in order]"
    )


def _channels(
    tensors: Sequence[NamedTensor], chosen: Sequence[NamedTensor], *, certain: bool, strict: bool, path: Path
) -> NeuralGraph:
    """The chain of kernels, and of matrices behind them."""
    used = {one.name for one in chosen}
    others = [one for one in tensors if len(one.shape) >= 2 and one.floating and one.name not in used]
    if others and strict:
        _refuse(path, f"{listing(others, 4)} is neither a kernel nor a matrix of a layer")
    numbered = len({re.sub(r"\d+", "#", one.name) for one in chosen}) == 1
    if not certain:
        chosen = sorted(chosen, key=lambda one: (not numbered and not _is_kernel(one), natural_order(one.name)))
    kernels = [one for one in chosen if _is_kernel(one)]
    matrices = list(chosen[len(kernels) :])
    if unknown := [one for one in matrices if not one.sources_known]:
        _refuse(path, f"how many neurons feed the sparse layer {unknown[0].layer!r}")
    if any(_is_kernel(one) for one in matrices):
        _refuse(path, f"there are matrices before kernels: {listing(chosen)}")
    if len({len(one.shape) for one in kernels}) > 1 or len(kernels[0].shape) > 4:
        _refuse(path, f"kernels of one axis, or of two, are read, but these are {listing(kernels)}")
    biases = {one.layer: one for one in tensors if one.part == "bias"}
    _check_kernels(kernels, biases, path)
    sizes = _image(kernels, matrices, path)
    _check_matrices(matrices, path)
    if not certain and (
        several_orders([_flat(one) for one in kernels])
        or (matrices and several_orders(matrices))
        or (not numbered and matrices and _fit(matrices[-1].shape[0], kernels[0].shape[1], len(sizes)))
    ):
        _refuse(path, f"more than one order of its layers fits: {listing(chosen)}")
    if _transposed(kernels, matrices, biases):
        _refuse(path, f"these may be convolutions or transposed ones: {listing(kernels)}")
    return _build(tensors, kernels, matrices, biases, sizes)


def _check_kernels(kernels: Sequence[NamedTensor], biases: dict[str, NamedTensor], path: Path) -> None:
    for before, after in pairwise(kernels):
        if before.shape[0] != after.shape[1]:
            _refuse(
                path,
                f"{before.name} {before.shape} gives {before.shape[0]} channels and {after.name} {after.shape} reads "
                f"{after.shape[1]}, so that there are branches, groups or transposed convolutions",
            )
    for one in kernels:
        bias = biases.get(one.layer)
        if bias is not None and bias.shape != one.shape[:1]:
            _refuse(path, f"{bias.name} {bias.shape} does not fit a convolution with {one.name} {one.shape}")


def _check_matrices(matrices: Sequence[NamedTensor], path: Path) -> None:
    for before, after in pairwise(matrices):
        if before.shape[0] != after.shape[1]:
            _refuse(path, f"{before.name} {before.shape} and {after.name} {after.shape} do not chain")


def _image(kernels: Sequence[NamedTensor], matrices: Sequence[NamedTensor], path: Path) -> tuple[int, ...]:
    """Sizes of the image that the first matrix reads; 1 where there is none."""
    axes = len(kernels[0].shape) - 2
    if not matrices:
        return (1,) * axes
    last, first = kernels[-1], matrices[0]
    sizes = _fit(first.shape[1], last.shape[0], axes)
    if sizes is None:
        _refuse(
            path,
            f"{first.name} {first.shape} reads no square image of the {last.shape[0]} channels that {last.name} gives",
        )
    return sizes


def _fit(numbers: int, channels: int, axes: int) -> tuple[int, ...] | None:
    """Sizes of the image of so many numbers, a square one; None where there is none."""
    positions, rest = divmod(numbers, channels)
    side = positions if axes == 1 else math.isqrt(positions)
    return (side,) * axes if not rest and side and side**axes == positions else None


def _flat(kernel: NamedTensor) -> NamedTensor:
    """A kernel as the matrix of its channels."""
    return NamedTensor(kernel.name, kernel.shape[:2], kernel.read, kernel.layer, kernel.part)


def _transposed(
    kernels: Sequence[NamedTensor], matrices: Sequence[NamedTensor], biases: dict[str, NamedTensor]
) -> bool:
    """Whether the kernels would chain as those of transposed convolutions as well, which are (in, out, ...)."""
    return (
        all(before.shape[1] == after.shape[0] for before, after in pairwise(kernels))
        and all(one.layer not in biases or biases[one.layer].shape == one.shape[1:2] for one in kernels)
        and (not matrices or _fit(matrices[0].shape[1], kernels[-1].shape[1], len(kernels[0].shape) - 2) is not None)
    )


def _build(
    tensors: Sequence[NamedTensor],
    kernels: Sequence[NamedTensor],
    matrices: Sequence[NamedTensor],
    biases: dict[str, NamedTensor],
    sizes: tuple[int, ...],
) -> NeuralGraph:
    """The graph, every convolution with the padding that keeps the image as large as the first matrix reads it."""
    records = {part.name: left_out(one, part) for one in tensors for part in one.stored}
    shape = (kernels[0].shape[1], *sizes)
    layers = [Layer("input", shape, "input")]
    links: list[Link] = []
    shifts = {}
    chosen = [*kernels, *matrices]
    for i, one in enumerate(chosen):
        weight = one.read()
        if i < len(kernels):
            around = tuple(((k - 1) // 2, k // 2) for k in one.shape[2:])
            ones = (1,) * len(sizes)
            conv = ConvLink(
                source=i,
                target=i + 1,
                name=one.name,
                weight=weight,
                in_shape=shape,
                stride=ones,
                padding=around,
                dilation=ones,
            )
            links.append(conv)
            shape = (one.shape[0], *sizes)
        else:
            links.append(link_from_matrix(weight, source=i, target=i + 1, name=one.name))
            shape = one.shape[:1]
        layers.append(Layer(one.layer, shape, "output" if one is chosen[-1] else "hidden"))
        for part in one.stored:
            records[part.name] = Coverage(part.name, part.shape, "link", f"into layer {one.layer}")
        bias = biases.get(one.layer)
        if bias is not None and bias.shape == one.shape[:1]:
            for part in bias.stored:
                records[part.name] = Coverage(part.name, part.shape, "bias", f"of layer {one.layer}")
            shifts[i + 1] = bias.read().repeat_interleave(math.prod(shape[1:]))
    return NeuralGraph(tuple(layers), tuple(links), shifts, records=tuple(records.values()))
