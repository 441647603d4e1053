"""Errors that name an argument of Python, for those who type options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from synaplex.errors import SynaplexError

_OPTIONS = {
    "on_disconnected='component'": "--on-disconnected component",
    "undefined='null'": "--undefined null",
    "method='iterative'": "--method iterative",
    "edges='positive'": "--edges positive",
}


@contextmanager
def typed() -> Iterator[None]:
    """Let errors name options as they are typed, ``--undefined null`` for ``undefined='null'``."""
    try:
        yield
    except SynaplexError as error:
        text = str(error)
        for argument, option in _OPTIONS.items():
            text = text.replace(argument, option)
        error.args = (text,)
        raise
