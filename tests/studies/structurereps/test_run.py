"""The study from end to end, on a few points and digits."""

import shutil

import polars as pl
import pytest

from synaplex.cli.study_options import parse_options
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.studies import studies
from synaplex.studies.files import write_tables
from synaplex.studies.stages import stages
from synaplex.studies.structurereps.methods import ABLATIONS, BASELINES, ENCODERS
from synaplex.studies.structurereps.recipe import SETTINGS
from synaplex.studies.structurereps.run import Job, compute
from synaplex.studies.structurereps.run import tables as made
from tests.studies.structurereps.conftest import TINY


@pytest.mark.slow
def test_everything_is_there(finished):
    page = (finished / "report.html").read_text()
    found = pl.read_parquet(finished / "tables" / "findings.parquet")
    assert set(found["topic"]) == {"paper", "networks", "population", "ablation", "shapes"}
    for name in ("curves", "tables", "networks", "population", "fig2-shapes", "ablation"):
        assert [path.suffix for path in sorted((finished / "figures").glob(f"{name}*"))] == [".png", ".svg"], name
        assert f'id="{name}' in page
    text = (finished / "structurereps.md").read_text()
    assert all(statement in text for statement in found["statement"])
    for line in text.splitlines():
        if line.startswith("!["):
            assert (finished / line.split("(")[1].rstrip(")")).is_file()
    tables = {path.stem: pl.read_parquet(path) for path in (finished / "tables").glob("*.parquet")}
    for name in ("trajectories", "networks"):
        assert {*ENCODERS, *BASELINES} <= set(tables[name]["method"])
    assert set(tables["ablation"]["method"]) == set(ABLATIONS)
    for name in ("networks", "ablation", "prediction"):
        known = tables[name].drop_nulls("kendall_low")
        assert (known["kendall_low"] <= known["kendall_high"]).all()
    assert (finished / "encoder" / "card.json").is_file()


@pytest.mark.slow
def test_a_run_that_lost_pieces_makes_the_same_tables(finished, tmp_path):
    copy = tmp_path / "study"
    shutil.copytree(finished, copy)
    lost = [next((copy / "fits" / "digits" / "width" / "0").glob("GC+LF-*"))]
    lost += list((copy / "population").glob("weight-statistics-*"))
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*.safetensors")}
    for path in lost:
        path.unlink()
    results = compute(copy, Job(TINY.tasks, "digits", TINY, "small", 0, None), stages(False))
    write_tables(made(results), copy / "tables")
    for path in (finished / "tables").glob("*.parquet"):
        one, other = pl.read_parquet(path), pl.read_parquet(copy / "tables" / path.name)
        assert one.drop("seconds", strict=False).equals(other.drop("seconds", strict=False)), path.name
    after = {path: path.stat().st_mtime_ns for path in copy.rglob("*.safetensors") if path.parent.name != "encoder"}
    changed = {path for path, time in after.items() if before.get(path) != time}
    assert changed == set(lost)


def test_what_it_refuses(tmp_path):
    study = studies()["structurereps"]
    with pytest.raises(SpecificationError, match="--scale large"):
        parse_options(study, ["--scale", "large"])
    with pytest.raises(SpecificationError, match="seed from 0 to 399"):
        study.run(tmp_path, seed=400)
    with pytest.raises(UnknownNameError, match="cifar10"):
        study.run(tmp_path, tasks="two-moons,cifar")
    assert not list(tmp_path.iterdir())


def test_shapes_have_equal_parameter_counts():
    ends = {"covtype": (54, 7)}
    for settings in SETTINGS.values():
        (task,) = settings.chosen(settings.shapes.task)
        counts = [task.network(hidden, *ends[task.name]).parameters for _, hidden in settings.shapes.hidden]
        assert max(counts) / min(counts) < 1.01
