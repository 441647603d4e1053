"""``synaplex measure`` of checkpoints: a row a tensor, as the library gives it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from safetensors.torch import save_file
from typer.testing import CliRunner

import synaplex as sx
from synaplex.cli import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    places = {}
    for number, shape in enumerate([(8, 4), (3, 2, 5, 5), (6,)]):
        name, file = f"layer.{number}.weight", f"model-{number + 1:05}-of-00003.safetensors"
        save_file({name: torch.randn(shape, generator=generator)}, tmp_path / file)
        places[name] = file
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return tmp_path


@pytest.mark.parametrize("name", [".", "model.safetensors.index.json"])
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_folder_or_its_index_is_measured_tensor_by_tensor(folder: Path, name: str, suffix: str) -> None:
    (folder / "out").mkdir()
    out = folder / "out" / f"tensors.{suffix}"
    result = CliRunner().invoke(app, ["measure", str(folder / name), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "3 tensors, 188 values in 3 files" in result.stdout
    assert "3 x 2 x 5 x 5" in result.stdout
    written = pl.read_parquet(out) if suffix == "parquet" else pl.read_csv(out)
    expected = sx.measure_file(folder)
    columns = ["name", "parameters", "mean", "std", "median", "in_strength_std"]
    assert_frame_equal(written.select(columns), expected.select(columns))


def test_convolutions_are_measured_when_asked(tmp_path: Path) -> None:
    torch.save({"state_dict": {"module.conv.weight": torch.ones(4, 3, 3, 3)}}, tmp_path / "net.th")
    refused = CliRunner().invoke(app, ["measure", str(tmp_path / "net.th")])
    assert refused.exit_code == 1
    assert "--tensors" in refused.stderr
    result = CliRunner().invoke(app, ["measure", str(tmp_path / "net.th"), "--tensors"])
    assert result.exit_code == 0, result.output
    assert "module.conv.weight" in result.stdout


@pytest.mark.parametrize(
    "words", [("--measures", "strength"), ("--method", "exact"), ("--undefined", "null"), ("--tolerance", "0")]
)
def test_options_about_neurons_are_refused(folder: Path, words: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["measure", str(folder), *words])
    assert result.exit_code == 2
    assert "tensor by tensor" in result.stderr
    assert f"leave out {words[0]}, about" in result.stderr
