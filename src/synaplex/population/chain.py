"""Many multilayer perceptrons of one architecture, run forward and backward as one, without autograd.

All networks see the same batch, so the first layer of K networks is a single product with their stacked
matrices; the later layers are batched products. Activations are kept feature by sample, ``(networks, neurons,
samples)``, so that every operand of every product is contiguous, or the transpose of something contiguous.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.networks import Activation
from synaplex.population.optimizers import BiasGradient, UpdateRule, WeightGradient

_APPLY: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu_,
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
    "linear": lambda x: x,
}

_aten = torch.ops.aten
# delta times the derivative, read off the activation's output; in place on delta.
_DIFFERENTIATE: dict[Activation, Callable[[Tensor, Tensor], Tensor]] = {
    "relu": lambda delta, out: _aten.threshold_backward.grad_input(delta, out, 0, grad_input=delta),
    "tanh": lambda delta, out: _aten.tanh_backward.grad_input(delta, out, grad_input=delta),
    "sigmoid": lambda delta, out: _aten.sigmoid_backward.grad_input(delta, out, grad_input=delta),
    "linear": lambda delta, out: delta,
}


@dataclass(frozen=True, eq=False)
class DenseChain:
    """The parameters of K multilayer perceptrons of one architecture.

    Attributes
    ----------
    weights
        One tensor a link, changed in place by `step`.
    biases
        One tensor a link, or none at all.
    activation
        Of the hidden layers.
    """

    weights: tuple[Float[Tensor, "networks _out _in"], ...]
    biases: tuple[Float[Tensor, "networks _out 1"], ...]
    activation: Activation
    # Results of products, by what they are and the samples in the batch: written anew in every step, in the same place.
    _places: dict[tuple[str, int, int], Tensor] = field(default_factory=dict, init=False, repr=False)

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """Weights, then biases."""
        return self.weights + self.biases

    def forward(self, x: Float[Tensor, "samples features"]) -> list[Float[Tensor, "networks _ samples"]]:
        """The output of each layer after the input; of the last one before any softmax.

        They stay as they are until the next batch of as many samples.
        """
        layers: list[Tensor] = []
        for link, weight in enumerate(self.weights):
            out = self._place("forward", link, weight, weight.shape[1], len(x))
            if link == 0:
                torch.mm(weight.flatten(0, 1), x.T, out=out.flatten(0, 1))
                if self.biases:
                    out.add_(self.biases[0])
            elif self.biases:
                torch.baddbmm(self.biases[link], weight, layers[-1], out=out)
            else:
                torch.bmm(weight, layers[-1], out=out)
            layers.append(out if link == len(self.weights) - 1 else _APPLY[self.activation](out))
        return layers

    def step(
        self,
        x: Float[Tensor, "samples features"],
        layers: list[Float[Tensor, "networks _ samples"]],
        delta: Float[Tensor, "networks out samples"],
        rule: UpdateRule,
    ) -> None:
        """One step of training: propagate `delta` backward and update each link as it is passed.

        Parameters
        ----------
        x, layers
            A batch, and what `forward` made of it.
        delta
            Derivative of each sample's loss by the outputs.
        rule
            Changes the parameters.
        """
        for link in reversed(range(len(self.weights))):
            weight, inputs = self.weights[link], layers[link - 1] if link else x
            # Before the update: the error below a link depends on the weights that the batch went through.
            below = delta
            if link:
                below = self._place("backward", link, weight, weight.shape[2], delta.shape[2])
                torch.bmm(weight.mT, delta, out=below)
            rule.update(link, weight, WeightGradient(delta, inputs))
            if self.biases:
                rule.update(len(self.weights) + link, self.biases[link], BiasGradient(delta))
            if link:
                delta = _DIFFERENTIATE[self.activation](below, inputs)

    def _place(self, what: str, link: int, weight: Tensor, size: int, samples: int) -> Float[Tensor, "networks _ _"]:
        """Where the result of a product goes."""
        key = what, link, samples
        if key not in self._places:
            self._places[key] = weight.new_empty(len(weight), size, samples)
        return self._places[key]
