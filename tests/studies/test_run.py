"""The study end to end: what it writes, and that it writes the same again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.population import Population
from synaplex.studies import studies
from synaplex.studies.files import write_tables
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.findings import findings, findings_table
from tests.studies.conftest import EPOCHS, NETWORKS


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "tables").iterdir())}


def test_a_study_writes_a_report_with_tables_and_figures(study: Path, results: Results) -> None:
    page = (study / "report.html").read_text(encoding="utf-8")
    assert f"Here the same is done with {NETWORKS} networks 64-32-16-10" in page
    assert 'src="http' not in page
    written = {path.name for path in (study / "tables").iterdir()}
    assert written == {f"{name}.{kind}" for name in [*results.tables, "findings"] for kind in ("csv", "parquet")}
    figures = {path.suffix for path in (study / "figures").iterdir()}
    assert figures == {".png", ".svg"}
    for path in (study / "figures").glob("*.svg"):
        assert path.stem in page


def test_csv_and_parquet_hold_the_same(study: Path) -> None:
    for path in sorted((study / "tables").glob("*.parquet")):
        table = pl.read_parquet(path)
        text = pl.read_csv(path.with_suffix(".csv"), schema=table.schema)
        assert_frame_equal(text, table)


def test_every_snapshot_and_network_is_in_the_tables(study: Path) -> None:
    networks = pl.read_parquet(study / "tables" / "networks.parquet")
    assert networks["seed"].to_list() == list(range(NETWORKS))
    assert networks["group"].value_counts().drop_nulls().sort("group")["count"].to_list() == [5, 5, 5]
    types = pl.read_parquet(study / "tables" / "epochs_types.parquet")
    assert types["epoch"].to_list() == list(range(EPOCHS + 1))
    assert types["settled"][-1] == 1.0
    shares = networks.select(pl.sum_horizontal(f"type_{index}" for index in range(1, 7))).to_series()
    assert shares.to_list() == pytest.approx([1.0] * NETWORKS)


def test_a_second_analysis_gives_the_same_tables_byte_for_byte(study: Path, results: Results, tmp_path: Path) -> None:
    write_tables({**results.tables, "findings": findings_table(findings(results))}, tmp_path / "tables")
    assert tables(tmp_path) == tables(study)


def test_nothing_in_the_tables_says_when_or_where(study: Path) -> None:
    record = json.loads((study / "population" / "population.json").read_text())
    for content in tables(study).values():
        assert str(study).encode() not in content
        assert record["dataset_digest"].encode() not in content


def test_too_little_is_refused(tmp_path: Path) -> None:
    run = studies()["scabini"].run
    with pytest.raises(SpecificationError, match="5 networks are too few"):
        run(tmp_path, networks=5, progress=False)
    with pytest.raises(SpecificationError, match="at least one epoch"):
        run(tmp_path, networks=20, epochs=0, progress=False)
    with pytest.raises(SpecificationError, match="seed from 0"):
        run(tmp_path, networks=20, seed=-1, progress=False)
    with pytest.raises(UnknownNameError, match="'digits'"):
        run(tmp_path, dataset="digit", progress=False)
    assert not list(tmp_path.iterdir())


def test_jobs_train_chunks_of_one_study(tmp_path: Path) -> None:
    run = studies()["scabini"].run
    scale = {"networks": 20, "epochs": 1, "chunk_size": 10, "progress": False}
    for number, missing in ((1, 10), (0, 0)):
        store = run(tmp_path, **scale, chunks=str(number))
        assert Population.open(store).missing == missing
    assert [path.name for path in tmp_path.iterdir()] == ["population"]
    with pytest.raises(SpecificationError, match="chunks"):
        run(tmp_path, **scale, chunks="2-3")
    with pytest.raises(UnknownNameError, match="did you mean 'ray'"):
        run(tmp_path, **scale, engine="rays")
    with pytest.raises(SpecificationError, match="options of the engine 'ray'"):
        run(tmp_path, **scale, address="auto")


CALL = "import sys; from pathlib import Path; from tests.studies.conftest import run_quickly; "
CALL += "run_quickly(Path(sys.argv[1]), chunk_size=4)"


def start(folder: Path) -> "subprocess.Popen[bytes]":
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen([sys.executable, "-c", CALL, str(folder)], cwd=root)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], float]:
    """The tables of a study in a process of its own, and how long it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    began = time.monotonic()
    assert start(folder).wait() == 0
    return tables(folder), time.monotonic() - began


@pytest.mark.slow
def test_a_study_killed_in_every_stage_ends_with_the_same_tables(
    undisturbed: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    for sign in ("population/**/*.safetensors", "population/**/*.safetensors", "tables/*"):
        process = start(tmp_path)
        while not list(tmp_path.glob(sign)):
            assert process.poll() is None
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (tmp_path / "report.html").exists()
    assert start(tmp_path).wait() == 0
    assert tables(tmp_path) == undisturbed[0]


@pytest.mark.slow
def test_a_study_killed_twenty_times_ends_with_the_same_tables(
    undisturbed: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    expected, duration = undisturbed
    moments, kills, finished = random.Random(0), 0, 0
    while kills < 20:
        folder = tmp_path / str(finished)
        process = start(folder)
        try:
            assert process.wait(moments.uniform(0, duration)) == 0
            assert tables(folder) == expected
            finished += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    assert start(tmp_path / str(finished)).wait() == 0
    assert tables(tmp_path / str(finished)) == expected
