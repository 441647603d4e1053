"""La Malfa et al. (2021), on what link weights, Nodes Strength and Layers Fluctuation tell of learning.

Populations of dense and convolutional networks are trained and looked at whenever their accuracy stands in one of ten
bins; then one convolutional network is followed while it learns.

`recipe` says what is trained and how much of it, `plan` and `crowd` train it, `observation` says what is kept of a
network, `bins` deals networks out to bins, `statistics` holds the numbers, `claims` the paper's claims as
data, `findings` what becomes of them, `individual` and `individual_findings` the same of the single network,
`results_page` the table for the documentation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from synaplex.studies.study import Study

__all__ = ["STUDY", "run"]


def run(
    out: Path,
    *,
    dataset: str | None = None,
    scale: Literal["small", "paper"] = "small",
    seed: int = 0,
    data_dir: Path | None = None,
    results_page: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train the populations, or what is missing of them, analyse them and write the report.

    Parameters
    ----------
    out
        Folder for ``pieces/``, ``tables/``, ``figures/`` and ``report.html``. A run that was broken off goes on with
        the population where it stopped; the same call gives the same tables, byte for byte.
    dataset
        ``"mnist"``, ``"digits"`` or another of images. By default MNIST, as in the paper; where `data_dir` is not given
        and its files are not found, digits. The single network learns CIFAR-10 where its files are there (but beside
        digits, which keep the study small), otherwise this dataset.
    scale
        ``"small"``: minutes, 4 networks a bin. ``"paper"``: 50 networks a bin.
    seed
        Of the networks and of every random draw of the analysis.
    data_dir
        Where datasets lie; see `synaplex.datasets.load`.
    results_page
        Where to write the claims beside ours as Markdown, if anywhere.
    progress
        Whether to say on standard error what is being done.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    SpecificationError
        For a dataset without images, or a seed out of range.
    UnknownNameError
        For a dataset or scale that does not exist.
    UnreadableFileError, UnwritableFileError
        If data cannot be read or results not written.
    """
    from synaplex.studies.la_malfa_2021.run import run as run_study

    return run_study(
        Path(out),
        dataset=dataset,
        scale=scale,
        seed=seed,
        data_dir=data_dir,
        results_page=results_page,
        progress=progress,
    )


STUDY = Study(
    name="la-malfa-2021",
    title="Do strength and fluctuation show what link weights hide of learning?",
    paper=(
        "E. La Malfa, G. La Malfa, G. Nicosia & V. Latora (2021), Characterizing learning dynamics of deep neural "
        "networks via complex networks, ICTAI 2021, arXiv:2110.02628"
    ),
    run=run,
)
