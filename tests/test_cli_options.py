"""Options of the command line whose values come from the model or from the study."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

import synaplex as sx
from synaplex.cli import app
from synaplex.cli.study_options import option_defaults, spell

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    shapes = {"fc1": (8, 6), "fc2": (5, 8), "fc3": (3, 5)}
    save_file(
        {f"{k}.weight": torch.randn(v, generator=generator) for k, v in shapes.items()}, tmp_path / "m.safetensors"
    )
    return tmp_path / "m.safetensors"


@pytest.mark.parametrize(("words", "layers"), [("fc1,3", [1, 3]), ("hidden", [1, 2]), ("-1", [3]), ("fc2", [2])])
def test_layers_by_name_and_index(run: Run, model: Path, tmp_path: Path, words: str, layers: list[int]) -> None:
    result = run("measure", model, "--measures", "node_strength", f"--layers={words}", "--out", tmp_path / "n.parquet")
    assert result.exit_code == 0, result.output
    frame = pl.read_parquet(tmp_path / "n.parquet")
    assert frame.equals(sx.measure(sx.load(model), "node_strength", layers=layers))
    assert "node_strength" in result.stdout.partition("How each measure read")[2]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--layers", "fc9"], ["unknown layer 'fc9'", "fc3"]),
        (["--layers", ","], ["names no layer"]),
        (["--measures", ""], ["no measure is named"]),
        (["--measures", "pagerank"], ["sx.graph.centrality(graph, 'pagerank')"]),
    ],
)
def test_wrong_choice_is_one_line(run: Run, model: Path, words: list[str], parts: list[str]) -> None:
    result = run("measure", model, *words)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    for part in parts:
        assert part in result.stderr


def test_undefined_values_name_the_options_as_they_are_typed(run: Run, tmp_path: Path) -> None:
    save_file({"fc1.weight": torch.eye(2), "fc2.weight": torch.eye(2)}, tmp_path / "apart.safetensors")
    result = run("measure", tmp_path / "apart.safetensors")
    assert result.exit_code == 1
    assert "current_flow_closeness" in result.stderr
    assert "--on-disconnected component" in result.stderr
    assert "--undefined null" in result.stderr
    assert run("measure", tmp_path / "apart.safetensors", "--undefined", "null").exit_code == 0


@pytest.mark.parametrize("name", sx.studies.studies())
def test_help_of_a_study_explains_each_of_its_options(run: Run, name: str) -> None:
    result = run("study", name, "--help")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    for option in option_defaults(sx.studies.studies()[name]):
        place = next(i for i, line in enumerate(lines) if line.startswith(f"  {spell(option)} "))
        assert any(line.startswith("      ") for line in lines[place + 1 : place + 4]), option
    assert "`" not in result.stdout
    assert set(lines) <= set(run("study", "--list").stdout.splitlines())


def test_help_of_a_study_lists_allowed_values(run: Run) -> None:
    assert "--scale small|paper  [default: small]" in run("study", "heath", "-h").stdout
    assert "--train / --no-train  [default: --train]" in run("study", "scabini", "--help").stdout
    assert "--networks N  [default: 300]" in run("study", "scabini", "--dataset", "digits", "--help").stdout
    result = run("study", "scabinni", "--help")
    assert result.exit_code == 2
    assert "did you mean 'scabini'" in result.stderr
