"""Schedules: when a round of evolution takes place, how much it drops, and how much it may grow.

A schedule is one part, or several joined by ``+``: a round is due when all of them say so, shares are multiplied, and
of the numbers of connections to grow the smallest counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synaplex.errors import SpecificationError
from synaplex.sparse.rule import Rule


@dataclass(frozen=True)
class Moment:
    """Where training stands when a schedule is asked.

    Attributes
    ----------
    step, epoch
        Steps taken and epochs ended so far.
    ends_epoch
        Whether this is the end of an epoch, and not of another step.
    accuracy
        Of the epoch that ends; None where it was not told.
    centrality
        Mean Laplacian centrality of the evolving neurons, measured when called.
    """

    step: int
    epoch: int
    ends_epoch: bool
    accuracy: float | None
    centrality: Callable[[], float]


class Schedule(Rule):
    """One part of a schedule. Each says of what it is not about what changes nothing."""

    says_when = False
    """Whether it decides at which steps or epochs rounds take place."""

    counts_epochs = False
    """Whether what it does depends on the number of epochs that have ended."""

    def due(self, moment: Moment) -> bool:
        """Whether a round takes place."""
        return True

    def share(self, moment: Moment) -> float:
        """What the share to drop is multiplied by."""
        return 1.0

    def grown(self, moment: Moment, kept: int, dropped: int, possible: int) -> int:
        """How many connections of a layer may grow after `dropped` of them went and `kept` stayed."""
        return dropped

    def observe(self, moment: Moment) -> None:
        """Note where training stands, at the end of every round and epoch."""


class EveryEpoch(Schedule):
    """At the end of every n-th epoch."""

    name = "epoch"
    says_when = True
    counts_epochs = True

    def __init__(self, every: int = 1) -> None:
        self.every = _at_least_one("epochs between rounds", every)

    def due(self, moment: Moment) -> bool:
        return moment.ends_epoch and moment.epoch % self.every == 0


class EverySteps(Schedule):
    """After every n-th step."""

    name = "steps"
    says_when = True

    def __init__(self, every: int = 100) -> None:
        self.every = _at_least_one("steps between rounds", every)

    def due(self, moment: Moment) -> bool:
        return not moment.ends_epoch and moment.step % self.every == 0


class Never(Schedule):
    """No rounds at all: the static sparse network, which is the control of every rule."""

    name = "never"
    says_when = True

    def due(self, moment: Moment) -> bool:
        return False


class WhileAccuracyFalls(Schedule):
    """AccSET: dropped connections grow again only where accuracy is below that of the epoch before.

    While accuracy rises, the network so gets sparser. Source: Lapshyna 2020, as described by Heath 2021, section 2.
    """

    name = "accset"

    def __init__(self) -> None:
        self._before: float | None = None

    def grown(self, moment: Moment, kept: int, dropped: int, possible: int) -> int:
        if moment.accuracy is None:
            raise SpecificationError("the schedule 'accset' needs accuracies: call evolution.epoch(accuracy=...)")
        return dropped if self._before is not None and moment.accuracy < self._before else 0

    def observe(self, moment: Moment) -> None:
        if moment.ends_epoch and moment.accuracy is not None:
            self._before = moment.accuracy

    def memory(self) -> dict[str, Any]:
        return {"before": self._before}

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._before = memory["before"]


class WhileCentralityFalls(Schedule):
    """Dropped connections grow again only where mean Laplacian centrality is below that of the round before.

    Compared are the values before either round changes anything, so that what training and the drop in between did both
    count. Source: Heath 2021, section 9, which proposes it.
    """

    name = "while-centrality-falls"

    def __init__(self) -> None:
        self._before: float | None = None
        self._now: float | None = None

    def grown(self, moment: Moment, kept: int, dropped: int, possible: int) -> int:
        self._now = moment.centrality()
        return dropped if self._before is not None and self._now < self._before else 0

    def observe(self, moment: Moment) -> None:
        if self._now is not None:  # else the end of an epoch that no round belongs to
            self._before, self._now = self._now, None

    def memory(self) -> dict[str, Any]:
        return {"before": self._before}

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._before = memory["before"]


class Decay(Schedule):
    """Shares fall from their full value to 0 over a number of epochs, along half a cosine."""

    name = "decay"
    counts_epochs = True

    def __init__(self, epochs: int = 100) -> None:
        self.epochs = _at_least_one("epochs of decay", epochs)

    def share(self, moment: Moment) -> float:
        return 0.5 * (1 + math.cos(math.pi * min(moment.epoch / self.epochs, 1.0)))


class Until(Schedule):
    """No round at the end of the last epoch or after it: what grew then would never be trained."""

    name = "until"
    counts_epochs = True

    def __init__(self, epochs: int = 100) -> None:
        self.epochs = _at_least_one("epochs", epochs)

    def due(self, moment: Moment) -> bool:
        return moment.epoch < self.epochs


class Thinning(Schedule):
    """From a dense start to a sparse network: fewer connections grow than go, until a density is reached.

    The density falls from 1 to `density` within `epochs` epochs, fast at first: by the cube of the time that is left,
    or as fast as connections are dropped. Source of the curve: Zhu & Gupta 2017.
    """

    name = "thinning"
    counts_epochs = True

    def __init__(self, density: int | float = 0.1, epochs: int = 50) -> None:
        if not 0 < density < 1:
            raise SpecificationError(f"density={density} is no density to thin out to: it lies between 0 and 1")
        self.density, self.epochs = density, _at_least_one("epochs of thinning", epochs)

    def grown(self, moment: Moment, kept: int, dropped: int, possible: int) -> int:
        left = 1 - min(moment.epoch / self.epochs, 1.0)
        wanted = round(possible * (self.density + (1 - self.density) * left**3))
        return min(dropped, max(0, wanted - kept))


class Together(Schedule):
    """Several parts at once; where none says when, rounds take place at the end of every epoch."""

    name = "together"
    says_when = True

    def __init__(self, parts: Sequence[Schedule]) -> None:
        self.parts = list(parts)
        if not any(part.says_when for part in self.parts):
            self.parts.insert(0, EveryEpoch())

    def due(self, moment: Moment) -> bool:
        return all(part.due(moment) for part in self.parts)

    def share(self, moment: Moment) -> float:
        return math.prod(part.share(moment) for part in self.parts)

    def grown(self, moment: Moment, kept: int, dropped: int, possible: int) -> int:
        return min(part.grown(moment, kept, dropped, possible) for part in self.parts)

    def observe(self, moment: Moment) -> None:
        for part in self.parts:
            part.observe(moment)

    def memory(self) -> dict[str, Any]:
        return {str(i): part.memory() for i, part in enumerate(self.parts)}

    def recall(self, memory: Mapping[str, Any]) -> None:
        for i, part in enumerate(self.parts):
            part.recall(memory[str(i)])


def _at_least_one(what: str, value: Any) -> int:
    if not isinstance(value, int) or value < 1:
        raise SpecificationError(f"{value!r} {what}: it is a whole number of at least 1")
    return value
