"""Run the benchmarks: ``python -m benchmarks [PART ...]``, all parts by default; ``--help`` lists them."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

PARTS = ("measures", "growth", "training", "architectures", "checkpoint", "iterative", "encoders", "sparse", "engines")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all by default")
    parts = parser.parse_args().parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    console = Console()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "networkx", "igraph", "networkit"))
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}")
    if "measures" in parts:
        from benchmarks.networks import released

        console.print(f"Measures on {released()[1]}")
    for part in parts:
        _show(console, part, import_module(f"benchmarks.{part}").run())


def _show(console: Console, title: str, rows: Iterable[dict[str, Any]]) -> None:
    table: Table | None = None
    for row in rows:
        if table is None:
            table = Table(*row, title=title)
            for column in table.columns[1:]:
                column.justify = "right"
        table.add_row(*(f"{value:,.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    if table is not None:
        console.print(table)


if __name__ == "__main__":
    main()
