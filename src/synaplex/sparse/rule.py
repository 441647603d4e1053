"""What drop rules, grow rules and schedules share: a name, settings, a memory, and a way to be written as text."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from synaplex.errors import SpecificationError, UnknownNameError


class Rule:
    """A rule of evolution. What it remembers between rounds goes through `memory`."""

    name: ClassVar[str]

    def memory(self) -> dict[str, Any]:
        """What has to be kept for a run to be resumed: plain numbers by name."""
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take up what `memory` gave."""

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({settings})"

    def stated(self) -> str:
        """Its kind and settings as text that is the same in every process: what a kept state is recognised by."""
        settings = ", ".join(f"{name}={_stated(value)}" for name, value in vars(self).items() if name[0] != "_")
        return f"{type(self).__name__}({settings})"


def _stated(value: Any) -> str:
    if isinstance(value, Rule):
        return value.stated()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value))  # 2 and 2.0 are one setting
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_stated, value))}]"
    return repr(value) if value is None or isinstance(value, str | bool) else type(value).__name__


R = TypeVar("R", bound=Rule)


def from_text(text: str, known: Mapping[str, type[R]], kind: str) -> R:
    """A rule by its name and settings, parted by colons: ``"set:0.3"``, ``"lowest:katz:0.1"``.

    Raises
    ------
    UnknownNameError
        If there is no rule of that name.
    SpecificationError
        If the settings are not those it takes.
    """
    name, *given = text.strip().split(":")
    if name not in known:
        raise UnknownNameError(kind, name, known)
    rule = known[name]
    parameters = list(inspect.signature(rule).parameters)
    if len(given) > len(parameters):
        raise SpecificationError(f"{kind} {text!r}: {name} takes at most {', '.join(parameters) or 'no settings'}")
    try:
        return rule(*map(_value, given))
    except TypeError as error:
        raise SpecificationError(f"{kind} {text!r}: {name} takes {', '.join(parameters)}") from error


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def check_share(name: str, value: Any) -> None:
    """Check that a share to drop lies between 0 and 1, both left out.

    Raises
    ------
    SpecificationError
        If not.
    """
    if not isinstance(value, int | float) or not 0 < value < 1:
        raise SpecificationError(f"{name}={value!r} is no share of connections to drop: it lies between 0 and 1")
