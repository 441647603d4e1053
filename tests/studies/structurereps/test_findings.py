"""Tables hold the means they say, and verdicts follow from numbers that could have been others."""

import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_1samp

from synaplex.studies.structurereps.findings import (
    Difference,
    ablation_findings,
    difference,
    network_findings,
    paper_findings,
)
from synaplex.studies.structurereps.methods import BLIND, COMPLEX, ENCODERS, EPOCH, OWN, STATISTICS, UNTRAINED
from synaplex.studies.structurereps.splits import EPOCHS, HALF
from synaplex.studies.structurereps.tables import mean_scores, paper_table, trajectory_table

TASKS = ("two-moons", "covtype", "cifar10")
METHODS = (*ENCODERS, f"{OWN}{BLIND}", f"GC+LF{BLIND}", UNTRAINED, STATISTICS, EPOCH)


def made_up(best: str) -> pl.DataFrame:
    """Fits of three tasks and five seeds in which one method is well ahead; GC+LF sees nothing without weights."""
    generator = np.random.default_rng(0)
    rows = []
    for task in TASKS:
        for split in (EPOCHS, HALF):
            for fold in range(5):
                for name in METHODS:
                    if split == HALF and name.endswith(BLIND):
                        continue
                    for target in ("train", "test"):
                        value = (0.9 if name == best else 0.3) + generator.normal() * 0.02
                        blind = name == f"GC+LF{BLIND}"
                        scores = dict.fromkeys(("pearson", "kendall", "r2"), None if blind else value)
                        named = {"task": task, "split": split, "fold": fold, "method": name, "target": target}
                        rows.append({**named, "decoder": "linear", **scores, "seconds": 1.0})
    return pl.DataFrame(rows, infer_schema_length=None)


def verdicts(best: str) -> dict[str, str]:
    fits = made_up(best)
    return {one.statement: one.verdict for one in paper_findings(fits, trajectory_table(fits))}


def verdict(found: dict[str, str], words: str) -> str:
    (only,) = (verdict for statement, verdict in found.items() if words in statement)
    return only


def test_verdicts_follow_the_numbers():
    own, statistics, time = verdicts(OWN), verdicts(STATISTICS), verdicts(EPOCH)
    assert verdict(own, "Of the four encoders") == "holds"
    assert verdict(own, "better than a handful of weight statistics") == "holds"
    assert verdict(statistics, "better than a handful of weight statistics") == "fails"
    assert verdict(time, "better than a handful of weight statistics") == "undecided"
    assert verdict(own, "reaches the published correlation") == "holds"
    assert verdict(statistics, "reaches the published correlation") == "fails"
    assert verdict(own, "number of the epoch") == "holds"
    assert verdict(time, "number of the epoch") == "fails"
    assert verdict(own, "nothing of dense networks") == "fails"


def gaps(by_task: dict[str, list[float | None]]) -> pl.DataFrame:
    """Fits in which EA+TC+LF is so far above weight statistics, one number a seed; None where it has no correlation."""
    rows = []
    for task, seeds in by_task.items():
        for fold, gap in enumerate(seeds):
            for name, value in ((OWN, None if gap is None else 0.5 + gap), (STATISTICS, 0.5)):
                named = {"task": task, "split": EPOCHS, "fold": fold, "method": name, "target": "train"}
                rows.append({**named, "decoder": "linear", "pearson": value, "kendall": value, "r2": value})
    return pl.DataFrame(rows, infer_schema_length=None)


def test_the_unit_of_a_difference_is_the_task():
    by_task = {"two-moons": [-0.6, -0.4, -0.2], "covtype": [0.0, 0.1, 0.2], "cifar10": [None, -0.1, None]}
    found = difference(gaps(by_task), EPOCHS, "train", STATISTICS)
    means = [np.mean([gap for gap in seeds if gap is not None]) for seeds in by_task.values()]
    interval = ttest_1samp(means, 0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(means), interval.low, interval.high))
    assert (found.tasks, found.fits) == (3, 7)


def test_seeds_more_make_no_task_more_certain():
    few = difference(gaps({"two-moons": [-0.4], "covtype": [-0.1]}), EPOCHS, "train", STATISTICS)
    many = difference(gaps({"two-moons": [-0.4] * 50, "covtype": [-0.1] * 2}), EPOCHS, "train", STATISTICS)
    assert (many.mean, many.low, many.high) == pytest.approx((few.mean, few.low, few.high))
    assert many.low < 0 < many.high


