"""Options of a study on the command line: those that its `run` declares."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.studies import Study

_KINDS = {int: "N", float: "X", Path: "PATH", str: "TEXT"}
_WIDTH = 100


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


def option_lines(one: Study) -> Iterator[str]:
    """Each option of a study with the values it takes, its default and what it means, as lines of text."""
    types, said = inspect.signature(one.run, eval_str=True).parameters, _meanings(one)
    known = list(option_defaults(one).items())
    for (name, default), (following, _) in zip(known, [*known[1:], ("", None)], strict=True):
        standard = "none" if default is None else default
        if isinstance(default, bool):
            shown = f"{spell(name)} / {spell(f'no_{name}')}  [default: {spell(name if default else f'no_{name}')}]"
        else:
            shown = f"{spell(name)} {_values(types[name].annotation)}  [default: {standard}]"
        yield f"  {shown}"
        if name in said and said[name] != said.get(following):  # options that are explained together: after the last
            yield textwrap.fill(said[name], _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _values(annotation: Any) -> str:
    """What an option takes: the words it knows, or a kind of value."""
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    kinds = [kind for kind in (get_args(annotation) or (annotation,)) if kind is not type(None)]
    return "|".join(_KINDS.get(kind, "VALUE") for kind in kinds)


def _meanings(one: Study) -> dict[str, str]:
    """What the docstring of a study says of each option, without the marks of its code."""
    _, _, text = (inspect.getdoc(one.run) or "").partition("\nParameters\n----------\n")
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in text.partition("\n\nReturns\n")[0].splitlines():
        if line[:1].strip():
            names = [name.strip() for name in line.split(",")]
        for name in names if line[:1].isspace() else ():
            found.setdefault(name, []).append(line.strip())
    return {name: re.sub(r'`+"?([^`"]*)"?`+', r"\1", " ".join(lines)) for name, lines in found.items()}


def spell(option: str) -> str:
    """An option as it is typed."""
    return f"--{option.replace('_', '-')}"


def _listed(known: Mapping[str, Any]) -> str:
    return ", ".join(map(spell, known))
