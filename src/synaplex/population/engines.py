"""Engines by name, as the command line names them."""

from __future__ import annotations

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.population.engine import Engine, InProcess
from synaplex.population.ray_engine import RayEngine

NAMES = ("local", "ray")


def find_engine(name: str, *, address: str | None = None, workers: int | None = None, num_gpus: float = 0.0) -> Engine:
    """An engine by its name.

    Parameters
    ----------
    name
        ``"local"`` for this process, ``"ray"`` for `RayEngine`.
    address, workers, num_gpus
        Of Ray; see `RayEngine`.

    Raises
    ------
    UnknownNameError
        If there is no such engine.
    SpecificationError
        If an option of Ray is given for another engine, or makes no sense.
    """
    if name == "ray":
        return RayEngine(address=address, workers=workers, num_gpus=num_gpus)
    if name != "local":
        raise UnknownNameError("engine", name, NAMES)
    if address is not None or workers is not None or num_gpus:
        raise SpecificationError("an address, workers and GPUs a task are options of the engine 'ray'")
    return InProcess()
