"""The run of the study: train what is missing, then write tables, figures and the pages from what there is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock

from synaplex.datasets import Dataset, load
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.report import save_figure
from synaplex.report.files import check_writable
from synaplex.studies.files import clear_leftovers, write_tables
from synaplex.studies.heath.analysis import analyse, tables
from synaplex.studies.heath.drawings import drawings
from synaplex.studies.heath.page import page
from synaplex.studies.heath.pieces import read_piece
from synaplex.studies.heath.plan import Group, Settings, chosen, groups, settings_of
from synaplex.studies.heath.recipe import check
from synaplex.studies.heath.results import Results
from synaplex.studies.heath.results_page import write_results_page
from synaplex.studies.heath.training import Course, train_group
from synaplex.studies.machine import Origin, command, machine
from synaplex.studies.stages import Stage, stages

SCALES = ("small", "paper")


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes
    ----------
    scale, dataset, seed, runs, device
        As for `synaplex.studies.heath.run`.
    """

    scale: str
    dataset: str
    seed: int = 0
    runs: str = "*"
    device: str = "cpu"

    def command(self, out: Path) -> str:
        """What makes all of it again; which part a session trained does not matter."""
        return command("heath", scale=self.scale, dataset=self.dataset, seed=self.seed, out=out)


def run(
    out: Path,
    asked: Asked,
    *,
    data_dir: Path | None,
    results_page: Path | None,
    progress: bool,
    settings: Settings | None = None,
) -> Path:
    """See `synaplex.studies.heath.run`; `settings` take the place of the scale's."""
    if asked.scale not in SCALES:
        raise UnknownNameError("scale", asked.scale, SCALES)
    _check_device(asked.device)
    data = load(asked.dataset, data_dir)
    check(data, asked.seed)
    wanted = settings or settings_of(asked.scale, data.name)
    data = _subset(data, wanted)
    plan = tuple(groups(data.name, wanted, asked.seed))
    selected = chosen(plan, asked.runs)
    stage = stages(progress)
    course = Course.of(data, wanted, asked.device)
    runs = out / "runs" / data.name
    train(runs, selected, course, stage, progress)
    results = gather(runs, plan, course, data, asked)
    check_writable(out / "report.html")
    with stage("tables, figures and the report"), FileLock(out / ".report.lock"):  # several processes may come to it
        clear_leftovers(out)
        analysis = analyse(results)
        write_tables(tables(results, analysis), out / "tables")
        drawn = drawings(results, analysis)
        for name, figure in drawn.items():
            save_figure(figure, out / "figures", name)
        origin = Origin(asked.command(out), machine(), results.earlier)
        if results_page is not None:
            write_results_page(results, analysis, drawn, origin, Path(results_page))
        return page(results, analysis, drawn, origin).save(out / "report.html")


def train(runs: Path, selected: list[Group], course: Course, stage: Stage, progress: bool) -> None:
    """Train the groups one after another; those that another process is at are left to it."""
    for number, group in enumerate(selected):
        kind = f"{len(group.methods)} networks, {group.epochs} epochs"
        with stage(f"{number + 1} of {len(selected)}: {group.name} ({kind})"):
            mine = train_group(runs, group, course, progress=progress)
        if not mine:
            with stage(f"{group.name} is being trained by another process, and left to it"):
                pass


def gather(runs: Path, plan: tuple[Group, ...], course: Course, data: Dataset, asked: Asked) -> Results:
    """What there is of the plan."""
    found = {group.name: read_piece(course.folder(runs, group), group) for group in plan}
    return Results(
        dataset=data.name,
        description=f"{repr(data).removeprefix('Dataset(').removesuffix(')')}. {data.description}",
        settings=course.settings,
        scale=asked.scale,
        seed=asked.seed,
        plan=plan,
        pieces={name: piece for name, piece in found.items() if piece is not None},
    )


def _check_device(name: str) -> None:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise SpecificationError(f"there is no device {name!r} here ({error}): try 'cpu' or 'cuda'") from error


def _subset(data: Dataset, settings: Settings) -> Dataset:
    train = min(len(data.x_train), settings.train_size or len(data.x_train))
    return data.subset(train, min(len(data.x_test), settings.test_size or len(data.x_test)))
