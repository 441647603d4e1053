"""The run of the study on several datasets: each by itself, then all together."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from synaplex.datasets import Dataset, load
from synaplex.errors import UnreadableFileError
from synaplex.report import save_figure
from synaplex.report.files import replacing, write_text
from synaplex.studies.files import clear_leftovers, write_tables
from synaplex.studies.machine import Origin, command, machine
from synaplex.studies.scabini.benchmarks import figures
from synaplex.studies.scabini.benchmarks.benchmark import PAPER, TITLES, Benchmark, read_benchmark
from synaplex.studies.scabini.benchmarks.claims import claims
from synaplex.studies.scabini.benchmarks.divergence import divergences, readings
from synaplex.studies.scabini.benchmarks.page import page
from synaplex.studies.scabini.benchmarks.results_page import IMAGES, Combined, results_markdown
from synaplex.studies.scabini.benchmarks.transfer import transfers
from synaplex.studies.scabini.findings import findings_table
from synaplex.studies.scabini.recipe import Analysis
from synaplex.studies.scabini.run import run as run_one
from synaplex.studies.scabini.training import Training
from synaplex.studies.stages import stages

OF_ONE = ("fig4-layer-averages", "fig5-correlations", "prediction", "epochs-types", "epochs-groups", "robustness")
"""Figures of one benchmark that the page shows: Fashion MNIST's, as in the paper, or else the first one's."""

LARGEST_IMAGE = 290_000
"""Bytes an image of the page has at most."""


def run(
    out: Path,
    *,
    datasets: Sequence[str],
    networks: int,
    seed: int,
    epochs: int,
    data_dir: Path | None,
    training: Training,
    recipe: str = "paper",
    initializations: int = 0,
    settings: Analysis | None = None,
) -> Path:
    """See `synaplex.studies.scabini.run`. A dataset that cannot be read or has too few networks is said to be missing.

    What was analysed before, with the same settings and networks, is not analysed again.
    """
    started = time.perf_counter()
    stage = stages(training.progress)
    chosen = settings or Analysis(seed=seed)
    benchmarks: list[Benchmark] = []
    missing: dict[str, str] = {}
    for position, name in enumerate(datasets):
        folder = folder_of(out, name)
        try:
            run_one(
                folder,
                dataset=name,
                networks=networks,
                seed=seed,
                epochs=epochs,
                data_dir=data_dir,
                training=training,
                recipe=recipe,
                initializations=0 if position else initializations,
                settings=chosen,
                again=False,
            )
            benchmarks.append(read_benchmark(folder, name))
        except UnreadableFileError as error:
            if name == datasets[-1] and not benchmarks:
                raise
            missing[TITLES.get(PAPER.get(name, name), name)] = str(error)
    asked = {PAPER.get(name, name) for name in datasets}
    missing |= {title: "it was not asked for" for name, title in TITLES.items() if name not in asked}
    with stage("vocabularies and regressions held against each other"):
        table = divergences(benchmarks, chosen)
        carried = transfers(benchmarks, chosen)
        found = claims(benchmarks, table, carried)
    shown = next((one for one in benchmarks if one.paper == "fashion-mnist"), benchmarks[0])
    results = Combined(benchmarks, missing, table, carried, found, shown.title)
    with stage("tables, figures and the report"):
        clear_leftovers(out)
        write_tables(
            {
                "divergences": table,
                "divergence_readings": readings(table),
                "transfers": carried,
                "findings": findings_table(found),
            },
            out / "tables",
        )
        drawn = _drawings(benchmarks, {name: load(name, data_dir) for name in (one.dataset for one in benchmarks)})
        drawn["table2-divergence"] = figures.divergence(table, benchmarks)
        for name, figure in drawn.items():
            save_figure(figure, out / "figures", name)
        images = {name: out / "figures" / f"{name}.png" for name in drawn} | _images_of_one(out, shown, benchmarks[0])
        for name, image in images.items():
            shrink(image, out / IMAGES / f"{name}.png")
        names = ",".join(datasets)
        options: dict[str, object] = {"dataset": names, "networks": networks, "seed": seed, "epochs": epochs}
        options |= {"recipe": recipe} if recipe != "paper" else {}
        options |= {"initializations": initializations} if initializations else {}
        origin = Origin(command("scabini", **options, out=out), machine(), time.perf_counter() - started)
        write_text(out / "scabini.md", results_markdown(results, origin, list(images)))
        return page(results, drawn, origin).save(out / "report.html")


def folder_of(out: Path, dataset: str) -> Path:
    """Where the study of one of several datasets lies."""
    return out.with_name(f"{out.name}-{dataset}")


def _drawings(benchmarks: Sequence[Benchmark], data: Mapping[str, Dataset]) -> dict[str, Figure]:
    return {
        "fig2-samples": figures.samples({one.title: data[one.dataset] for one in benchmarks}),
        "fig3-accuracy": figures.accuracies(benchmarks),
        "table1-types": figures.centroids(benchmarks),
        "fig6-elbow": figures.elbows(benchmarks),
        "fig7-occurrence": figures.occurrences(benchmarks),
    }


def _images_of_one(out: Path, shown: Benchmark, first_one: Benchmark) -> dict[str, Path]:
    """Images that the study of one benchmark drew."""
    images = {name: folder_of(out, shown.dataset) / "figures" / f"{name}.png" for name in OF_ONE}
    first = folder_of(out, first_one.dataset) / "figures"
    images |= {name: first / f"{name}.png" for name in ("initializations", "table1-released")}
    return {name: path for name, path in images.items() if path.exists()}


def shrink(source: Path, target: Path, limit: int = LARGEST_IMAGE) -> None:
    """A copy of an image in at most 256 colours, and in ever fewer pixels until it has no more bytes than the limit."""
    with Image.open(source) as opened:
        image = opened.convert("RGB")
    while True:
        buffer = io.BytesIO()
        image.quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= limit or min(image.size) < 100:
            break
        image = image.resize((image.width * 4 // 5, image.height * 4 // 5), Image.Resampling.LANCZOS)
    with replacing(target) as part:
        part.write_bytes(buffer.getvalue())
