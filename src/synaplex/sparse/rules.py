"""All rules by their names, as text and the command line give them."""

from __future__ import annotations

from synaplex.errors import SpecificationError
from synaplex.sparse.drop import Drop, Random, Smallest, SmallestBySign
from synaplex.sparse.drop_neurons import BelowThreshold, DropNeurons, LowestShare, WhileNotRising
from synaplex.sparse.grow import AwayFromCentral, Grow, RandomGrowth, TowardsCentral
from synaplex.sparse.grow_gradient import GradientGrowth
from synaplex.sparse.grow_hebb import CannistraciHebb
from synaplex.sparse.rule import from_text
from synaplex.sparse.schedule import (
    Decay,
    EveryEpoch,
    EverySteps,
    Never,
    Schedule,
    Thinning,
    Together,
    Until,
    WhileAccuracyFalls,
    WhileCentralityFalls,
)

DROP: dict[str, type[Drop]] = {
    rule.name: rule for rule in (SmallestBySign, Smallest, Random, BelowThreshold, LowestShare, WhileNotRising)
}
"""Drop rules by name."""

GROW: dict[str, type[Grow]] = {
    rule.name: rule for rule in (RandomGrowth, GradientGrowth, TowardsCentral, AwayFromCentral, CannistraciHebb)
}
"""Grow rules by name."""

SCHEDULES: dict[str, type[Schedule]] = {
    rule.name: rule
    for rule in (EveryEpoch, EverySteps, Never, WhileAccuracyFalls, WhileCentralityFalls, Decay, Until, Thinning)
}
"""Parts of schedules by name."""


def drop_rule(rule: Drop | str) -> Drop:
    """A drop rule, or its text: ``"set:0.3"``, ``"censet:2.6:censet"``, ``"while-not-rising:lowest:katz:0.1"``."""
    if isinstance(rule, Drop):
        return rule
    name, _, rest = rule.partition(":")
    if name.strip() == WhileNotRising.name:
        inner = drop_rule(rest) if rest else BelowThreshold()
        if not isinstance(inner, DropNeurons):
            raise SpecificationError(f"{name!r} goes with a rule by centrality, such as 'censet', not with {rest!r}")
        return WhileNotRising(inner)
    return from_text(rule, DROP, "drop rule")


def grow_rule(rule: Grow | str) -> Grow:
    """A grow rule, or its text: ``"random"``, ``"central:katz"``."""
    return rule if isinstance(rule, Grow) else from_text(rule, GROW, "grow rule")


def schedule(rule: Schedule | str) -> Together:
    """A schedule, or its text: ``"epoch"``, ``"steps:100"``, ``"epoch+decay:200+until:200"``."""
    if isinstance(rule, Together):
        return rule
    parts = [rule] if isinstance(rule, Schedule) else [from_text(one, SCHEDULES, "schedule") for one in rule.split("+")]
    return Together(parts)
