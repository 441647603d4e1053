"""The study from end to end on a few digits networks."""

import shutil

import polars as pl
import pytest

from synaplex.cli.study_options import parse_options
from synaplex.datasets import load
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.studies import studies
from synaplex.studies.files import write_tables
from synaplex.studies.la_malfa_2024.claims import CLAIMS
from synaplex.studies.la_malfa_2024.run import Job, compute
from synaplex.studies.la_malfa_2024.run import tables as made
from synaplex.studies.stages import stages
from tests.studies.la_malfa_2024.conftest import TINY


def tables(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "tables").iterdir())}


def test_everything_is_there(finished):
    page = (finished / "report.html").read_text()
    found = pl.read_parquet(finished / "tables" / "findings.parquet")
    assert len(found) == len(CLAIMS) + 1
    assert set(found["verdict"]) <= {"holds", "fails", "undecided"}
    for name in ("fig2-architectures", "fig3-heat", "fig4-activations", "fig5-depth-7-sigmoid", "depths"):
        assert [path.suffix for path in sorted((finished / "figures").glob(f"{name}*"))] == [".png", ".svg"], name
        assert f'id="{name}' in page
    text = (finished / "la-malfa-2024.md").read_text()
    assert "synaplex study la-malfa-2024 --scale small --dataset digits --seed 0" in text
    assert all(claim.statement in text for claim in CLAIMS)
    for line in text.splitlines():
        if line.startswith("!["):
            assert (finished / line.split("(")[1].rstrip(")")).is_file()


def test_each_claim_is_tested_where_it_applies(finished):
    tests = pl.read_parquet(finished / "tables" / "tests.parquet")
    assert (tests["low"] <= tests["high"]).all()
    assert (tests["networks"] == 2).all()
    depth = tests.filter(pl.col("claim") == "depth strength FC")
    assert set(depth["layer"]) == {4, 7}
    assert set(depth["depth"]) == {7}
    assert set(tests.filter(pl.col("claim") == "RNN kurtosis")["kind"]) == {"rnn"}
    # A shuffled link has the weights that it had.
    balanced = tests.filter(pl.col("claim") == "balanced")
    assert len(balanced)
    assert balanced["value"].to_list() == pytest.approx(balanced["shuffled"].to_list())
    # Before training, half of the weights are negative.
    assert float((balanced["untrained"] - 0.5).abs().max()) < 0.12


def test_a_run_that_lost_pieces_makes_the_same_tables(finished, tmp_path):
    copy = tmp_path / "study"
    shutil.copytree(finished, copy)
    (lost,) = (copy / "pieces").glob("digits-rnn-3-sigmoid-*")
    before = {path.name: path.stat().st_mtime_ns for path in (copy / "pieces").iterdir()}
    lost.unlink()
    shutil.rmtree(copy / "populations" / "digits-rnn-3-sigmoid")
    shutil.rmtree(copy / "tables")
    digits = load("digits").subset(TINY.train_size, TINY.test_size)
    results = compute(copy, Job((digits,), TINY, "small", 0), stages(False))
    write_tables(made(results), copy / "tables")
    assert tables(copy) == tables(finished)
    after = {path.name: path.stat().st_mtime_ns for path in (copy / "pieces").iterdir()}
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} == {lost.name}


def test_what_it_refuses(tmp_path):
    study = studies()["la-malfa-2024"]
    with pytest.raises(SpecificationError, match="--scale large"):
        parse_options(study, ["--scale", "large"])
    with pytest.raises(SpecificationError, match="seed from 0 to 399"):
        study.run(tmp_path, dataset="digits", seed=400)
    with pytest.raises(UnknownNameError, match="digit"):
        study.run(tmp_path, dataset="digit")
    assert not list(tmp_path.iterdir())
