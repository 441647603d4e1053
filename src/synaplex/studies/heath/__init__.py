"""Heath (2021), on pruning sparse networks by the centrality of their neurons (CenSET).

Truly sparse networks of the paper's shapes are trained by SET, CenSET and not at all evolving, beside the dense one.

`recipe` says how, once as the code does and once as the text says, `plan` how much of it, `batches` are augmented
images, `lockstep` computes the networks of a seed together, `training` goes from epoch to epoch, `pieces` are what it
leaves on disk, `observing`, `centralities` and `hubs` what is seen of a network. `published` are the paper's numbers;
`comparison`, `searches`, `growth` and `grids` put ours beside them, `findings` test its claims.
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
    dataset: str = "digits",
    runs: str = "*",
    seed: int = 0,
    device: str = "cpu",
    data_dir: Path | None = None,
    results_page: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train the networks, or what is missing of them, and write the report from what there is.

    Parameters
    ----------
    out
        Folder for ``runs/``, ``tables/``, ``figures/`` and ``report.html``. A run that was killed goes on after its
        last whole epoch, with the same result; a finished one is never trained again. Several processes may work on
        one folder: each takes the runs that no other is at.
    scale
        ``"small"``: minutes. ``"paper"``: the paper's epochs and at least three seeds, hours to days.
    dataset
        ``fashion-mnist`` or ``cifar10``, as in the paper; ``digits`` needs no files.
    runs
        Which part of the plan to train now: ``"final"`` (with ``"centrality"``), ``"thresholds"``, ``"grid"``, or names
        and patterns of runs with commas between them, such as ``"final-released-*,grid-0"``; ``"none"`` writes the
        report only. Names are those in the report's first table.
    seed
        Of the first run of each experiment; the others follow.
    device
        Where to train; ``"cuda"`` for a GPU. Only the CPU gives the same bytes again.
    data_dir
        Where datasets lie; see `synaplex.datasets.load`.
    results_page
        Where to write our numbers beside the paper's as Markdown, with figures in a folder beside it, if anywhere.
    progress
        Whether to say on standard error what is being done.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    SpecificationError
        For a dataset whose images are not known here, a seed out of range, runs or a device that do not exist.
    UnknownNameError
        For a dataset or scale that does not exist.
    UnreadableFileError, UnwritableFileError
        If data cannot be read or results not written.
    """
    from synaplex.studies.heath.run import Asked
    from synaplex.studies.heath.run import run as run_study

    return run_study(
        Path(out),
        Asked(scale, dataset, seed, runs, device),
        data_dir=data_dir,
        results_page=results_page,
        progress=progress,
    )


STUDY = Study(
    name="heath",
    title="Does it help to prune a sparse network where its neurons are not central?",
    paper=(
        "A. Heath (2021), Investigating the use of hub neuron identification for pruning sparse neural networks, "
        "35th Twente Student Conference on IT"
    ),
    run=run,
)
