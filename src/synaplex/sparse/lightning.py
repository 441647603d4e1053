"""Evolution as a callback of Lightning's Trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from synaplex.errors import SpecificationError, require
from synaplex.sparse.evolution import Evolution

if TYPE_CHECKING:
    _Callback = object
else:
    try:
        from lightning.pytorch.callbacks import Callback as _Callback
    except ImportError:
        _Callback = object


class EvolutionCallback(_Callback):
    """Lets the connections of a Lightning module's sparse layers evolve while a Trainer trains it.

    The evolution is made when training starts, with the module's one optimiser; its state is part of the Trainer's
    checkpoints. Sparse layers must be in place by then: call `sparsify` in the module's constructor.

    Parameters
    ----------
    accuracy
        Name of a logged metric that is told to the schedule ``"accset"``; None where no rule asks for it.
    **rules
        As for `Evolution`: ``drop=``, ``grow=``, ``schedule=``, ...

    Attributes
    ----------
    evolution : Evolution or None
        From the start of training on.

    Raises
    ------
    MissingExtraError
        If Lightning is not installed.
    """

    def __init__(self, *, accuracy: str | None = None, **rules: Any) -> None:
        require("lightning.pytorch", "lightning")
        self.accuracy, self.rules = accuracy, rules
        self.evolution: Evolution | None = None
        self._state: dict[str, Any] | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        if len(trainer.optimizers) != 1:
            raise SpecificationError(
                f"the connections evolve with one optimiser, and this module has {len(trainer.optimizers)}"
            )
        wrapped = trainer.strategy.model  # what is wrapped for distributed training refuses what it cannot follow
        model = wrapped if isinstance(wrapped, nn.parallel.DistributedDataParallel) else pl_module
        self.evolution = Evolution(model, trainer.optimizers[0], **self.rules)
        self.evolution.waits_for_epochs = False  # Lightning ends each of them
        if self._state is not None:
            self.evolution.load_state_dict(self._state)
            self._state = None

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.evolution is not None and trainer.global_step > self.evolution.steps:
            self.evolution.step()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if self.evolution is None or self.evolution.steps_per_epoch:
            return
        found = trainer.callback_metrics.get(self.accuracy) if self.accuracy else None
        self.evolution.epoch(accuracy=None if found is None else float(found))

    def state_dict(self) -> dict[str, Any]:
        return self.evolution.state_dict() if self.evolution is not None else dict(self._state or {})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._state = dict(state_dict) or None
