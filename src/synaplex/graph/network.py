"""NeuralGraph: a neural network as layers of neurons joined by links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import InvalidGraphError, SpecificationError, UnknownNameError
from synaplex.graph.adjacency import Adjacency
from synaplex.graph.coverage import Coverage, coverage_table
from synaplex.graph.edges import EdgeRule
from synaplex.graph.gap import Gap
from synaplex.graph.layer import Layer, Role
from synaplex.graph.link import Link
from synaplex.graph.matrix import as_matrix, link_from_matrix
from synaplex.graph.merge import merge_parallel, merge_undirected

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Neurons = Literal["all", "hidden"] | Tensor | Sequence[int]


@dataclass(frozen=True, eq=False, repr=False)
class NeuralGraph:
    """A network, or a batch of networks of one architecture, as layers of neurons joined by links.

    Weights are read as they are stored, without a copy; every sum is computed in float64.

    Attributes
    ----------
    layers
        In order; layer 0 is the input.
    links
        Each joins two layers by index.
    biases
        Bias of a layer's neurons, ``(*networks, neurons of the layer)``, by layer index. Biases are not
        edges.
    records
        What became of each parameter tensor of the model, read by `coverage`.
    first_network
        Number of the batch's first network, where this is a part of a larger batch; messages count from it.
    gaps
        Parts of the model that are no links, and the layers between which they lie.

    Raises
    ------
    InvalidGraphError
        Where links and layers do not fit, batch sizes differ, or weights are quantised or not finite; names them.
    """

    layers: tuple[Layer, ...]
    links: tuple[Link, ...]
    biases: Mapping[int, Float[Tensor, "*networks neurons"]]
    records: tuple[Coverage, ...] = ()
    first_network: int = 0
    gaps: tuple[Gap, ...] = ()
    _views: dict[tuple[str, bool], Adjacency] | None = None

    def __post_init__(self) -> None:
        if not self.layers:
            raise InvalidGraphError("a network needs at least one layer")
        for link in self.links:
            self._check_link(link)
        for layer, bias in self.biases.items():
            if bias.shape[-1] != self.layers[layer].size:
                raise InvalidGraphError(
                    f"bias of layer {layer} ({self.layers[layer].name!r}) has {bias.shape[-1]} values "
                    f"for {self.layers[layer].size} neurons"
                )
            _check_finite(bias, f"the bias of layer {self.layers[layer].name!r}")
        batches = {link.networks for link in self.links}
        if len(batches) > 1:
            raise InvalidGraphError(f"links hold different numbers of networks: {sorted(map(str, batches))}")

    def _check_link(self, link: Link) -> None:
        count = len(self.layers)
        if not (0 <= link.source < count and 0 <= link.target < count):
            raise InvalidGraphError(f"{link!r} joins layers {link.source} and {link.target}, but there are {count}")
        source, target = self.layers[link.source], self.layers[link.target]
        if (link.in_size, link.out_size) != (source.size, target.size):
            raise InvalidGraphError(
                f"{link!r} does not fit between layer {source.name!r} with {source.size} neurons "
                f"and layer {target.name!r} with {target.size}"
            )
        _check_finite(link.weights, f"the weights of {link!r}")

    @classmethod
    def from_weights(
        cls,
        weights: Sequence[Any],
        biases: Sequence[Any] | None = None,
        names: Sequence[str] | None = None,
    ) -> NeuralGraph:
        """A feed-forward network, a matrix of weights a link.

        Parameters
        ----------
        weights
            One matrix a link, ``(out, in)`` as torch stores it, or ``(networks, out, in)`` for a batch.
            Anything that `torch.as_tensor` takes; a sparse tensor or SciPy matrix gives a sparse link.
        biases
            One vector a link, ``(out,)`` or ``(networks, out)``, or None.
        names
            One parameter name a link.

        Returns
        -------
        NeuralGraph
            With layers ``input``, ``hidden 1``, ..., ``output``.

        Raises
        ------
        InvalidGraphError
            If the matrices do not chain, or hold NaN or infinite values.

        Examples
        --------
        >>> import torch
        >>> NeuralGraph.from_weights([torch.ones(3, 2), torch.ones(1, 3)])
        NeuralGraph(2-3-1: 6 neurons, 9 edges)
          0 input      (2,)
          1 hidden 1   (3,)   <- 0  DenseLink(2 -> 3 'layer 1')
          2 output     (1,)   <- 1  DenseLink(3 -> 1 'layer 2')
        """
        if not len(weights):
            raise InvalidGraphError("a network needs at least one weight matrix")
        labels = list(names) if names is not None else [f"layer {i}" for i in range(1, len(weights) + 1)]
        given = [None] * len(weights) if biases is None else list(biases)
        if not len(weights) == len(labels) == len(given):
            raise InvalidGraphError(f"{len(weights)} weight matrices, but {len(labels)} names and {len(given)} biases")
        matrices = [as_matrix(weight, label) for weight, label in zip(weights, labels, strict=True)]
        for label, matrix in zip(labels, matrices, strict=True):
            if matrix.ndim not in (2, 3) or not matrix.is_floating_point():
                raise InvalidGraphError(
                    f"the weights of {label!r} must be floating-point, (out, in) or (networks, out, in); "
                    f"got {matrix.dtype} of shape {tuple(matrix.shape)}"
                )
        for i, (before, after) in enumerate(pairwise(matrices)):
            if before.shape[-2] != after.shape[-1]:
                raise InvalidGraphError(
                    f"layers do not chain: {labels[i]!r} gives {before.shape[-2]} neurons, "
                    f"but {labels[i + 1]!r} expects {after.shape[-1]} "
                    f"(shapes {tuple(before.shape)} and {tuple(after.shape)}, (out, in) each)"
                )
        widths = [matrices[0].shape[-1], *(matrix.shape[-2] for matrix in matrices)]
        layers = tuple(Layer(*_position(i, len(widths), width)) for i, width in enumerate(widths))
        links = tuple(
            link_from_matrix(matrix, source=i, target=i + 1, name=label)
            for i, (label, matrix) in enumerate(zip(labels, matrices, strict=True))
        )
        vectors = {i: as_matrix(b, f"bias {i}") for i, b in enumerate(given, 1) if b is not None}
        return cls(layers, links, vectors)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of neurons of each layer."""
        return tuple(layer.size for layer in self.layers)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Global index of the first neuron of each layer, and the total at the end."""
        offsets = [0]
        for size in self.sizes:
            offsets.append(offsets[-1] + size)
        return tuple(offsets)

    @property
    def neurons(self) -> int:
        """Number of neurons of one network."""
        return sum(self.sizes)

    @property
    def networks(self) -> int | None:
        """Number of networks in the batch, or None for a single network."""
        return self.links[0].networks if self.links else None

    @property
    def device(self) -> torch.device:
        """Where the weights lie; the CPU where they have no values."""
        device = self.links[0].device if self.links else torch.device("cpu")
        return torch.device("cpu") if device.type == "meta" else device

    @property
    def hidden(self) -> tuple[int, ...]:
        """Indices of the hidden layers."""
        return tuple(i for i, layer in enumerate(self.layers) if layer.role == "hidden")

    def incomplete(self, reach: int | None = 1) -> tuple[int, ...]:
        """Indices of the layers whose neurons' measures need edges that are not known, because of a gap.

        Parameters
        ----------
        reach
            How far a measure of a neuron reads: 1 for its own edges, 2 for its neighbours' as well, None for all.
        """
        near = {layer for gap in self.gaps for layer in (*gap.sources, *gap.targets)}
        if not near or reach is None:
            return tuple(range(len(self.layers))) if near else ()
        for _ in range(reach - 1):
            ends = [(link.source, link.target) for link in self.links]
            near |= {b for pair in ends for a, b in (pair, pair[::-1]) if a in near}
        return tuple(sorted(near))

    def layer_slice(self, layer: int) -> slice:
        """Global indices of a layer's neurons."""
        return slice(self.offsets[layer], self.offsets[layer + 1])

    def select(self, neurons: Neurons = "all") -> Int[Tensor, " selected"]:
        """Global indices of ``"all"`` or the ``"hidden"`` neurons, or the given indices, checked."""
        if isinstance(neurons, str):
            if neurons == "all":
                return torch.arange(self.neurons, device=self.device)
            if neurons != "hidden":
                raise UnknownNameError("selection of neurons", neurons, ["all", "hidden"])
            if not self.hidden:
                raise InvalidGraphError(
                    f"this network ({'-'.join(map(str, self.sizes))}) has no hidden layer; "
                    "measure all its neurons instead (layers='all')"
                )
            return torch.cat([torch.arange(*self._bounds(i), device=self.device) for i in self.hidden])
        index = torch.as_tensor(neurons, device=self.device)
        if not index.numel():
            return index.long()
        if index.dtype == torch.bool and index.shape == (self.neurons,):
            return index.nonzero()[:, 0]
        if index.ndim != 1 or index.is_floating_point() or not 0 <= index.min() <= index.max() < self.neurons:
            raise SpecificationError(
                f"neurons must be 'all', 'hidden', a mask, or indices from 0 to {self.neurons - 1}"
            )
        return index.long()

    def pick(self, values: Float[Tensor, "*lead neurons"], neurons: Neurons = "all") -> Float[Tensor, "*lead selected"]:
        """The values of selected neurons, of one value for each neuron."""
        return values if isinstance(neurons, str) and neurons == "all" else values[..., self.select(neurons)]

    def _bounds(self, layer: int) -> tuple[int, int]:
        return self.offsets[layer], self.offsets[layer + 1]

    def directed(self, edges: str = "signed") -> tuple[Link, ...]:
        """The links in float64 under an edge rule, parallel ones summed, directions kept."""
        self._check_values()
        return tuple(link.to(torch.float64) for link in EdgeRule.parse(edges).apply(merge_parallel(self.links)))

    def undirected(self, edges: str = "signed", *, binary: bool = False) -> Adjacency:
        """The undirected graph that a measure reads.

        Parallel and antiparallel edges are summed first, then the edge rule is applied, then, with `binary`,
        each remaining edge gets weight 1.

        Parameters
        ----------
        edges
            ``"signed"``, ``"positive"``, ``"absolute"``, ``"top:SHARE"`` or ``"top:SHARE/layer"``; see
            `EdgeRule`.
        binary
            Whether every edge counts 1.
        """
        self._check_values()
        rule = EdgeRule.parse(edges)
        key = (str(rule), binary)
        if self._views is not None and key in self._views:
            return self._views[key]
        if binary:
            view = self.undirected(edges).indicator
        else:
            merged = merge_undirected(self.links)
            links = merged if rule.function is not None else rule.apply(merged, symmetric=True)
            view = Adjacency(self.sizes, links, self.networks, self.device, rule.function)
        if self._views is not None:
            self._views[key] = view
        return view

    @cached_property
    def without_values(self) -> str:
        """The first link whose weights have no values, as of a model on the meta device; empty where all have."""
        return next((repr(link) for link in self.links if link.device.type == "meta"), "")

    def _check_values(self) -> None:
        if self.without_values:
            raise InvalidGraphError(
                f"the weights of {self.without_values} are on the meta device and have no values to measure: load the "
                "weights into the model first; layers, links and coverage() can be read without them"
            )

    def memoized(self) -> NeuralGraph:
        """The same graph, which keeps its undirected views; weights must not change while it is in use."""
        return replace(self, _views={})

    def network(self, index: int) -> NeuralGraph:
        """One network of the batch."""
        if self.networks is None or not -self.networks <= index < self.networks:
            raise SpecificationError(
                f"network {index} asked of {'a single network' if self.networks is None else self.networks}"
            )
        index %= self.networks
        biases = {layer: bias[index] if bias.ndim == 2 else bias for layer, bias in self.biases.items()}
        return replace(self, links=tuple(link.network(index) for link in self.links), biases=biases, _views=None)

    def subset(self, start: int, stop: int) -> NeuralGraph:
        """Networks `start` to `stop` (exclusive) of the batch, as a batch."""
        if self.networks is None or not 0 <= start < stop <= self.networks:
            raise SpecificationError(f"networks {start} to {stop} asked of {self.networks or 'a single network'}")
        biases = {layer: bias[start:stop] if bias.ndim == 2 else bias for layer, bias in self.biases.items()}
        links = tuple(link.subset(start, stop) for link in self.links)
        first = self.first_network + start
        return replace(self, links=links, biases=biases, first_network=first, _views=None)

    def coverage(self) -> pl.DataFrame:
        """What became of every parameter tensor: a row a tensor; see `Coverage` for the columns."""
        if self.records:
            return coverage_table(self.records)
        links = [Coverage(link.name, tuple(link.weights.shape), "link", repr(link)) for link in self.links]
        biases = [
            Coverage(f"bias of {self.layers[i].name}", tuple(b.shape), "bias", "") for i, b in self.biases.items()
        ]
        return coverage_table([*links, *biases])

    def draw(self, *, max_neurons: int = 40, max_edges: int = 1500, edges: str = "signed") -> Figure:
        """Draw neurons by layer and edges by sign; see `synaplex.graph.drawing.draw`."""
        from synaplex.graph.drawing import draw

        return draw(self, max_neurons=max_neurons, max_edges=max_edges, edges=edges)

    def __repr__(self) -> str:
        widths = "-".join(map(str, self.sizes)) if len(self.layers) <= 8 else f"{len(self.layers)} layers"
        batch = "" if self.networks is None else f"{self.networks} networks of "
        held = "no values" if self.without_values else f"{sum(link.edge_count for link in self.links):,} edges"
        lines = [f"NeuralGraph({batch}{widths}: {self.neurons:,} neurons, {held})"]
        for i, layer in enumerate(self.layers):
            incoming = ", ".join(f"{link.source}  {link!r}" for link in self.links if link.target == i)
            shape = str(layer.shape)
            lines.append(f"  {i} {layer.name:<10} {shape:<6}{f' <- {incoming}' if incoming else ''}".rstrip())
        for gap in self.gaps:
            lines.append(f"  not understood: {gap.module} (layers {gap.sources} -> {gap.targets}): {gap.reason}")
        return "\n".join(lines)


def _position(index: int, count: int, width: int) -> tuple[str, tuple[int], Role]:
    if index == 0:
        return "input", (width,), "input"
    if index == count - 1:
        return "output", (width,), "output"
    return f"hidden {index}", (width,), "hidden"


def _check_finite(values: Tensor, what: str) -> None:
    if values.is_quantized or (values.is_floating_point() and values.dtype.itemsize < 2):
        raise InvalidGraphError(
            f"{what} are quantised ({str(values.dtype).removeprefix('torch.')}), which are no numbers by themselves: "
            "load the model in float16, bfloat16 or float32, or dequantise it first"
        )
    if values.is_meta or bool(torch.isfinite(values.sum())):  # one pass; a sum that only overflows is looked at again
        return
    finite = torch.isfinite(values)
    if not bool(finite.all()):
        raise InvalidGraphError(
            f"{what} hold {int((~finite).sum())} NaN or infinite values of {values.numel()}; "
            "a graph needs finite weights, so this model has probably diverged while training"
        )
