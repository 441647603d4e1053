"""StructureReps (2024), on whether a network's performance can be read off its graph by a learned embedding.

`recipe` says what is trained, `data` what it learns, `crowd` and `trajectories` train networks and keep a graph of each
epoch, `methods` holds encoders, baselines and the parts that are taken away, `splits` who is held out, `fits` fits one
method on one split, `judging` scores them on the same networks, `shapes` is figure 2, `population` the prediction
across a population and the encoder that is saved, `published` the paper's tables, `findings` what becomes of its
claims, `results_page` the page for the documentation. Everything that takes time is one of the `pieces`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from synaplex.studies.study import Study

__all__ = ["STUDY", "run"]


def run(
    out: Path,
    *,
    scale: Literal["small", "paper"] = "small",
    tasks: str = "all",
    population: str = "fashion-mnist",
    seed: int = 0,
    data_dir: Path | None = None,
    results_page: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train the networks, fit encoders and baselines, or what is missing of them, and write the report.

    Parameters
    ----------
    out
        Folder for ``trajectories/``, ``fits/``, ``population/``, ``encoder/`` (for `load_encoder`), ``tables/``,
        ``figures/`` and ``report.html``. A run that was broken off goes on where it stopped, with the same data and
        defaults: ``basis/`` has their digests and values.
    scale
        ``"small"``: under an hour on one core, small networks and subsampled data. ``"paper"``: all data, days.
    tasks
        Names with commas between them: ``two-moons``, ``california-housing``, ``covtype``, ``cifar10``,
        ``imagenette``; or ``"all"``.
    population
        The dataset of the population of part 4, whose encoder is saved. ``digits`` needs no files.
    seed
        Of the networks and of every random draw of the analysis.
    data_dir
        Where datasets lie; see `synaplex.datasets.load`.
    results_page
        Where to write our numbers beside the paper's as Markdown, with some figures in a folder beside it, if anywhere.
    progress
        Whether to say on standard error what is being done.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    SpecificationError
        For a seed out of range or a population without classes.
    StoreMismatchError
        If networks or fits in `out` were made of other data, or with other defaults of an estimator.
    UnknownNameError
        For a task, dataset or scale that does not exist.
    UnreadableFileError, UnwritableFileError
        If data cannot be read or results not written.
    """
    from synaplex.studies.structurereps.run import run as run_study

    return run_study(
        Path(out),
        scale=scale,
        tasks=tasks,
        population=population,
        seed=seed,
        data_dir=data_dir,
        results_page=results_page,
        progress=progress,
    )


STUDY = Study(
    name="structurereps",
    title="Can a network's performance be read off its graph, and does a learned embedding read it best?",
    paper="Structure Matters: Deciphering Neural Network's Properties from its Structure (StructureReps, 2024)",
    run=run,
)
