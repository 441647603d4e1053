"""The study from end to end on small digits networks, part by part."""

from pathlib import Path

import polars as pl
import pytest

from synaplex.cli.study_options import parse_options
from synaplex.datasets import load
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.studies import studies
from synaplex.studies.heath import recipe
from synaplex.studies.heath.analysis import analyse
from synaplex.studies.heath.analysis import tables as made
from synaplex.studies.heath.page import PLACES
from synaplex.studies.heath.plan import SETTINGS, chosen, groups
from synaplex.studies.heath.results_page import results_markdown
from synaplex.studies.heath.run import Asked, gather, run, train
from synaplex.studies.heath.training import Course
from synaplex.studies.machine import Origin
from synaplex.studies.stages import stages
from tests.studies.heath.networks import settings

TINY = settings(
    epochs={"final": 13, "wide": 2, "narrow": 2, "grid": 2},
    seeds={"final-released": 2, "final-stated": 0, "wide-released": 1, "narrow-released": 0, "grid": 2},
    wide=(0.5, 4.0),
    drops=("random", "SET"),
    grows=("random", "gradient"),
    train_size=150,
    test_size=50,
    snapshots=12,
    last=2,
)
"""Rules that read the graph are left to the tests of training, for each network is traced for them."""


ASKED = Asked("small", "digits")


def session(out, patterns):
    """Train a part of the plan and analyse what there is; the tables and the page."""
    data = load("digits").subset(TINY.train_size, TINY.test_size)
    plan, course = tuple(groups("digits", TINY, 0)), Course.of(data, TINY)
    train(out, chosen(plan, patterns), course, stages(False), False)
    results = gather(out, plan, course, data, ASKED)
    analysis = analyse(results)
    page = results_markdown(results, analysis, Origin(ASKED.command(Path("out")), {}, 0.0), "heath", [])
    return made(results, analysis), page


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """A plan that was trained in two sessions: the folder, tables and page after each."""
    patch, out = pytest.MonkeyPatch(), tmp_path_factory.mktemp("heath")
    patch.setattr(recipe, "FASHION", (24, 16, 12))
    found = [session(out, patterns) for patterns in ("final-released-0,grid-1", "*")]
    patch.undo()
    return out, *found


def test_a_part_is_reported_as_a_part(sessions):
    _, (tables, page), _ = sessions
    assert "| final-released-0 | 3 | 13 | 13 | finished |" in page
    assert "Not begun: final-released-1, final-dense-released-0" in page
    assert set(tables["standing"]["state"]) == {"finished", "not begun"}
    assert tables["differences"]["low"].null_count() == len(tables["differences"])  # of one seed
    assert "SET − static" in page


def test_what_is_not_planned_is_no_claim(sessions):
    out, _, _ = sessions
    plan = tuple(group for group in groups("digits", TINY, 0) if group.stage == "final")
    results = gather(out, plan, Course.of(load("digits").subset(150, 50), TINY), load("digits"), ASKED)
    page = results_markdown(results, analyse(results), Origin("none", {}, 0.0), "heath", [])
    assert "beats dropping at random" not in page
    assert "## Does centrality help?" not in page
    assert "- scale: small: epochs final 13; seeds" in page


def test_the_whole_is_there(sessions):
    _, _, (tables, page) = sessions
    assert set(tables["standing"]["state"]) == {"finished"}
    assert "Not begun" not in page
    assert "synaplex study heath --scale small --dataset digits --seed 0 --out out" in page
    assert set(tables["findings"]["verdict"]) <= {"holds", "fails", "undecided"}
    assert all(row in page for row in tables["findings"]["statement"])
    assert "3.7 sigma" in page


