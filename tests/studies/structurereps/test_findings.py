"""Tables hold the means they say, and verdicts follow from numbers that could have been others."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_rel

from synaplex.studies.structurereps.findings import ablation_findings, difference, network_findings, paper_findings
from synaplex.studies.structurereps.methods import BLIND, COMPLEX, ENCODERS, EPOCH, OWN, STATISTICS, UNTRAINED
from synaplex.studies.structurereps.splits import EPOCHS, HALF
from synaplex.studies.structurereps.tables import mean_scores, paper_table, trajectory_table

METHODS = (*ENCODERS, f"{OWN}{BLIND}", f"GC+LF{BLIND}", UNTRAINED, STATISTICS, EPOCH)


def made_up(best: str) -> pl.DataFrame:
    """Fits of two tasks and five seeds in which one method is well ahead; GC+LF sees nothing without weights."""
    generator = np.random.default_rng(0)
    rows = []
    for task in ("two-moons", "covtype"):
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


def test_the_interval_of_a_difference_is_that_of_a_paired_t_test():
    fits = made_up(OWN)
    mean, low, high, count = difference(fits, EPOCHS, "train", STATISTICS)
    own = fits.filter((pl.col("split") == EPOCHS) & (pl.col("target") == "train"))
    parts = [own.filter(pl.col("method") == name)["pearson"].to_numpy() for name in (OWN, STATISTICS)]
    test = ttest_rel(*parts)
    interval = test.confidence_interval(0.95)
    assert (mean, low, high) == pytest.approx((parts[0].mean() - parts[1].mean(), interval.low, interval.high))
    assert count == 10


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
    assert shown.columns == ["method", "two-moons", "covtype"]
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
