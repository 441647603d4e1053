"""`synaplex embed` and `synaplex rank`: what they print and write, and one clear line for what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

from synaplex.cli import app
from synaplex.encoders import embed, load_encoder, rank
from synaplex.graph import NeuralGraph
from synaplex.report.export import read_record
from tests.encoders.populations import FITTED, fitted, networks, write_checkpoint, write_encoder
from tests.encoders.structures import dense

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("saved") / "encoder", fitted())


@pytest.fixture
def run() -> Run:
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    """Five networks that the encoder has not seen, and one far outside."""
    made = [
        write_checkpoint(tmp_path / "run" / f"epoch-{i}.safetensors", networks().network(FITTED + i)) for i in range(5)
    ]
    usual = networks().network(FITTED + 9)
    wild = NeuralGraph.from_weights([link.weight * 10 for link in usual.links], [usual.biases[1], usual.biases[2]])
    return [*made, write_checkpoint(tmp_path / "wild.safetensors", wild)]


def failed(result: Result, code: int, *words: str) -> None:
    """Nothing on standard output, one line on standard error."""
    assert result.exit_code == code, result.output
    assert not result.stdout
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_rank_equals_the_library(run: Run, encoder: Path, models: list[Path], tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "new" / f"ranked{suffix}"
    result = run("rank", models[0].parent, models[-1], "--encoder", encoder, "--out", out)
    assert result.exit_code == 0, result.output
    expected = rank([models[0].parent, models[-1]], encoder)
    written = pl.read_parquet(out) if suffix == ".parquet" else pl.read_csv(out)
    assert written.columns == expected.table.columns
    assert written["model"].to_list() == expected.table["model"].to_list()
    np.testing.assert_array_equal(written["low"], expected.table["low"])
    record = read_record(out)
    assert record["warnings"] == list(expected.warnings)
    assert (record["coverage"], record["card"]) == (0.9, {"dataset": "none"})
    printed = [line.split()[1] for line in result.stdout.splitlines() if "safetensors" in line and "Wrote" not in line]
    assert [f"{tmp_path}/{name}" for name in printed] == expected.table["model"].to_list()
    assert f"Models are in {tmp_path}/\n" in result.stdout
    for word in ("90%", "predicted", "low", "high", "100 networks", "ridge", "dataset none"):
        assert word in result.stdout
    warning = next(line for line in result.stderr.splitlines() if "outside the population" in line)
    assert warning.startswith("Warning: ")
    assert "wild.safetensors" in warning
    assert "epoch-1" not in warning


def test_rank_of_usual_networks_warns_of_nothing(run: Run, encoder: Path, models: list[Path]) -> None:
    result = run("rank", *models[:2], "--encoder", encoder, "--coverage", "0.5")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert "50%" in result.stdout
    assert "outside" not in result.stdout


def test_rank_of_errors(run: Run, encoder: Path, models: list[Path], tmp_path: Path) -> None:
    """The word of the command line counts, else that of the decoder."""
    of_errors = write_encoder(tmp_path / "errors", fitted(larger_is_better=False))
    smallest = rank(models, encoder).table["model"].to_list()[::-1]
    for place, words, best in (
        (of_errors, (), smallest),
        (encoder, ("--smaller-is-better",), smallest),
        (of_errors, ("--larger-is-better",), smallest[::-1]),
    ):
        out = tmp_path / "ranked.csv"
        result = run("rank", *models, "--encoder", place, *words, "--out", out)
        assert result.exit_code == 0, result.output
        assert pl.read_csv(out)["model"].to_list() == best
        assert read_record(out)["larger_is_better"] == (best != smallest)
        assert ("smaller is better" if best == smallest else "larger is better") in result.stdout


def test_embed_equals_the_library(run: Run, encoder: Path, models: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "embedded.parquet"
    result = run("embed", *models, "--encoder", encoder, "--nearest", "2", "--out", out)
    assert result.exit_code == 0, result.output
    expected = embed(models, load_encoder(encoder))
    assert pl.read_parquet(out).equals(expected.table())
    beside = pl.read_parquet(tmp_path / "embedded-nearest.parquet")
    assert beside.equals(expected.nearest(2))
    for word in ("6 models in 24 dimensions", "6-5-3", "wild.safetensors", "neighbour", "performance", "seed "):
        assert word in result.stdout
    own = run("embed", *models, "--encoder", encoder, "--nearest", "1", "--among", "given")
    assert own.exit_code == 0, own.output
    assert "seed " not in own.stdout
    assert "performance" not in own.stdout


def test_embed_warns_of_what_lies_outside_as_rank_does(
    run: Run, encoder: Path, models: list[Path], tmp_path: Path
) -> None:
    """A network of another layout may lie near: its distance alone would read as if it belonged there."""
    other = write_checkpoint(tmp_path / "other.safetensors", dense(None, 6, 9, 3, spread=True))
    out = tmp_path / "embedded.parquet"
    result = run("embed", models[0], models[-1], other, "--encoder", encoder, "--out", out)
    assert result.exit_code == 0, result.output
    away, layout = result.stderr.strip().splitlines()
    assert away.startswith("Warning: outside the population")
    assert "wild.safetensors" in away
    assert layout == f"Warning: no network that the encoder was fitted on has this layout: {other} (6-9-3)"
    assert "outside" in result.stdout
    ranked = rank([models[0], models[-1], other], encoder)
    assert pl.read_parquet(out)["outside"].to_list() == [False, True, True]
    assert dict(zip(ranked.table["model"], ranked.table["outside"], strict=True)) == dict(
        zip(map(str, (models[0], models[-1], other)), [False, True, True], strict=True)
    )
    assert len(read_record(out)["warnings"]) == 2
    usual = run("embed", *models[:2], "--encoder", encoder)
    assert (usual.stderr, "outside" in usual.stdout) == ("", False)


def test_embed_of_networks_seen_and_many(run: Run, encoder: Path, models: list[Path], tmp_path: Path) -> None:
    for i in range(45):
        write_checkpoint(tmp_path / "many" / f"{i}.safetensors", networks().network(i))
    result = run("embed", tmp_path / "many", "--encoder", encoder)
    assert result.exit_code == 0, result.output
    assert "fitted" in result.stdout
    assert "and 5 rows more" in result.stdout


def test_wrong_input_is_one_line(run: Run, encoder: Path, models: list[Path], tmp_path: Path) -> None:
    good = models[0]
    for command in ("embed", "rank"):
        failed(run(command, "--encoder", encoder), 2, "no models are given")
        failed(run(command, good, "--encoder", tmp_path), 1, "no folder of an encoder", str(tmp_path))
        failed(run(command, tmp_path / "none.pt", "--encoder", encoder), 1, "none.pt does not exist")
        failed(run(command, encoder, "--encoder", encoder), 1, "is an encoder, not a model")
        failed(run(command, good, good, "--encoder", encoder), 2, "given twice")
        failed(run(command, good, "--encoder", encoder, "--out", tmp_path / "table.txt"), 2, ".parquet")
        for folder in (".", tmp_path):
            failed(run(command, good, "--encoder", encoder, "--out", folder), 2, ".parquet")
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        failed(run(command, good, "--encoder", encoder, "--out", tmp_path / "folder.csv"), 1, "folder of that name")
        assert run(command, good).exit_code == 2  # which encoder?
    failed(run("rank", good, "--encoder", encoder, "--coverage", "1.5"), 2, "coverage")
    failed(run("embed", good, "--encoder", encoder, "--among", "all"), 2, "--among all")
    failed(run("embed", good, "--encoder", encoder, "--nearest", "-1"), 2, "--nearest -1")
    failed(run("embed", good, "--encoder", encoder, "--nearest", "1", "--among", "given"), 2, "no neighbours")
    copied = tmp_path / "copied.safetensors"
    copied.write_bytes(good.read_bytes())
    failed(run("rank", good, copied, "--encoder", encoder), 2, "same weights")


def test_a_checkpoint_of_unknown_layout_is_one_line(run: Run, encoder: Path, tmp_path: Path) -> None:
    strange, split = tmp_path / "image.safetensors", tmp_path / "split.safetensors"
    save_file({"conv.weight": torch.zeros(3, 1, 3, 3)}, strange)
    save_file({"a.weight": torch.rand(5, 6), "b.weight": torch.rand(4, 7)}, split)
    for command in ("embed", "rank"):
        failed(run(command, strange, "--encoder", encoder), 1, "image.safetensors", "sx.graph")
        failed(run(command, split, "--encoder", encoder), 1, "do not chain", "--chain name,name")
        result = run(command, split, "--encoder", encoder, "--chain", "a")
        assert result.exit_code == 0, result.output


def test_an_encoder_without_a_decoder_embeds_and_does_not_rank(run: Run, models: list[Path], tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "encoder", replace(fitted(), decoder=None))
    assert run("embed", models[0], "--encoder", folder).exit_code == 0
    failed(run("rank", models[0], "--encoder", folder), 2, "without a decoder", "save_encoder")


def test_another_layout_is_warned_of(run: Run, encoder: Path, tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "deep.safetensors", dense(None, 6, 5, 5, 4, 3))
    result = run("rank", other, "--encoder", encoder)
    assert result.exit_code == 0, result.output
    assert "deep.safetensors (6-5-5-4-3)" in result.stderr


@pytest.mark.parametrize("command", ["embed", "rank"])
def test_help_shows_examples(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.count(f"synaplex {command}") >= 3


def test_stopping_leaves_nothing_half_written(
    run: Run, encoder: Path, models: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synaplex.encoders.StructureEncoder.transform", stop)
    result = run("rank", *models, "--encoder", encoder, "--out", tmp_path / "ranked.csv")
    assert result.exit_code == 130
    assert "whole or not at all" in result.stderr
    assert not (tmp_path / "ranked.csv").exists()
