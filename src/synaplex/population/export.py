"""A population as a dataset to publish: Parquet tables, safetensors, and a card that says what they are."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import polars as pl

from synaplex.errors import UnwritableFileError
from synaplex.population.card import data_card
from synaplex.population.folder import as_folder
from synaplex.population.population import Population
from synaplex.population.store import NETWORKS, NEURONS, WEIGHTS
from synaplex.population.tables import parquet_bytes


def export_population(
    population: Population,
    folder: str | os.PathLike[str],
    *,
    title: str,
    license: str,
    authors: str = "",
) -> Path:
    """Write a population as a dataset in the layout of the Hugging Face hub.

    ::

        README.md                               the card: what the data are, how to read them
        population.json                         the whole specification, versions, seeds
        data/networks-00000-of-00001.parquet    a row a network and epoch
        data/neurons-00000-of-00012.parquet     a row a neuron and snapshot; a file a chunk
        weights/weights-00000-of-00012.safetensors

    Every file is complete before the folder gets its name.

    Parameters
    ----------
    population
        What to export: the networks that are finished.
    folder
        Where to; it must not exist.
    title
        Of the dataset.
    license
        As the hub names it, such as ``"cc-by-4.0"``.
    authors
        Who made it, if that is to be said.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    SpecificationError
        If the folder is a URL.
    UnwritableFileError
        If it exists already, or cannot be written.
    """
    final = as_folder(folder)
    if final.exists():
        raise UnwritableFileError(f"{final} exists already: name a folder that does not")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{final.name}.", suffix=".partial", dir=final.parent))
        partial.chmod(final.parent.stat().st_mode)  # mkdtemp hides the folder from everyone else
        try:
            _write(population, partial, data_card(population, title=title, license=license, authors=authors))
            os.rename(partial, final)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    except OSError as error:
        raise UnwritableFileError(f"cannot write {final}: {error}") from error
    return final


def _write(population: Population, folder: Path, card: str) -> None:
    (folder / "data").mkdir()
    (folder / "weights").mkdir()
    chunks = population.chunk_folders()
    of = f"of-{len(chunks):05d}"
    networks = pl.concat(pl.read_parquet(chunk / NETWORKS) for chunk in chunks)
    (folder / "data" / "networks-00000-of-00001.parquet").write_bytes(parquet_bytes(networks))
    for number, chunk in enumerate(chunks):
        if population.spec.snapshots:
            shutil.copyfile(chunk / NEURONS, folder / "data" / f"neurons-{number:05d}-{of}.parquet")
        shutil.copyfile(chunk / WEIGHTS, folder / "weights" / f"weights-{number:05d}-{of}.safetensors")
    shutil.copyfile(population.folder / "population.json", folder / "population.json")
    (folder / "README.md").write_text(card, encoding="utf-8")