def test_one_task_gives_a_difference_without_interval():
    found = difference(gaps({"covtype": [-0.2, -0.4]}), EPOCHS, "train", STATISTICS)
    assert str(found) == "−0.30 (one task has no interval)"
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert str(difference(gaps({"covtype": [None]}), EPOCHS, "train", STATISTICS)) == "undefined"
    assert str(Difference(-0.08, -0.21, 0.05, 5, 25)) == "−0.08 (−0.21 to +0.05)"


def test_a_cell_says_of_how_many_seeds_it_is():
    fits = made_up(OWN).with_columns(
        pl.when((pl.col("task") == "cifar10") & (pl.col("split") == HALF) & (pl.col("fold") > 0))
        .then(None)
        .otherwise(pl.col("pearson"))
        .alias("pearson")
    )
    fits = fits.filter(~((pl.col("method") == f"{OWN}{BLIND}") & (pl.col("fold") > 1)))
    table = trajectory_table(fits)
    half, whole = paper_table(table, "test", HALF), paper_table(table, "test", EPOCHS)
    assert all(cell.endswith(", 1 of 5 seeds") and "(" not in cell for cell in half["cifar10"])
    assert not any("seeds" in cell for cell in half["covtype"])
    cells = dict(zip(whole["method"], whole["covtype"], strict=True))
    assert cells[f"{OWN}{BLIND}"].endswith("), 2 of 5 seeds")
    assert "seeds" not in cells[OWN] + cells[f"GC+LF{BLIND}"]


def test_tables_hold_means_variances_and_the_published_numbers():
    fits = made_up(OWN)
    table = trajectory_table(fits)
    row = table.filter(
        (pl.col("task") == "covtype")
        & (pl.col("method") == OWN)
        & (pl.col("target") == "test")
        & (pl.col("split") == EPOCHS)
    ).to_dicts()[0]
    values = fits.filter(
        (pl.col("task") == "covtype")
        & (pl.col("method") == OWN)
        & (pl.col("target") == "test")
        & (pl.col("split") == EPOCHS)
    )["pearson"].to_numpy()
    assert row["pearson"] == pytest.approx(values.mean())
    assert row["variance"] == pytest.approx(values.var(ddof=1))
    assert (row["published"], row["published_variance"]) == (0.86, 0.0595)
    shown = paper_table(table, "test", EPOCHS)
    assert shown.columns == ["method", *TASKS]
    cells = dict(zip(shown["method"], shown["covtype"], strict=True))
    assert cells[OWN].startswith(f"{values.mean():.2f} (")
    assert "paper 0.86 (0.0595)" in cells[OWN]
    assert cells[f"GC+LF{BLIND}"] == "constant"
    means = mean_scores(table, "split", ("pearson",))
    known = means.filter((pl.col("split") == HALF) & (pl.col("method") == EPOCH))["pearson, test"][0]
    half = fits.filter((pl.col("split") == HALF) & (pl.col("method") == EPOCH) & (pl.col("target") == "test"))
    assert known == pytest.approx(half["pearson"].mean())


def test_a_claim_about_many_tests_needs_most_of_them():
    def table(method: str, key: str, better: int, worse: int) -> pl.DataFrame:
        lows = [0.1] * better + [-0.3] * (10 - better)
        highs = [0.3] * (10 - worse) + [-0.1] * worse
        named = {"task": ["covtype"] * 10, "unseen": ["seed"] * 10, "target": ["test"] * 10, "method": [method] * 10}
        gaps = {f"{key}": [0.0] * 10, f"{key}_low": lows, f"{key}_high": highs}
        return pl.DataFrame({**named, **gaps})

    for better, expected in ((9, "holds"), (5, "undecided"), (1, "fails")):
        parts = [table(OWN, f"above {other}", better, 0) for other in (STATISTICS, COMPLEX, UNTRAINED, EPOCH)]
        whole = pl.concat([parts[0], *(part.select(part.columns[4:]) for part in parts[1:])], how="horizontal")
        assert {one.verdict for one in network_findings(whole)} == {expected}
    names = (
        "no edge attention",
        "no edge features in the convolutions",
        "no positional features",
        "no noise",
        "untrained",
    )
    for worse, expected in ((9, "holds"), (5, "undecided"), (0, "fails")):
        whole = pl.concat([table(name, "above everything", 0, worse) for name in names])
        assert {one.verdict for one in ablation_findings(whole)} == {expected}
