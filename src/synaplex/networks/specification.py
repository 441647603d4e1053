"""What every specification has in common: frozen, strict about its fields, wrong in one clear sentence."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from synaplex.errors import SpecificationError, UnknownNameError


class Specification(BaseModel):
    """A frozen description of something to compute, checked where it is made and written as JSON.

    Raises
    ------
    SpecificationError
        If a field is unknown, missing, or has a value that makes no sense. Names every such field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise SpecificationError(_sentence(type(self), error)) from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a specification that `model_dump_json` wrote.

        Raises
        ------
        SpecificationError
            If the text is not JSON, or not of this specification.
        """
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise SpecificationError(f"{cls.__name__}: not JSON: {error}") from None
        if not isinstance(fields, dict):
            raise SpecificationError(f"{cls.__name__}: not a JSON object")
        return cls(**fields)

    def differences(self, other: Self) -> dict[str, tuple[Any, Any]]:
        """The fields in which two specifications differ, dotted where nested, with the values of both."""
        return dict(_differences(self.model_dump(mode="json"), other.model_dump(mode="json")))


def _differences(mine: Any, theirs: Any, field: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        for name in {**mine, **theirs}:
            yield from _differences(mine.get(name), theirs.get(name), f"{field}.{name}" if field else name)
    elif mine != theirs:
        yield field, (mine, theirs)


def named(what: str, *variants: type[Specification]) -> BeforeValidator:
    """Let the ``kind`` of a variant stand for the variant with its defaults, in a field that takes any of them.

    Parameters
    ----------
    what
        What the variants are, for the `UnknownNameError` of a kind that is none.
    *variants
        Specifications with a field ``kind``.
    """
    kinds = [variant.model_fields["kind"].default for variant in variants]

    def spell_out(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value not in kinds:
            raise UnknownNameError(what, value, kinds)
        return {"kind": value}

    return BeforeValidator(spell_out)


def _sentence(model: type[BaseModel], error: ValidationError) -> str:
    """All that is wrong with a specification, in one line."""
    faults = []
    for fault in error.errors(include_url=False):
        where = ".".join(map(str, fault["loc"]))
        match fault["type"]:
            case "extra_forbidden":
                near = difflib.get_close_matches(str(fault["loc"][-1]), model.model_fields, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(model.model_fields)}"
                faults.append(f"{where!r} is not a field; {hint}")
            case "missing":
                faults.append(f"{where!r} is missing")
            case "value_error":
                faults.append(f"{where}: {fault['ctx']['error']}" if where else str(fault["ctx"]["error"]))
            case _:
                faults.append(f"{where}: {fault['msg'].lower()}, got {fault['input']!r}")
    return f"{model.__name__}: {'; '.join(faults)}"
