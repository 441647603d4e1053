"""Finding: a claim that was tested, and what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synaplex.report.page import Verdict


@dataclass(frozen=True)
class Finding:
    """A claim, what became of it, and why.

    Attributes
    ----------
    topic
        The part of the report it belongs to.
    statement
        The claim, so that it can be false.
    verdict
        ``"holds"``, ``"fails"`` or ``"undecided"``.
    evidence
        The numbers, with those of null models and baseline.
    """

    topic: str
    statement: str
    verdict: Verdict
    evidence: str


def decide(holds: bool, fails: bool) -> Verdict:
    """The verdict of a test that can come out undecided."""
    return "holds" if holds else "fails" if fails else "undecided"


def signed(value: float) -> str:
    """A number with its sign and two decimals."""
    return minus(f"{value:+.2f}")


def minus(text: str) -> str:
    """The text with real minus signs; hyphens, as in CIFAR-10, stay."""
    return re.sub(r"(?<!\w)-(?=[\d.])", "−", text)
