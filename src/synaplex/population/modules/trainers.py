"""Training the networks of a chunk, step by step: dense ones as one batch, all others one after the other.

Measured on one core of a CPU, 16 networks and batches of 128 samples of 784 features, milliseconds a step:

    network                        as one batch, by hand    vmap over autograd    one after the other
    784-12-12-12-10                                 1.3                   4.2                    7.7
    784-105-105-105-10                               12                    19                     20
    two convolutions, 8 channels                      -                    59                     36
    two convolutions, 60 channels                     -                   842                    333
    recurrent, 64 neurons                             -                    41                     59
    recurrent, 256 neurons                            -                   377                    342

The convolutions of a batch of networks as one grouped convolution took 46 and 805. So dense networks, autoencoders
among them, are trained by `synaplex.population.chain`, and the others in a loop, which is the faster one for all but
small recurrent networks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from synaplex.networks import MLP, Autoencoder
from synaplex.population.chain import DenseChain
from synaplex.population.modules.objectives import objective
from synaplex.population.modules.specification import TrainingSpec
from synaplex.population.objectives import Score
from synaplex.population.optimizers import Gradient


class ModuleTrainer(ABC):
    """Networks of one specification, one a seed.

    Each is a function of the specification and its own seed. Beside which others it is trained may change the rounding
    of dense networks, whose matrices are multiplied together, and nothing else.

    Parameters
    ----------
    spec
        What to train.
    seeds
        One network each.
    device
        Where to train.
    """

    def __init__(self, spec: TrainingSpec, seeds: Sequence[int], device: torch.device | str) -> None:
        network = spec.network
        output = network.output_activation if isinstance(network, Autoencoder) else "linear"
        self.spec = spec
        self._seeds = tuple(seeds)
        self._device = torch.device(device)
        self._objective = objective(spec.objective, output)

    @abstractmethod
    def step(self, x: Float[Tensor, "samples features"], y: Tensor) -> Score:
        """One step of training on a batch; returns how the networks did just before it."""

    @abstractmethod
    def score(self, x: Float[Tensor, "samples features"], y: Tensor) -> Score:
        """How the networks do on a batch; without derivatives that mean anything."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Float[Tensor, "networks ..."]]:
        """The parameters of all networks, by their names in the module; copies."""

    def finite(self) -> Bool[Tensor, " networks"]:
        """Which networks have parameters that are all finite numbers."""
        sums = [value.flatten(1).sum(1, dtype=torch.float64) for value in self.parameters.values()]
        return torch.isfinite(torch.stack(sums)).all(0)

    def _built(self) -> list[nn.Module]:
        spec = self.spec
        networks = [spec.network.build(seed, spec.initializer, biases=spec.biases) for seed in self._seeds]
        return [network.to(self._device, spec.torch_dtype) for network in networks]


class DenseTrainer(ModuleTrainer):
    """Dense networks and autoencoders as one batch; see `ModuleTrainer`."""

    def __init__(self, spec: TrainingSpec, seeds: Sequence[int], device: torch.device | str) -> None:
        super().__init__(spec, seeds, device)
        assert isinstance(spec.network, MLP | Autoencoder)
        states = [dict(network.named_parameters()) for network in self._built()]
        if len(states) == 1:  # a batched product of one matrix rounds otherwise than one of several
            states *= 2
        stacked = {name: torch.stack([state[name].detach() for state in states]) for name in states[0]}
        self._weights = [name for name, value in stacked.items() if value.ndim == 3]
        self._biases = [name for name, value in stacked.items() if value.ndim == 2]
        self._chain = DenseChain(
            tuple(stacked[name] for name in self._weights),
            tuple(stacked[name].unsqueeze(2) for name in self._biases),
            spec.network.activation,
        )
        self._rule = spec.optimizer.rule(self._chain.parameters)

    def step(self, x: Float[Tensor, "samples features"], y: Tensor) -> Score:
        layers = self._chain.forward(x)
        score = self._objective(layers[-1], y)
        self._chain.step(x, layers, score.delta, self._rule)
        return self._cut(score)

    def score(self, x: Float[Tensor, "samples features"], y: Tensor) -> Score:
        return self._cut(self._objective(self._chain.forward(x)[-1], y))

    def _cut(self, score: Score) -> Score:
        """Without the copy of a network on its own."""
        networks = len(self._seeds)
        hits = None if score.hits is None else score.hits[:networks]
        return Score(score.loss[:networks], hits, score.delta[:networks])

    @property
    def parameters(self) -> Mapping[str, Float[Tensor, "networks ..."]]:
        networks = len(self._seeds)
        weights = dict(zip(self._weights, self._chain.weights, strict=True))
        biases = {name: bias[..., 0] for name, bias in zip(self._biases, self._chain.biases, strict=True)}
        order = sorted({**weights, **biases}, key=lambda name: (int(name.partition(".")[0]), name.endswith("bias")))
        return {name: {**weights, **biases}[name][:networks].clone() for name in order}


@dataclass(frozen=True)
class KnownGradient(Gradient):
    """A gradient that has been computed.

    Attributes
    ----------
    value
        Of the shape of its parameter.
    """

    value: Tensor

    def add_to(self, target: Tensor, beta: float, alpha: float) -> None:
        target.mul_(beta).add_(self.value, alpha=alpha)


class LoopTrainer(ModuleTrainer):
    """Networks of any architecture, one after the other, by autograd; see `ModuleTrainer`."""

    def __init__(self, spec: TrainingSpec, seeds: Sequence[int], device: torch.device | str) -> None:
        super().__init__(spec, seeds, device)
        self._modules = self._built()
        self._rules = [spec.optimizer.rule(tuple(module.parameters())) for module in self._modules]

    def step(self, x: Float[Tensor, "samples features"], y: Tensor) -> Score:
        inputs = self.spec.network.arrange(x)
        scores = []
        for module, rule in zip(self._modules, self._rules, strict=True):
            outputs = module(inputs)
            score = self._objective(outputs.detach().T[None], y)
            parameters = tuple(module.parameters())
            gradients = torch.autograd.grad(outputs, parameters, score.delta[0].T / len(x))
            with torch.no_grad():
                for index, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
                    rule.update(index, parameter, KnownGradient(gradient))
            scores.append(score)
        return _joined(scores)

    @torch.no_grad()
    def score(self, x: Float[Tensor, "samples features"], y: Tensor) -> Score:
        inputs = self.spec.network.arrange(x)
        return _joined([self._objective(module(inputs).T[None], y) for module in self._modules])

    @property
    def parameters(self) -> Mapping[str, Float[Tensor, "networks ..."]]:
        states = [dict(module.named_parameters()) for module in self._modules]
        return {name: torch.stack([state[name].detach() for state in states]) for name in states[0]}


def _joined(scores: Sequence[Score]) -> Score:
    hits = [score.hits for score in scores if score.hits is not None]
    return Score(
        torch.cat([score.loss for score in scores]),
        torch.cat(hits) if hits else None,
        torch.cat([score.delta for score in scores]),
    )


def trainer(spec: TrainingSpec, seeds: Sequence[int], device: torch.device | str = "cpu") -> ModuleTrainer:
    """The trainer that is fastest for an architecture."""
    kind = DenseTrainer if isinstance(spec.network, MLP | Autoencoder) else LoopTrainer
    return kind(spec, seeds, device)
