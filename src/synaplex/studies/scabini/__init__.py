"""Scabini & Bruno (2021), on whether the structure of a network tells how well it performs.

A population of networks that differ in their random initial weights is trained, each hidden neuron is measured
as a vertex of a weighted graph, and the measures are held against the accuracy of the networks.

The files follow the paper: `recipe` (what is trained, how it is analysed), `layer_averages` (eq. 11), `relations` and
`separability` (fig. 4), `selection` (fig. 5), `vocabulary` (figs. 6 and 7, table 1), `evolution` and `robustness` (its
future work), `initialization` (section 3.1) and `released` (the scale of the released data); `nulls` and `controls` are
the null models, `findings` the claims as tested statements, `published` the paper's numbers. `benchmarks` puts several
datasets side by side (table 2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synaplex.studies.study import Study

__all__ = ["STUDY", "run"]


def run(
    out: Path,
    *,
    dataset: str = "digits",
    networks: int = 300,
    seed: int = 0,
    epochs: int = 30,
    data_dir: Path | None = None,
    chunk_size: int | None = None,
    recipe: str = "paper",
    initializations: int = 0,
    train: bool = True,
    device: str = "cpu",
    engine: str = "local",
    address: str | None = None,
    workers: int | None = None,
    chunks: str | None = None,
    progress: bool = True,
) -> Path:
    """Train the population, or what is missing of it, analyse it and write the report.

    Of several datasets, each gets a folder and report of its own, ``OUT-mnist`` beside ``OUT`` and so on, and `out`
    holds what they say together, ``results.md`` among it.

    Parameters
    ----------
    out
        Folder for ``population/``, ``tables/``, ``figures/`` and ``report.html``. A run that was broken off goes on
        where it stopped; the same call with the same result gives the same tables, byte for byte.
    dataset
        A name that `synaplex.datasets.load` knows, or several parted by commas.
    networks
        How many, at least 20. The paper: 1,000.
    seed
        Of the population and of every random draw of the analysis.
    epochs
        Passes over the training set, at least 1; the neurons are measured after each. The paper: 30.
    data_dir
        Where datasets lie; see `synaplex.datasets.load`.
    chunk_size
        Networks trained at a time; chosen from memory by default.
    recipe
        ``"paper"``: networks as the text describes them. ``"released"``: as those of the released data were made, with
        the clipped cross-entropy of Keras 2.2 and all layers of a network drawn from one stream.
    initializations
        Networks for each other way to draw initial weights; none by default. Of several datasets, on the first.
    train
        Whether to train what is missing. If not, the networks that are there are analysed, if they are at least 20.
    device
        Where to train, as torch names it.
    engine, address, workers
        ``"local"``: this process. ``"ray"``: a task of Ray for each chunk, on the cluster at the address, or on this
        machine with so many workers; on a device ``"cuda"`` a task takes one GPU.
    chunks
        Such as ``"10-19"``: only train these chunks, one job of many that share `out`, and analyse nothing. A run
        without it, when all are done, writes the report.
    progress
        Whether to say on standard error what is being done.

    Returns
    -------
    Path
        The report, or with `chunks` the store.

    Raises
    ------
    SpecificationError
        For too few networks or epochs.
    UnknownNameError
        For a dataset that does not exist.
    StoreMismatchError, StoreBusyError
        If `out` holds another population, or another process works on it.
    UnreadableFileError, UnwritableFileError
        If data cannot be read or results not written.
    """
    from synaplex.population import find_engine, parse_chunks
    from synaplex.studies.scabini.benchmarks.run import folder_of
    from synaplex.studies.scabini.benchmarks.run import run as run_benchmarks
    from synaplex.studies.scabini.run import run as run_study
    from synaplex.studies.scabini.training import Training, train_chunks

    out = Path(out)
    num_gpus = float(engine == "ray" and device.startswith("cuda"))
    found = find_engine(engine, address=address, workers=workers, num_gpus=num_gpus)
    training = Training(chunk_size, found, device, train, progress)
    names = [name.strip() for name in dataset.split(",") if name.strip()] or [dataset]
    scale: dict[str, Any] = {"networks": networks, "seed": seed, "epochs": epochs}
    if chunks is not None:
        folders = {name: out if len(names) == 1 else folder_of(out, name) for name in names}
        return train_chunks(folders, parse_chunks(chunks), training, **scale, data_dir=data_dir, recipe=recipe)
    chosen: dict[str, Any] = {"dataset": names[0]} if len(names) == 1 else {"datasets": names}
    return (run_study if len(names) == 1 else run_benchmarks)(
        out, **chosen, **scale, data_dir=data_dir, training=training, recipe=recipe, initializations=initializations
    )


STUDY = Study(
    name="scabini",
    title="Does the structure of a network tell how well it performs?",
    paper=(
        "L. F. S. Scabini & O. M. Bruno (2021), Structure and performance of fully connected neural networks: "
        "Emerging complex network properties, arXiv:2107.14062"
    ),
    run=run,
)
