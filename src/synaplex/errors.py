"""The errors of Synaplex: few classes, each naming what is at fault and what to do about it."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType
from typing import Any

_SHORT = 160
"""Characters up to which all known names are listed beside the nearest ones."""

_LISTED = 60
"""Names of a list that is given whole."""


class SynaplexError(Exception):
    """Base class of every error that Synaplex raises on purpose."""


class InvalidGraphError(SynaplexError, ValueError):
    """The layers and links do not make a network: shapes that clash, weights that are not numbers."""


class IncompleteGraphError(SynaplexError, ValueError):
    """A measure needs edges across a part of the model that was not understood; names the part."""


class UnreadableFileError(SynaplexError, OSError):
    """A file is missing, truncated, unsafe to open, or of a layout that is not known."""


class UnwritableFileError(SynaplexError, OSError):
    """A result could not be written: no permission, no space, no such folder."""


class DisconnectedGraphError(SynaplexError, ValueError):
    """The graph falls apart and the measure is defined on connected graphs only; names the neurons cut off."""


class UndefinedMeasureError(SynaplexError, ValueError):
    """The definition divides by zero for some neurons; names them."""


class SingularLaplacianError(SynaplexError, ArithmeticError):
    """A signed Laplacian is singular, or so close to it that its pseudo-inverse has no correct digits."""


class GraphTooLargeError(SynaplexError, ValueError):
    """An exact algorithm would need more memory or time than its stated limit."""


class ToleranceError(SynaplexError, ArithmeticError):
    """An iterative or sampled form of a measure did not come as close to the truth as it was asked to."""


class SpecificationError(SynaplexError, ValueError):
    """An argument, option or specification field has a value that makes no sense."""


class StoreError(SynaplexError, RuntimeError):
    """A population store cannot be used as asked."""


class StoreMismatchError(StoreError):
    """The folder holds a population of another specification."""


class StoreBusyError(StoreError):
    """Another process is working on the same store."""


class TrainingError(SynaplexError, RuntimeError):
    """Training went wrong: a loss that is not a number, for instance."""


class MeasureOverflowError(SynaplexError, OverflowError):
    """A value exceeds the range of float64; names the form that does not."""


class MissingExtraError(SynaplexError, ImportError):
    """An optional dependency is not installed; names the extra that brings it."""


class UnknownNameError(SynaplexError, LookupError):
    """A name is not among the known ones; suggests the nearest.

    Parameters
    ----------
    kind
        What the name should name, such as ``"measure"`` or ``"dataset"``.
    name
        The name as the caller gave it.
    known
        The names that exist.
    advice
        What to say instead of the nearest names, where more is known.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, advice: str = "") -> None:
        super().__init__(f"unknown {kind} {name!r}; {advice or suggestion(name, known)}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _with_message, (type(self), str(self))


def _with_message(kind: type[UnknownNameError], message: str) -> UnknownNameError:
    """An error as it came from another process."""
    error = kind.__new__(kind)
    error.args = (message,)
    return error


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The at most three known names that a name may be a misspelling of, the nearest first."""
    choices = {choice.casefold(): choice for choice in known}
    if not isinstance(name, str):
        return []
    return [choices[near] for near in difflib.get_close_matches(name.casefold(), choices, n=3, cutoff=0.65)]


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead of a name that is not known: the nearest ones, and all where they are few or none is near.

    Examples
    --------
    >>> suggestion("strenght", ["strength", "disparity"])
    "did you mean 'strength'? known: disparity, strength"
    """
    choices = sorted(known)
    more = f" and {len(choices) - _LISTED:,} more" if len(choices) > _LISTED else ""
    listed = f"known: {', '.join(choices[:_LISTED])}{more}"
    near = nearest(name, choices)
    if not near:
        return listed
    asked = f"did you mean {' or '.join(map(repr, near))}?"
    return f"{asked} {listed}" if len(listed) <= _SHORT else asked


def require(module: str, extra: str) -> ModuleType:
    """Import an optional dependency, or raise `MissingExtraError` naming the extra that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtraError(
            f"this needs the package {package!r}, which is not installed: pip install 'synaplex[{extra}]'"
        ) from error
