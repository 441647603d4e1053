"""Initialisers of ONNX models, inside the model and beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from polars.testing import assert_frame_equal
from safetensors.torch import save_file

import synaplex as sx
from synaplex.errors import MissingExtraError, UnreadableFileError

onnx = pytest.importorskip("onnx")
RANDOM = np.random.default_rng(0)
WEIGHTS = {
    "matmul": RANDOM.normal(size=(6, 400)),
    "gemm": RANDOM.normal(size=(4, 400)).T.copy(),
    "linear": RANDOM.normal(size=(3, 4)),
    "bias": RANDOM.normal(size=3),
}
TURNED = ("matmul", "gemm")


def model(path: Path, dtype: str = "float32", *, external: bool = False, raw: bool = True) -> Path:
    helper = onnx.helper
    kind = onnx.TensorProto.FLOAT if dtype == "float32" else onnx.TensorProto.FLOAT16
    tensors = []
    for name, values in WEIGHTS.items():
        array = values.astype(dtype)
        held = array.tobytes() if raw else array.ravel()
        tensors.append(helper.make_tensor(name, kind, array.shape, held, raw=raw))
    tensors.append(helper.make_tensor("shape", onnx.TensorProto.INT64, (2,), [1, -1]))
    nodes = [
        helper.make_node("MatMul", ["x", "matmul"], ["a"]),
        helper.make_node("Gemm", ["a", "gemm"], ["b"]),
        helper.make_node("Gemm", ["b", "linear", "bias"], ["y"], transB=1),
    ]
    ends = [helper.make_tensor_value_info(name, kind, None) for name in ("x", "y")]
    built = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors))
    options = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 100} if external else {}
    onnx.save_model(built, str(path), **options)
    return path


@pytest.mark.parametrize(("external", "raw"), [(False, True), (False, False), (True, True)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_initialisers_measure_as_the_same_weights_of_torch(
    tmp_path: Path, dtype: str, external: bool, raw: bool
) -> None:
    frame = sx.measure_file(model(tmp_path / "m.onnx", dtype, external=external, raw=raw))
    assert frame["name"].to_list() == [*WEIGHTS, "shape"]
    assert frame["file"].unique().sort().to_list() == ["m.onnx", "weights.bin"][: 1 + external]
    assert "int64" in frame["reason"][4]
    state = {name: torch.as_tensor(values.astype(dtype)) for name, values in WEIGHTS.items()}
    save_file({k: (v.T if k in TURNED else v).contiguous() for k, v in state.items()}, tmp_path / "m.safetensors")
    expected = sx.measure_file(tmp_path / "m.safetensors", names=list(WEIGHTS))
    assert_frame_equal(frame.head(4).drop("file", "shape"), expected.drop("file", "shape"), rel_tol=1e-12)


def test_external_data_that_is_missing_truncated_or_elsewhere(tmp_path: Path) -> None:
    file = model(tmp_path / "m.onnx", external=True)
    held = (tmp_path / "weights.bin").read_bytes()
    (tmp_path / "weights.bin").write_bytes(held[:-100])
    with pytest.raises(UnreadableFileError, match=r"weights\.bin is truncated"):
        sx.measure_file(file)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(UnreadableFileError, match=r"weights\.bin, where m\.onnx keeps 'matmul', is missing"):
        sx.measure_file(file)
    (tmp_path / "weights.bin").write_bytes(held)
    built = onnx.load(str(file), load_external_data=False)
    for entry in built.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../weights.bin"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "m.onnx").write_bytes(built.SerializeToString())
    with pytest.raises(UnreadableFileError, match="outside its folder"):
        sx.measure_file(tmp_path / "in" / "m.onnx")


def test_damaged_models_and_missing_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = model(tmp_path / "m.onnx")
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(UnreadableFileError, match=r"m\.onnx is truncated or damaged"):
        sx.measure_file(file)
    with pytest.raises(UnreadableFileError, match=r"sx\.measure_file measures its weights"):
        sx.load(file)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"synaplex\[onnx\]"):
        sx.measure_file(file)
