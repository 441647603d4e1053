"""The loop of sparse evolutionary training: drop connections, grow others, carry the rest along."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from typing import Any

import polars as pl
import torch
from torch import Tensor, nn

from synaplex.errors import SpecificationError, TrainingError
from synaplex.sparse import distributed
from synaplex.sparse.drop import Drop
from synaplex.sparse.drop_neurons import DropNeurons
from synaplex.sparse.explored import Explored
from synaplex.sparse.grow import Grow
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.log import Entry, table
from synaplex.sparse.observing import Observer
from synaplex.sparse.rewiring import Rewiring, exchange
from synaplex.sparse.rules import drop_rule, grow_rule
from synaplex.sparse.rules import schedule as schedule_rule
from synaplex.sparse.schedule import Moment, Schedule
from synaplex.sparse.structure import Structure
from synaplex.sparse.values import Values, values_rule
from synaplex.sparse.view import View

PATIENCE = 10_000
"""Steps without the end of an epoch after which a schedule that counts epochs is taken to wait in vain."""


class Evolution:
    """Connections that evolve while a model trains, by three exchangeable rules.

    In each round, the drop rule chooses connections of every sparse layer, the grow rule as many absent ones, and the
    schedule says when, and whether less may grow. Their weights, and the optimiser's state of each, stay with the
    connections that stay.

    Parameters
    ----------
    model
        A model with sparse layers, such as `sparsify` makes.
    optimizer
        The one that trains it: any that keeps one number a weight (SGD, Adam, AdamW, RMSprop, Adagrad, ...). None
        where only the topology matters; growth by gradients then needs every call of `step`, to know which batches
        belong together.
    drop
        ``"set:0.3"`` (zeta), ``"magnitude:0.3"``, ``"random:0.3"``, ``"censet:2.6"`` (k), ``"lowest:katz:0.1"``
        (measure and share q), ``"while-not-rising:censet:2.6"``, or a `Drop`.
    grow
        ``"random"``, ``"gradient"``, ``"central"``, ``"away"``, ``"ch2-l3n"``, or a `Grow`.
    schedule
        ``"steps:100"``, or parts joined by ``+``: ``"epoch"``, ``"accset"``, ``"while-centrality-falls"``,
        ``"decay:200"``, ``"until:200"``, ``"thinning:0.1:50"``; or a `Schedule`.
    values
        Weights of grown connections: ``"zero"``, ``"normal:0.1"`` (standard deviation), ``"glorot"``. None for what
        the grow rule's source uses: random growth draws from N(0, 0.1^2), the others start at 0.
    steps_per_epoch
        Batches an epoch has; `step` then ends epochs by itself. None where you call `epoch`.
    example_input
        For rules by centrality, where the model's weights do not tell its input's shape; as for `synaplex.graph`.
    seed
        Of everything random in the rules.
    counts_may_change
        Whether layers may get another number of connections, as ``"accset"`` and ``"thinning"`` do. None for: unless
        training is distributed, since DistributedDataParallel cannot follow. True among several ranks says that no such
        wrapper is in use, or that you wrap the model anew after each round.

    Raises
    ------
    SpecificationError
        If the model has no sparse layer, model and optimiser are none or exchanged, the optimiser does not train the
        sparse layers, or a setting is out of its range.

    Examples
    --------
    >>> from synaplex.sparse import sparsify
    >>> model = sparsify(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), epsilon=5)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    >>> evolution = Evolution(model, optimizer, drop="set:0.3", schedule="steps:1")
    >>> before = model[0].connections
    >>> for _ in range(3):
    ...     model(torch.ones(2, 64)).sum().backward()
    ...     optimizer.step()
    ...     evolution.step()
    >>> model[0].connections == before, evolution.log["rounds"].to_list()
    (True, [1, 2, 3])
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer | None = None,
        *,
        drop: Drop | str = "set:0.3",
        grow: Grow | str = "random",
        schedule: Schedule | str = "steps:100",
        values: Values | str | None = None,
        steps_per_epoch: int | None = None,
        example_input: Any = None,
        seed: int = 0,
        counts_may_change: bool | None = None,
    ) -> None:
        _check_kinds(model, optimizer)
        self.model, self.optimizer = model, optimizer
        self.layers = sparse_layers(model)
        self._weights = {name: layer.weight for name, layer in self.layers.items()}
        if optimizer is not None:
            _check_trained(optimizer, self._weights)
        self.drop, self.grow, self.schedule = drop_rule(drop), grow_rule(grow), schedule_rule(schedule)
        self.values = values_rule(self.grow.values if values is None else values)
        self._rules = {"drop": self.drop.stated(), "grow": self.grow.stated(), "values": self.values.stated()}
        # Its numbers may be others: a training is made longer by "until" and its like.
        self._rules["schedule"] = " + ".join(type(part).__name__ for part in self.schedule.parts)
        if steps_per_epoch is not None and steps_per_epoch < 1:
            raise SpecificationError(f"steps_per_epoch={steps_per_epoch}: an epoch has at least 1 step")
        self.steps_per_epoch, self.counts_may_change = steps_per_epoch, counts_may_change
        # False where the caller is known to end epochs, however long they are: nothing is warned of then.
        self.waits_for_epochs = steps_per_epoch is None and any(part.counts_epochs for part in self.schedule.parts)
        self.steps, self.epochs, self.rounds = 0, 0, 0
        self._generator = torch.Generator().manual_seed(seed)
        self._structure = Structure(model, self.layers, example_input)
        self._observer = Observer(self.layers, optimizer) if self.grow.needs_gradients else None
        self._entries: list[Entry] = []
        self._explored = {name: Explored(one.in_features * one.out_features) for name, one in self.layers.items()}
        for name, layer in self.layers.items():
            self._explored[name].add(layer.pattern.keys)

    @property
    def log(self) -> pl.DataFrame:
        """A row a round, and a row an epoch without one; columns as `synaplex.sparse.log.Entry` describes them."""
        return table(self._entries)

    @property
    def connections(self) -> int:
        """Connections of all sparse layers."""
        return sum(layer.connections for layer in self.layers.values())

    def step(self) -> None:
        """Count a step of training, and evolve if the schedule says so; call it after ``optimizer.step()``.

        Raises
        ------
        TrainingError
            If weights are no longer numbers when a round is due, or the number of connections would change and may not.

        Warns
        -----
        UserWarning
            Once, if the schedule counts epochs, and none has ended in 10,000 steps.
        """
        self._follow()
        self.steps += 1
        self._at(self._moment(ends_epoch=False), loss=None)
        if self._observer is not None:
            self._observer.end_step()
        if self.waits_for_epochs and self.epochs == 0 and self.steps == PATIENCE:
            warnings.warn(
                f"{PATIENCE:,} steps, and no epoch has ended: the schedule counts epochs ({self._rules['schedule']}). "
                "Call evolution.epoch() at the end of each, or pass steps_per_epoch=",
                stacklevel=2,
            )
        if self.steps_per_epoch and self.steps % self.steps_per_epoch == 0:
            self._end_epoch(None, None)

    def epoch(self, *, accuracy: int | float | None = None, loss: int | float | None = None) -> None:
        """End an epoch, and evolve if the schedule says so.

        Parameters
        ----------
        accuracy, loss
            Of the epoch, kept in the log; the schedule ``"accset"`` needs the accuracy.

        Raises
        ------
        TrainingError
            If the loss or weights are no finite numbers, or the number of connections would change and may not.
        SpecificationError
            If ``steps_per_epoch`` ends epochs already.
        """
        if self.steps_per_epoch:
            raise SpecificationError("epochs end by steps_per_epoch here: leave it out to call epoch() yourself")
        self._follow()
        self._end_epoch(accuracy, loss)

    def _end_epoch(self, accuracy: float | None, loss: float | None) -> None:
        self.epochs += 1
        if loss is not None and not math.isfinite(loss):
            raise TrainingError(
                f"the loss of epoch {self.epochs} is not a number to go on from ({loss}): lower the learning rate"
            )
        self._at(self._moment(ends_epoch=True, accuracy=accuracy), loss)
        if self._observer is not None:
            self._observer.end_step()

    def _moment(self, *, ends_epoch: bool, accuracy: float | None = None) -> Moment:
        return Moment(self.steps, self.epochs, ends_epoch, accuracy, cache(self._mean_centrality))

    def _mean_centrality(self) -> float:
        view = self._view(1.0)
        return float(view.scores("laplacian_centrality")[view.evolving].mean())

    def _view(self, share: int | float) -> View:
        seen = self._observer
        return View(
            layers=self.layers,
            keys={name: layer.pattern.keys for name, layer in self.layers.items()},
            structure=self._structure,
            share=share,
            generator=self._generator,
            inputs=seen.inputs if seen else {},
            gradients=seen.gradients if seen else {},
        )

    def _at(self, moment: Moment, loss: float | None) -> None:
        if self.schedule.due(moment):
            self._round(moment, loss)
        elif moment.ends_epoch and not (self._entries and self._entries[-1].epoch == moment.epoch):
            self._entries.append(self._entry(moment, loss))
        if moment.ends_epoch:
            self.schedule.observe(replace(moment, centrality=self._mean_centrality))

    def _round(self, moment: Moment, loss: float | None) -> None:
        self._check_numbers(moment)
        share = self.schedule.share(moment)
        view = self._view(share)
        dropped = self.drop.choose(view) if share > 0 else {name: view.empty(name) for name in self.layers}
        chosen = int(self.drop.neurons(view).sum()) if isinstance(self.drop, DropNeurons) and share > 0 else None
        mean = self.drop.mean(view)
        made: dict[str, Rewiring] = {}
        for name, layer in self.layers.items():
            kept = view.keys[name][~dropped[name]]
            possible, gone = layer.in_features * layer.out_features, int(dropped[name].sum())
            count = min(self.schedule.grown(moment, len(kept), gone, possible), possible - len(kept))
            grown = self.grow.choose(view, name, kept, count)
            weights = self.values.draw(layer, len(grown), self._generator)
            made[name] = Rewiring.of(layer, view.keys[name], dropped[name], grown, weights.to(layer.weight.device))
        made = distributed.agreed(self.model, self.layers, made, self.counts_may_change)
        counts = {"dropped": 0, "grown": 0, "neurons_dropped": 0, "neurons_grown": 0}
        for name, layer in self.layers.items():
            _count(counts, layer, made[name])
            made[name].apply(layer, self.optimizer)
            self._weights[name] = layer.weight
            self._explored[name].add(made[name].keys)
        self.rounds += 1
        if self._observer is not None:
            self._observer.forget()
        if not moment.ends_epoch:
            self.schedule.observe(replace(moment, centrality=self._mean_centrality))
        self._entries.append(self._entry(moment, loss, neurons_chosen=chosen, mean_centrality=mean, **counts))

    def _entry(self, moment: Moment, loss: float | None, **found: Any) -> Entry:
        unset = {"dropped": 0, "grown": 0, "neurons_dropped": 0, "neurons_grown": 0}
        possible = sum(one.possible for one in self._explored.values())
        return Entry(
            **{"neurons_chosen": None, "mean_centrality": None, **unset, **found},
            epoch=moment.epoch,
            step=moment.step,
            rounds=self.rounds,
            connections=self.connections,
            neurons_without_inputs=sum(int((one.pattern.in_degree == 0).sum()) for one in self.layers.values()),
            explored=sum(one.count for one in self._explored.values()) / possible,
            flops=inference_flops(self.model),
            accuracy=moment.accuracy,
            loss=loss,
        )

    def _check_numbers(self, moment: Moment) -> None:
        for name, layer in self.layers.items():
            if not bool(layer.weight.detach().isfinite().all()):
                raise TrainingError(
                    f"weights of layer {name!r} are not finite numbers in epoch {moment.epoch}, step {moment.step}: "
                    "training diverged; lower the learning rate, or clip gradients"
                )

    def _follow(self) -> None:
        """Have the optimiser train the parameters that the layers have now: a state dict may have brought others."""
        for name, layer in self.layers.items():
            before = self._weights[name]
            if before is not layer.weight:
                if self.optimizer is not None:
                    exchange(self.optimizer, before, layer.weight)
                self._weights[name] = layer.weight

    def state_dict(self) -> dict[str, Any]:
        """What is needed, besides the states of model and optimiser, to go on as if nothing had happened.

        Returns
        -------
        dict
            Tensors and one text by name, so that safetensors can hold it; the connections are in the model's.
        """
        told = {
            "steps": self.steps,
            "epochs": self.epochs,
            "rounds": self.rounds,
            "rules": self._rules,
            "drop": self.drop.memory(),
            "schedule": self.schedule.memory(),
            "log": [asdict(entry) for entry in self._entries],
        }
        explored = {f"explored.{name}": one.state() for name, one in self._explored.items()}
        return {"told": json.dumps(told), "generator": self._generator.get_state(), **explored}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave, after model and optimiser have taken up theirs.

        Raises
        ------
        SpecificationError
            If it is of an evolution of other layers, or by other rules. Numbers in the schedule may differ.
        """
        wanted = {f"explored.{name}" for name in self.layers}
        if {name for name in state if name.startswith("explored.")} != wanted:
            raise SpecificationError("this state is of an evolution of other layers than those of the model")
        self._follow()
        told = json.loads(state["told"])
        before = told.get("rules", self._rules)  # states from before these were kept have none
        other = [
            f"{name}={before.get(name)}, not {now}" for name, now in self._rules.items() if before.get(name) != now
        ]
        if other:
            raise SpecificationError(f"this state is of other rules: {'; '.join(other)}. Pass those it was made with")
        try:
            self.drop.recall(told["drop"])
            self.schedule.recall(told["schedule"])
        except KeyError as error:
            raise SpecificationError(f"this state is of other rules: it lacks {error} of a rule that is set") from error
        self.steps, self.epochs, self.rounds = told["steps"], told["epochs"], told["rounds"]
        self._entries = [Entry(**entry) for entry in told["log"]]
        self._generator.set_state(state["generator"].cpu())
        for name, one in self._explored.items():
            one.restore(state[f"explored.{name}"])


def sparse_layers(model: nn.Module) -> dict[str, SparseLinear]:
    """The sparse layers of a model by name, those inside a wrapper by their own.

    Raises
    ------
    SpecificationError
        If there is none.
    """
    from synaplex.graph.tracing.examples import unwrapped

    layers = {name: one for name, one in unwrapped(model).named_modules() if isinstance(one, SparseLinear)}
    if not layers:
        raise SpecificationError(
            f"{type(model).__name__} has no sparse layer that could evolve: call synaplex.sparse.sparsify(model) "
            "first, with an epsilon or density that leaves layers sparse"
        )
    return layers


def inference_flops(model: nn.Module) -> int:
    """Floating-point operations of one sample's forward pass through all linear layers: two a connection."""
    dense = sum(one.weight.numel() for one in model.modules() if isinstance(one, nn.Linear))
    return 2 * (dense + sum(one.connections for one in model.modules() if isinstance(one, SparseLinear)))


