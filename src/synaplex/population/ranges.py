"""Chunks by number: which part of a store one job of many works on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synaplex.errors import SpecificationError
from synaplex.population.chunk import Chunk


def parse_chunks(text: str) -> tuple[int, ...]:
    """Numbers of chunks from text such as ``"10-19"`` or ``"0,4,10-19"``, both ends included.

    Raises
    ------
    SpecificationError
        If the text is anything else.

    Examples
    --------
    >>> parse_chunks("0,4-6")
    (0, 4, 5, 6)
    """
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
            raise SpecificationError(f"chunks {text!r}: {part.strip()!r} is neither a number nor a range such as 10-19")
        numbers.extend(range(int(first), int(last or first) + 1))
    return tuple(dict.fromkeys(numbers))


def pick(plan: Sequence[Chunk], numbers: Iterable[int]) -> list[Chunk]:
    """The chunks of a plan that have these numbers, in the order of the plan.

    Raises
    ------
    SpecificationError
        If there is no such chunk; says how many there are.
    """
    wanted = set(numbers)
    picked = [chunk for chunk in plan if chunk.index in wanted]
    unknown = sorted(wanted - {chunk.index for chunk in picked})
    if unknown or not wanted:
        there = f"{plan[0].index} to {plan[-1].index}" if plan else "none"
        raise SpecificationError(
            f"there is no chunk {', '.join(map(str, unknown)) or 'to train'}: the chunks of these networks are {there}"
        )
    return picked
