"""From a dense model to a sparse one, in place, and back."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import TypeVar

import torch
from jaxtyping import Int
from torch import Tensor, nn

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.topologies import DENSITIES, random_keys

M = TypeVar("M", bound=nn.Module)

EPSILON = 20.0
"""Of the Erdos-Renyi topology where none is given: that of the papers."""

_MOST_NAMED = 5
"""Layers that an error names."""


class DenseLayerWarning(UserWarning):
    """A layer was left dense, because it would have more connections than a full matrix has."""


def sparsify(
    model: M,
    epsilon: int | float | None = None,
    *,
    topology: str | None = None,
    density: int | float | None = None,
    skip: Sequence[str | nn.Module] | None = None,
    init: str = "fresh",
    seed: int = 0,
) -> M:
    """Make the linear layers of a model sparse, in place.

    Every `torch.nn.Linear` becomes a `SparseLinear` with a random topology, which an `Evolution` then changes while the
    model trains. Convolutions, recurrent layers and the projections inside attention modules are left as they are.

    Parameters
    ----------
    model
        Any module.
    epsilon
        Of the Erdos-Renyi topology: a connection exists with probability epsilon (n_in + n_out) / (n_in n_out). 20 by
        default, as in the papers; with a density, there is none.
    topology
        ``"erdos-renyi"``; or ``"erk"``, the same proportions between layers for a given density over all; or
        ``"uniform"``, one density for all layers. By default the first, or ``"uniform"`` where a density is given.
    density
        For the last two: the share of connections that exist, 1 for a dense start.
    skip
        Layers to leave dense, by name or as modules. By default the last linear layer, as in the papers; ``[]``
        for none.
    init
        ``"fresh"`` draws connections and their weights (Glorot's uniform rule for the full matrix; biases are kept).
        ``"magnitude"`` keeps the largest weights of each layer, as many as the topology has on average.
    seed
        Of connections and weights: the same seed gives the same network.

    Returns
    -------
    Module
        The same model.

    Raises
    ------
    SpecificationError
        If the model has no linear layer to make sparse, `skip` names none, epsilon or density is out of its range, both
        are given, or a layer shares its weights with another module. The model is then left as it was.

    Warns
    -----
    DenseLayerWarning
        If epsilon asks for more connections than a layer can have; that layer is left dense. Where it does so of every
        layer, the model stays as it is, and the warning names the epsilon below which it does not.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    >>> sparsify(model, epsilon=20)[0].density < 0.11
    True
    """
    if not isinstance(model, nn.Module):
        raise SpecificationError(f"a {type(model).__name__} cannot be made sparse to train: pass the torch.nn.Module")
    if init not in ("fresh", "magnitude"):
        raise UnknownNameError("init", init, ("fresh", "magnitude"))
    names = {name: one for name, one in model.named_modules() if type(one) is nn.Linear}
    chosen = _without(names, model, skip)
    shapes = [(one.out_features, one.in_features) for one in chosen.values()]
    shares = densities(shapes, epsilon, topology, density)
    _check_own_weights(model, chosen)
    generator = torch.Generator().manual_seed(seed)
    made: dict[nn.Linear, SparseLinear] = {}
    dense = {name for name, share in zip(chosen, shares, strict=True) if share >= 1 and density != 1}
    if len(dense) == len(chosen):
        warnings.warn(_none_sparse(chosen, epsilon, density), DenseLayerWarning, stacklevel=2)
        return model
    for (name, linear), share in zip(chosen.items(), shares, strict=True):
        if name in dense:
            lower = f"epsilon below {_largest_epsilon(linear):.4g}" if density is None else "a lower density"
            warnings.warn(
                f"layer {name!r} ({linear.in_features} to {linear.out_features}) would have more connections than a "
                f"full matrix and is left dense: {lower} makes it sparse",
                DenseLayerWarning,
                stacklevel=2,
            )
            continue
        if init == "magnitude":
            made[linear] = SparseLinear.from_dense(linear, _largest(linear, share))
        else:
            shape = (linear.out_features, linear.in_features)
            sparse = SparseLinear.from_dense(linear, random_keys(shape, share, generator))
            sparse.reset_weight(generator)
            made[linear] = sparse
    for parent in list(model.modules()):
        for child, module in list(parent._modules.items()):  # all names, also of a layer that has several
            if isinstance(module, nn.Linear) and module in made:
                setattr(parent, child, made[module])
        if isinstance(parent, nn.TransformerEncoderLayer):
            parent.activation_relu_or_gelu = 0  # its fused path reads full matrices
    return model


def to_dense(model: M) -> M:
    """A copy of a model with full matrices in the place of sparse layers, for export; a missing connection is a 0.

    Raises
    ------
    SpecificationError
        If the model is itself one sparse layer: its `to_linear` does this.
    """
    if isinstance(model, SparseLinear):
        raise SpecificationError("the model is one sparse layer: call its to_linear()")
    # Given to deepcopy as copies that are made already, so that no sparse layer is copied for nothing.
    made = {id(one): one.to_linear() for one in model.modules() if isinstance(one, SparseLinear)}
    return copy.deepcopy(model, dict(made))


def _without(
    names: dict[str, nn.Linear], model: nn.Module, skip: Sequence[str | nn.Module] | None
) -> dict[str, nn.Linear]:
    """The linear layers that are not to be left dense."""
    kind = type(model).__name__
    if not names:
        raise SpecificationError(f"{kind} has no linear layer (torch.nn.Linear) that could be made sparse")
    if "" in names:
        raise SpecificationError("the model is one linear layer: put it in a torch.nn.Sequential to make it sparse")
    if skip is None:
        left = {list(names)[-1]}
    else:
        left = set()
        for one in [skip] if isinstance(skip, str | nn.Module) else skip:
            found = [name for name, module in names.items() if name == one or module is one]
            if not found:
                raise UnknownNameError("linear layer", one if isinstance(one, str) else type(one).__name__, names)
            left.update(found)
    chosen = {name: one for name, one in names.items() if name not in left}
    if not chosen:
        raise SpecificationError(
            f"all linear layers of {kind} ({', '.join(names)}) are skipped, so that none is left to make sparse"
            + ("; the last one is by default: pass skip=[]" if skip is None else "")
        )
    return chosen


def densities(
    shapes: list[tuple[int, int]], epsilon: int | float | None, topology: str | None, density: int | float | None
) -> list[float]:
    """The density of each layer by what `sparsify` is told; raises what it raises of them."""
    if epsilon is not None and density is not None:
        raise SpecificationError(f"epsilon={epsilon} and density={density} both say how dense: give one of them")
    topology = topology or ("erdos-renyi" if density is None else "uniform")
    if topology not in DENSITIES:
        raise UnknownNameError("topology", topology, DENSITIES)
    if (topology == "erdos-renyi") == (density is not None):
        takes = "epsilon, not a density" if density is not None else "density=, not epsilon"
        raise SpecificationError(f"the topology {topology!r} takes {takes}")
    if density is None:
        return DENSITIES[topology](shapes, EPSILON if epsilon is None else epsilon)
    return DENSITIES[topology](shapes, density)


def _none_sparse(chosen: dict[str, nn.Linear], epsilon: int | float | None, density: int | float | None) -> str:
    """Why all layers would stay dense, and what makes them sparse."""
    named = [f"{name!r} ({one.in_features} to {one.out_features})" for name, one in chosen.items()]
    layers = ", ".join(named[:_MOST_NAMED]) + (", ..." if len(named) > _MOST_NAMED else "")
    if density is not None:
        return f"density={density} leaves every layer dense: {layers}. Pass a lower one"
    bounds = sorted(_largest_epsilon(one) for one in chosen.values())
    below = f"below {bounds[0]:.4g}" + (f" (below {bounds[-1]:.4g} for one of them)" if len(bounds) > 1 else "")
    asked = EPSILON if epsilon is None else epsilon
    return (
        f"epsilon={asked:g} asks for more connections than full matrices have, so that every layer is left dense: "
        f"{layers}. Pass an epsilon {below}"
    )


def _largest_epsilon(linear: nn.Linear) -> float:
    return linear.in_features * linear.out_features / (linear.in_features + linear.out_features)


def _largest(linear: nn.Linear, share: int | float) -> Int[Tensor, " connections"]:
    """The places of a layer's largest weights."""
    size = linear.weight.detach().abs().reshape(-1)
    return size.topk(round(share * size.numel()), sorted=False).indices.sort().values


def _check_own_weights(model: nn.Module, chosen: dict[str, nn.Linear]) -> None:
    for name, linear in chosen.items():
        for path, owner in model.named_modules():
            if owner is not linear and any(one is linear.weight for one in owner._parameters.values()):
                raise SpecificationError(f"layer {name!r} shares its weights with {path!r}: leave it dense by skip=")