def _check_kinds(model: object, optimizer: object) -> None:
    if isinstance(model, torch.optim.Optimizer):
        raise SpecificationError("the optimiser stands in the place of the model: the model comes first")
    if not isinstance(model, nn.Module):
        raise SpecificationError(f"connections evolve in a torch.nn.Module, not in a {type(model).__name__}")
    if optimizer is not None and not hasattr(optimizer, "param_groups"):
        raise SpecificationError(f"a {type(optimizer).__name__} is no optimiser: pass one of torch.optim, or None")


def _check_trained(optimizer: torch.optim.Optimizer, weights: Mapping[str, Tensor]) -> None:
    known = {id(one) for group in optimizer.param_groups for one in group["params"]}
    missing = [name for name, weight in weights.items() if weight.requires_grad and id(weight) not in known]
    if missing:
        raise SpecificationError(
            f"the optimiser does not train the sparse layer{'s' * (len(missing) > 1)} {', '.join(missing)}: "
            "make it after sparsify(model)"
        )


def _count(counts: dict[str, int], layer: SparseLinear, made: Rewiring) -> None:
    """Add what a rewiring does to the counts of a round."""
    before = layer.pattern.in_degree > 0
    grown = made.place < 0
    row = torch.div(made.keys, layer.in_features, rounding_mode="floor")
    between, after = torch.zeros_like(before), torch.zeros_like(before)
    between[row[~grown]] = True
    after[row] = True
    counts["grown"] += int(grown.sum())
    counts["dropped"] += layer.connections - int((~grown).sum())
    counts["neurons_dropped"] += int((before & ~between).sum())
    counts["neurons_grown"] += int((after & ~between).sum())
