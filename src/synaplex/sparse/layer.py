"""The sparse layer: a linear map that stores its existing connections alone."""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from typing import Any, cast, no_type_check

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.sparse.operator import sparse_linear
from synaplex.sparse.pattern import Pattern, check_rows
from synaplex.sparse.products import product

_LISTS = ("row_start", "column")
SOURCES = "in_features"
"""What a state also holds: the number of neurons that feed the layer, which its connections do not tell."""


class SparseLinear(nn.Module):
    """A linear map y = W x + b of which only the existing connections are stored and computed.

    The drop-in for `torch.nn.Linear` where few of its weights exist. Weights, gradients and the optimiser's state have
    one number a connection; forward and backward pass cost one multiplication a connection and sample each.

    Parameters
    ----------
    in_features, out_features
        Number of source and target neurons.
    keys
        Which connections exist: ascending numbers ``row * in_features + column``, row being the target neuron. None
        for no connection yet (a state dict brings its own). `synaplex.sparse.topologies` draws them.
    bias
        Whether target neurons have a bias.

    Attributes
    ----------
    weight : Float[Tensor, " connections"]
        Of each connection, by target neuron and within it by source neuron.
    bias : Float[Tensor, " out"] or None
    row_start : Int[Tensor, " out1"]
        Where the connections of each target neuron begin.
    column : Int[Tensor, " connections"]
        Source neuron of each connection.

    Notes
    -----
    Inputs are converted to the precision of the weights, under autocast as well: like PyTorch's own operations that
    need full precision, the layer answers in it. Float16 and bfloat16 weights are summed in float32.

    The state dict holds ``weight``, ``bias``, ``row_start``, ``column`` and ``in_features``; one with other connections
    loads. Where their number differs, `weight` becomes another parameter: make the optimiser afterwards (an `Evolution`
    sees to it).

    Convolutions have no sparse form here.

    Examples
    --------
    >>> layer = SparseLinear(3, 2, torch.tensor([0, 2, 4]))
    >>> layer
    SparseLinear(in_features=3, out_features=2, bias=True, connections=3, density=0.5)
    >>> layer(torch.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    weight: nn.Parameter
    bias: nn.Parameter | None
    row_start: Tensor
    column: Tensor
    column_start: Tensor
    row: Tensor
    order: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        keys: Int[Tensor, " connections"] | None = None,
        *,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if in_features < 1 or out_features < 1:
            raise SpecificationError(f"a sparse layer joins neurons, not {in_features} to {out_features}")
        self.in_features, self.out_features = in_features, out_features
        given = torch.empty(0, dtype=torch.long, device=device) if keys is None else keys.to(device)
        if len(given) and not (int(given[0]) >= 0 and int(given[-1]) < in_features * out_features):
            raise SpecificationError(f"connections are numbered 0 to {in_features * out_features - 1} here")
        if bool((given.diff() <= 0).any()):
            raise SpecificationError("the numbers of connections must ascend, each given once: pass keys.unique()")
        for name in ("row_start", "column", "column_start", "row", "order"):
            self.register_buffer(name, torch.empty(0, dtype=torch.int32, device=device), persistent=name in _LISTS)
        self._set_pattern(Pattern.from_keys(given, self.shape))
        self.weight = nn.Parameter(torch.empty(len(given), device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype)) if bias else None
        self.reset_parameters(generator)

    @property
    def shape(self) -> tuple[int, int]:
        """``(out, in)``."""
        return self.out_features, self.in_features

    @property
    def connections(self) -> int:
        """How many connections exist."""
        return len(self.column)

    @property
    def density(self) -> float:
        """Share of all possible connections that exist."""
        return self.connections / (self.in_features * self.out_features)

    @property
    def pattern(self) -> Pattern:
        """Which connections exist."""
        return Pattern(self.row_start, self.column, self.column_start, self.row, self.order, self.shape)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights by Glorot's uniform rule for the full matrix, and set biases to 0.

        As in SET and CenSET: uniform within sqrt(6 / (in + out)). `generator` None makes one of seed 0.
        """
        self.reset_weight(generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def reset_weight(self, generator: torch.Generator | None = None) -> None:
        """Draw weights as `reset_parameters` does, and leave the bias as it is."""
        generator = generator or torch.Generator().manual_seed(0)
        limit = math.sqrt(6 / (self.in_features + self.out_features))
        drawn = torch.rand(self.connections, generator=generator, device=generator.device, dtype=torch.float64)
        with torch.no_grad():
            self.weight.copy_((2 * drawn - 1) * limit)

    @classmethod
    def from_dense(cls, linear: nn.Linear, keys: Int[Tensor, " connections"]) -> SparseLinear:
        """The given connections of a dense layer, with its weights and bias; what is not trained there is not here."""
        weight = linear.weight
        layer = cls(
            linear.in_features,
            linear.out_features,
            keys,
            bias=linear.bias is not None,
            device=weight.device,
            dtype=weight.dtype,
        )
        with torch.no_grad():
            layer.weight.copy_(weight.reshape(-1)[keys.to(weight.device)])
            if layer.bias is not None:
                layer.bias.copy_(linear.bias)
        layer.weight.requires_grad_(weight.requires_grad)
        if layer.bias is not None:
            layer.bias.requires_grad_(linear.bias.requires_grad)
        return layer.train(linear.training)

    def to_linear(self) -> nn.Linear:
        """The same map as a dense layer, with zeros where there is no connection; what is not trained stays so."""
        linear = nn.Linear(
            self.in_features,
            self.out_features,
            bias=self.bias is not None,
            device=self.weight.device,
            dtype=self.weight.dtype,
        )
        with torch.no_grad():
            linear.weight.copy_(self.to_dense())
            if self.bias is not None:
                linear.bias.copy_(self.bias)
        linear.weight.requires_grad_(self.weight.requires_grad)
        if self.bias is not None:
            linear.bias.requires_grad_(self.bias.requires_grad)
        return linear.train(self.training)

    def to_dense(self) -> Float[Tensor, "out in"]:
        """The matrix W; differentiable."""
        dense = self.weight.new_zeros(self.out_features * self.in_features)
        return dense.index_put((self.pattern.keys,), self.weight).reshape(self.shape)

    @no_type_check  # a checker's own code would stand in the way of the compiler
    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch target"]:
        if x.shape[-1] != self.in_features:
            raise SpecificationError(f"this layer is fed by {self.in_features} neurons, not by {x.shape[-1]}")
        x = x.to(self.weight.dtype)
        if torch.compiler.is_compiling():
            made = sparse_linear(
                x, self.weight, self.row_start, self.column, self.column_start, self.row, self.order, self.in_features
            )
            return made if self.bias is None else made + self.bias
        flat = product(self.pattern, self.weight, x.reshape(-1, self.in_features).T)
        if self.bias is not None:
            flat = flat.add_(self.bias[:, None])
        return flat.T.reshape(*x.shape[:-1], self.out_features)

    def set_connections(
        self, keys: Int[Tensor, " connections"], weight: Float[Tensor, " connections"]
    ) -> nn.Parameter | None:
        """Give the layer other connections.

        Parameters
        ----------
        keys
            Their ascending numbers, as for the class.
        weight
            Their weights.

        Returns
        -------
        Parameter or None
            The parameter that `weight` replaces where their number changed, for an optimiser to exchange. With the
            same number the parameter stays the same object.
        """
        self._set_pattern(Pattern.from_keys(keys, self.shape))
        if len(keys) == len(self.weight):
            with torch.no_grad():
                self.weight.copy_(weight)
            return None
        before = self.weight
        self.weight = nn.Parameter(weight.detach().to(before.dtype).clone(), requires_grad=before.requires_grad)
        return before

    def _set_pattern(self, pattern: Pattern) -> None:
        for name in ("row_start", "column", "column_start", "row", "order"):
            setattr(self, name, getattr(pattern, name))  # a computation that is under way keeps the old ones

    def _save_to_state_dict(self, destination: MutableMapping[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[f"{prefix}{SOURCES}"] = torch.tensor(self.in_features)

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, local_metadata: Any, strict: bool, *rest: Any
    ) -> None:
        """Take connections first, whatever their number; the weights then fit them."""
        told = state_dict.pop(f"{prefix}{SOURCES}", None)  # of a copy, by torch's own use of this function
        if told is not None and int(told) != self.in_features:
            name = prefix.removesuffix(".")
            raise SpecificationError(
                f"a state of {name!r} is of a layer fed by {int(told)} neurons, not {self.in_features}"
            )
        lists = [state_dict.get(f"{prefix}{name}") for name in _LISTS]
        weight = state_dict.get(f"{prefix}weight")
        if any(one is not None for one in lists):
            name = prefix.removesuffix(".")
            if not all(isinstance(one, Tensor) for one in (*lists, weight)):
                raise SpecificationError(f"a state of {name!r} brings weight, row_start and column together, or none")
            row_start, column = cast("list[Tensor]", lists)
            check_rows(row_start, column, self.shape, name)
            if cast("Tensor", weight).shape != column.shape:
                raise SpecificationError(f"the weights of {name!r} are not one for each of {len(column)} connections")
            device = self.column.device
            row_start, column = (one.to(device, torch.int32, copy=True) for one in (row_start, column))
            self._set_pattern(Pattern.of(row_start, column, self.shape))
            if self.weight.shape != column.shape:
                empty = self.weight.detach().new_empty(len(column))
                self.weight = nn.Parameter(empty, requires_grad=self.weight.requires_grad)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, *rest)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}, "
            f"connections={self.connections}, density={self.density:.4g}"
        )
