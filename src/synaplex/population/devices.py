"""Whether there is the device that networks are to be trained on."""

from __future__ import annotations

import textwrap

import torch

from synaplex.errors import SpecificationError
from synaplex.population.engine import Engine, InProcess


def check_device(device: torch.device | str, engine: Engine | None = None) -> None:
    """Refuse a device that nothing can be trained on, before any work is done for it.

    Parameters
    ----------
    device
        As torch names it.
    engine
        Where chunks run, this process by default. Of other engines than `InProcess` the name alone is checked: their
        machines may have what this one has not.

    Raises
    ------
    SpecificationError
        If torch knows no device of that name, or this machine has none.
    """
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise SpecificationError(
            f"device={str(device)!r} names no device: pass one as torch names it, such as 'cpu', 'cuda' or 'cuda:1'"
        ) from error
    if not isinstance(engine, InProcess | None):
        return
    try:
        torch.empty(1, device=place).cpu()  # what is trained comes back to be written
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = textwrap.shorten(str(error).partition("\n")[0], 100)
        raise SpecificationError(f"device={str(device)!r} cannot be trained on here: {why}") from error
