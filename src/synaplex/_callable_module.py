"""Modules that can be called: one name for a subpackage and for the function that it is about.

Importing the subpackage ``synaplex.graph`` puts the module on its parent under the name ``graph``, where
``synaplex.graph(model)`` expects a function. So that nothing depends on what was imported first, the module
itself answers the call.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class CallableModule(ModuleType, Generic[P, R]):
    """A module that passes calls on to one of its functions, and is a plain module in every other way."""

    _call: Callable[P, R]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._call(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self._call)


def make_callable(module: str, function: Callable[P, R]) -> CallableModule[P, R]:
    """Let calls of a module go to a function; the last line of that module's file.

    Parameters
    ----------
    module
        The module's own ``__name__``.
    function
        What a call of the module calls, with the same arguments.

    Returns
    -------
    CallableModule
        The module.

    Examples
    --------
    At the end of ``synaplex/graph/__init__.py``::

        make_callable(__name__, graph)
    """
    this = sys.modules[module]
    this.__class__ = CallableModule
    callable_module = cast("CallableModule[P, R]", this)
    callable_module._call = function
    return callable_module