def test_tables_say_what_the_networks_did(sessions):
    _, _, (tables, _) = sessions
    epochs = tables["epochs"].filter((pl.col("recipe") == "released") & (pl.col("stage") == "final"))
    ends = epochs.filter(pl.col("epoch") > 11).group_by("method", "seed").agg(pl.col("test_accuracy").mean())
    table = {(name, seed): value for name, seed, value in ends.rows()}
    wanted = [100 * (table["SET", seed] - table["MLP", seed]) for seed in (0, 1)]
    row = tables["differences"].row(
        by_predicate=(pl.col("difference") == "SET − MLP") & (pl.col("recipe") == "released"), named=True
    )
    assert row["points"] == pytest.approx(sum(wanted) / 2)
    assert row["seeds"] == 2
    assert row["low"] <= row["points"] <= row["high"]
    # The paper counts from the epoch that is behind it.
    first = tables["centralities"].row(by_predicate=(pl.col("method") == "SET") & (pl.col("epoch") == 0), named=True)
    own = epochs.filter((pl.col("method") == "SET") & (pl.col("epoch") == 1))
    assert first["released sigma"] == pytest.approx(own["released_sigma"].mean())
    searched = tables["thresholds"].filter(pl.col("search") == "wide")
    assert searched["k"].to_list() == [0.5, 4.0]
    assert searched["connections a round %"].is_sorted(descending=True)
    grid = tables["grid"]
    assert grid.filter(pl.col("cell") == "SET / random")["points"].item() == 0
    assert grid["dropped a round %"].to_list() == pytest.approx([0.0, 5, 5, 5, 5], abs=0.8)
    assert (grid["p, corrected"] >= grid["p"]).drop_nulls().all()


def test_nothing_is_trained_twice(sessions, monkeypatch):
    out, _, (tables, page) = sessions
    monkeypatch.setattr(recipe, "FASHION", (24, 16, 12))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("finished.json")}
    again, text = session(out, "*")
    assert text == page
    assert all(again[name].equals(table) for name, table in tables.items())
    assert {path: path.stat().st_mtime_ns for path in out.rglob("finished.json")} == before


@pytest.mark.slow
def test_the_whole_run_with_its_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "FASHION", (24, 16, 12))
    asked, out = Asked("small", "digits", 0, "*"), tmp_path / "study"
    page = run(out, asked, data_dir=None, results_page=out / "heath.md", progress=False, settings=TINY).read_text()
    text = (out / "heath.md").read_text()
    for name in PLACES:
        assert [path.suffix for path in sorted((out / "figures").glob(f"{name}.*"))] == [".png", ".svg"], name
        assert f'id="{name}' in page
        assert (out / "heath" / f"{name}.png").is_file()
        assert f"](heath/{name}.png)" in text
    assert {path.stem for path in (out / "tables").iterdir()} >= {"epochs", "final", "thresholds", "grid", "findings"}
    for path in (out / "tables").glob("*.csv"):
        assert len(path.read_text()) > 10, path


def test_plans():
    for (scale, dataset), given in SETTINGS.items():
        plan = list(groups(dataset, given, 0))
        assert len({group.name for group in plan}) == len(plan), (scale, dataset)
    plan = list(groups("fashion-mnist", SETTINGS["paper", "fashion-mnist"], 0))
    named = {group.name: group for group in plan}
    assert [one.name for one in named["final-released-0"].methods] == ["static", "SET", "CenSET 2.6"]
    assert len(named["wide-released-2"].methods) == 9
    assert "CenSET 2.6" not in [one.name for one in named["narrow-released-0"].methods]
    assert len(named["narrow-released-0"].methods) == 10
    assert len(named["grid-4"].methods) == 26
    narrow = [group for group in groups("cifar10", SETTINGS["paper", "cifar10"], 0) if group.stage == "narrow"]
    assert [one.name for one in narrow[0].methods] == ["CenSET 2", "CenSET 2.8", "CenSET 4"]
    assert {group.name for group in chosen(plan, "grid-0, final-*-1")} == {
        "grid-0", "final-released-1", "final-stated-1", "final-dense-released-1", "final-dense-stated-1",
    }  # fmt: skip
    assert chosen(plan, "none") == []
    assert {group.stage for group in chosen(plan, "thresholds")} == {"wide", "narrow"}
    assert chosen(plan, "centrality") == chosen(plan, "final")
    with pytest.raises(SpecificationError, match="final-released-0"):
        chosen(plan, "fianl")


def test_what_it_refuses(tmp_path):
    study = studies()["heath"]
    with pytest.raises(SpecificationError, match="--scale large"):
        parse_options(study, ["--scale", "large"])
    with pytest.raises(SpecificationError, match="none of the images"):
        study.run(tmp_path, dataset="two-moons")
    with pytest.raises(UnknownNameError, match="digit"):
        study.run(tmp_path, dataset="digit")
    with pytest.raises(SpecificationError, match="seed"):
        study.run(tmp_path, seed=-1)
    with pytest.raises(SpecificationError, match="no run is called 'all'"):
        study.run(tmp_path, runs="all")
    with pytest.raises(SpecificationError, match="no device 'abacus'"):
        study.run(tmp_path, device="abacus")
    assert not list(tmp_path.iterdir())
