"""Files that make no graph, on the command line: advice that the command which gives it can follow."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from synaplex.cli import app

CHAIN, TENSORS = "--chain name,name", "synaplex measure FILE --tensors"


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def branches(tmp_path: Path) -> Path:
    """Weights that do not chain."""
    save_file({"a.weight": torch.ones(5, 6), "b.weight": torch.ones(3, 4)}, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("command", ["measure", "report", "compare"])
def test_only_options_that_there_are_are_named(branches: Path, command: str) -> None:
    code, _, error = run(command, *[branches] * (2 if command == "compare" else 1))
    assert code == 1
    assert TENSORS in error
    assert (CHAIN in error) == (command != "compare")
    assert error.count("--tensors") == 1  # as an option of measure, and of nothing else


def test_a_chain_out_of_branches(branches: Path) -> None:
    code, out, _ = run("measure", branches, "--chain", "b", "--measures", "strength")
    assert code == 0
    assert "4-3" in out


def test_an_onnx_file_has_a_way_too(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"\x08\x07\x12\x04test")
    code, _, error = run("measure", tmp_path / "x.onnx")
    assert code == 1
    assert TENSORS in error
    assert CHAIN not in error


def test_a_folder_of_weights_is_no_population_and_says_so(branches: Path) -> None:
    code, _, error = run("info", branches.parent)
    assert code == 1
    assert f"holds no population: there is no population.json. It holds files of weights: synaplex info {branches}" in (
        " ".join(error.split())
    )
    assert f"synaplex measure {branches.parent} " in error
    assert run("measure", branches.parent)[0] == 0  # what it says can be done
    assert TENSORS.replace("FILE", str(branches)) in " ".join(run("info", branches)[1].split())
    branches.unlink()
    assert run("info", branches.parent)[2].rstrip().endswith("there is no population.json")


def test_an_order_that_is_assumed_is_said_in_one_line(tmp_path: Path) -> None:
    state = {"a.weight": torch.eye(4), "b.weight": torch.eye(4)}
    torch.save(state, tmp_path / "m.pt")
    code, _, error = run("measure", tmp_path / "m.pt", "--measures", "strength")
    assert code == 0
    (line,) = error.strip().splitlines()
    assert line.startswith("Warning: ")
    assert CHAIN in line
    assert run("measure", tmp_path / "m.pt", "--measures", "strength", "--chain", "b,a")[2] == ""
    assert "Warning: " in run("info", tmp_path / "m.pt")[1]
