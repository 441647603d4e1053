"""Options of a study on the command line: those that its `run` declares."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.studies import Study


def option_defaults(one: Study) -> dict[str, Any]:
    """The options of a study with their default values."""
    parameters = inspect.signature(one.run).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def parse_options(one: Study, words: list[str]) -> dict[str, Any]:
    """``--networks 300 --no-progress`` as values of the types that the study declares."""
    known = option_defaults(one)
    types = inspect.signature(one.run, eval_str=True).parameters
    options: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise SpecificationError(f"{word!r} is no option; the study {one.name} takes {_listed(known)}")
        key, given, value = word[2:].partition("=")
        name = key.replace("-", "_")
        if name not in known and name.removeprefix("no_") in known and not given:
            name, given, value = name.removeprefix("no_"), "=", "false"
        if name not in known:
            raise UnknownNameError(f"option of the study {one.name}", f"--{key}", [spell(option) for option in known])
        if not given:
            if isinstance(known[name], bool) and (not rest or rest[0].startswith("--")):
                value = "true"
            elif rest:
                value = rest.pop(0)
            else:
                raise SpecificationError(f"--{key} needs a value")
        try:
            options[name] = TypeAdapter(types[name].annotation).validate_python(value)
        except ValidationError as error:
            raise SpecificationError(f"--{key} {value}: {error.errors()[0]['msg']}") from error
    return options


def spell(option: str) -> str:
    """An option as it is typed."""
    return f"--{option.replace('_', '-')}"


def _listed(known: Mapping[str, Any]) -> str:
    return ", ".join(map(spell, known))
