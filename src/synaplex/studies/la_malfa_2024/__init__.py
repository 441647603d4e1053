"""La Malfa et al. (2024), on what Neurons Strength and Neurons Activation tell of four kinds of network.

Dense, convolutional and recurrent networks and autoencoders are trained and observed on a sample of their inputs.

`recipe` says what is trained and how much of it, `data` how images are scaled, `population` trains a cell and keeps
what `observation` sees of its networks and of their null models, `comparisons` compare layers and cells, `claims` are
the paper's as data, `findings` what becomes of them, `performance` holds table 1, `control` what plain statistics of
the weights achieve, `results_page` the page for the documentation.
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
    dataset: str = "mnist,cifar10",
    seed: int = 0,
    data_dir: Path | None = None,
    results_page: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train the networks, or what is missing of them, observe them and write the report.

    Parameters
    ----------
    out
        Folder for ``populations/``, ``pieces/``, ``tables/``, ``figures/`` and ``report.html``. A run that was broken
        off goes on where it stopped; the same call gives the same tables.
    scale
        ``"small"``: minutes, 4 networks a cell. ``"paper"``: 30 networks a cell.
    dataset
        Names of one or two datasets of images, with a comma between them: the one that stands for MNIST, and the one
        that stands for CIFAR-10. ``digits`` needs no files.
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
        For datasets without images, more than two of them, or a seed out of range.
    UnknownNameError
        For a dataset or scale that does not exist.
    UnreadableFileError, UnwritableFileError
        If data cannot be read or results not written.
    """
    from synaplex.studies.la_malfa_2024.run import run as run_study

    return run_study(
        Path(out),
        scale=scale,
        dataset=dataset,
        seed=seed,
        data_dir=data_dir,
        results_page=results_page,
        progress=progress,
    )


STUDY = Study(
    name="la-malfa-2024",
    title="What do neurons receive and send, beyond what their weights say?",
    paper=(
        "E. La Malfa, G. La Malfa, G. Nicosia & V. Latora (2024), Deep neural networks via complex network theory: "
        "a perspective, IJCAI 2024"
    ),
    run=run,
)
