"""What `synaplex info` prints of populations of modules and of ONNX models."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from synaplex.cli import app
from synaplex.networks import cnn
from synaplex.population import Snapshot, train_modules
from synaplex.report.contents import tensors


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def onnx_model(path: Path) -> Path:
    """Two layers, the first stored ``(in, out)``."""
    onnx = pytest.importorskip("onnx")
    kind = onnx.TensorProto.FLOAT
    weights = {"first": torch.ones(6, 5), "second": torch.ones(3, 5)}
    held = [onnx.helper.make_tensor(name, kind, w.shape, w.flatten().tolist()) for name, w in weights.items()]
    nodes = [
        onnx.helper.make_node("MatMul", ["x", "first"], ["a"]),
        onnx.helper.make_node("Gemm", ["a", "second"], ["y"], transB=1),
    ]
    ends = [onnx.helper.make_tensor_value_info(name, kind, None) for name in ("x", "y")]
    onnx.save_model(onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", ends[:1], ends[1:], held)), str(path))
    return path


def norms(snapshot: Snapshot) -> pl.DataFrame:
    return pl.DataFrame({"seed": [seed for seed, _ in snapshot.modules()], "something": 1.0})


def test_a_population_of_modules(tmp_path: Path) -> None:
    network, store = cnn((1, 8, 8), 2, dense=(10,)), tmp_path / "store"
    trained = train_modules(
        network, "digits", seeds=range(3), steps=2, measure=norms, measured="of something", store=store, progress=False
    )
    code, out, _ = run("info", store)
    assert code == 0
    for word in ("3 networks", str(network), "of something", "after the last step", "0 networks have diverged"):
        assert word in out
    row = next(line.split() for line in out.splitlines() if "test_accuracy" in line)
    last = trained.networks().filter(step=2)["test_accuracy"]
    assert [float(value) for value in row[1:]] == pytest.approx(
        [last.mean(), last.std(), last.min(), last.max()], rel=1e-3
    )
    assert "seed, step, something" in out


def test_an_onnx_model_is_listed_with_the_reason(tmp_path: Path) -> None:
    file = onnx_model(tmp_path / "model.onnx")
    code, out, _ = run("info", file)
    assert code == 0
    for word in ("No graph", f"synaplex measure {file} --tensors", "2 tensors, 45 values", "5 × 6", "3 × 5", "float32"):
        assert word in out
    assert "zeros" not in out
    table = tensors(file)
    assert table["parameter"].to_list() == ["first", "second"]
    assert table["shape"].to_list() == [[5, 6], [3, 5]]


def test_a_folder_of_onnx_models_says_what_can_be_done(tmp_path: Path) -> None:
    file = onnx_model(tmp_path / "model.onnx")
    code, _, error = run("info", tmp_path)
    assert code == 1
    assert error.endswith(f"It holds files of weights: synaplex info {file} says what is in one")
    assert run("info", file)[0] == 0


def test_a_damaged_onnx_model_is_named(tmp_path: Path) -> None:
    file = onnx_model(tmp_path / "model.onnx")
    file.write_bytes(file.read_bytes()[:-20])
    code, out, error = run("info", file)
    assert (code, out) == (1, "")
    assert f"{file} is truncated or damaged" in error
