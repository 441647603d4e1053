"""`synaplex measure` of checkpoints that make no graph by themselves: a row a tensor."""

from __future__ import annotations

from pathlib import Path

from synaplex.cli.arguments import version

_SHOWN = ("name", "shape", "parameters", "mean", "std", "kurtosis", "zero", "norm", "in_strength_std", "reason")


def holds_several_files(path: Path) -> bool:
    """Whether a path is a folder or the index of a sharded checkpoint."""
    return path.is_dir() or path.name.endswith(".index.json")


def measure_tensors(path: Path, out: Path | None) -> None:
    """Print a row a tensor, and write all columns of it where `out` is given."""
    import polars as pl

    from synaplex.checkpoint import measure_file
    from synaplex.report import console, export
    from synaplex.report.files import check_writable

    if out is not None:
        export.check_table_name(out)
        check_writable(out)
    frame = measure_file(path, progress=True)
    shape = pl.col("shape").list.eval(pl.element().cast(pl.String)).list.join(" x ")
    frame = frame.with_columns(shape=shape)
    hide = () if frame["reason"].count() else ("reason",)
    files = frame["file"].unique(maintain_order=True).to_list()
    place = f"in {files[0]}" if len(files) == 1 else f"in {len(files)} files"
    console.say(f"{path}: {len(frame):,} tensors, {frame['parameters'].sum():,} values {place}")
    console.print_table(frame.select(_SHOWN), "Measures by tensor", hide=hide)
    if out is not None:
        for file in export.write_table(frame, out, {**version(), "checkpoint": str(path)}):
            console.say(f"Wrote {file}" + (f": {len(frame):,} rows" if file == out else ""))
