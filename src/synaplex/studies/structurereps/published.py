"""Tables 1 and 2 of the paper: Pearson's correlation of decoded and actual performance, mean and variance."""

from __future__ import annotations

from collections.abc import Mapping

TASKS = ("two-moons", "california-housing", "covtype", "cifar10", "imagenette")
"""Columns of the tables."""

_TABLE_1 = {
    "EA+TC+LF": ((0.74, 0.0020), (0.39, 0.0271), (0.79, 0.1201), (0.94, 0.0001), (0.91, 0.0002)),
    "EA+GC+LF": ((0.54, 0.0053), (0.26, 0.0100), (0.67, 0.0126), (0.84, 0.0003), (0.82, 0.0042)),
    "GC+LF": ((0.10, 0.0583), (0.02, 0.0022), (0.04, 0.0045), (0.63, 0.0070), (0.56, 0.0053)),
    "GC+RF": ((0.08, 0.0052), (-0.05, 0.0023), (0.02, 0.0031), (0.31, 0.0018), (0.16, 0.0073)),
}
_TABLE_2 = {
    "EA+TC+LF": ((0.71, 0.00231), (0.42, 0.0261), (0.86, 0.0595), (0.81, 0.004), (0.83, 0.0022)),
    "EA+GC+LF": ((0.52, 0.0062), (0.29, 0.0080), (0.68, 0.0122), (0.73, 0.0014), (0.74, 0.0030)),
    "GC+LF": ((0.09, 0.0560), (0.06, 0.0027), (0.06, 0.0042), (0.55, 0.0020), (0.42, 0.0012)),
    "GC+RF": ((0.09, 0.0049), (-0.06, 0.0023), (0.03, 0.0036), (0.18, 0.0002), (0.11, 0.0082)),
}


def _by_task(table: Mapping[str, tuple[tuple[float, float], ...]]) -> dict[tuple[str, str], tuple[float, float]]:
    return {(name, task): cell for name, row in table.items() for task, cell in zip(TASKS, row, strict=True)}


PUBLISHED: Mapping[str, Mapping[tuple[str, str], tuple[float, float]]] = {
    "train": _by_task(_TABLE_1),
    "test": _by_task(_TABLE_2),
}
"""By whose performance is decoded: mean and variance for each encoder and task."""
