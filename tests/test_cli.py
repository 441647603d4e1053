"""The command line: what it prints and writes, and one clear line for everything that goes wrong."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.io
import torch
from polars.testing import assert_frame_equal
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

import synaplex as sx
from synaplex.cli import app
from synaplex.measures import PRESETS
from synaplex.report.export import read_record
from tests.report.pages import read

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


def weights(seed: int = 0, **changes: torch.Tensor) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"fc1": (8, 6), "fc2": (5, 8), "fc3": (3, 5)}
    return {
        **{f"{name}.weight": torch.randn(shape, generator=generator) for name, shape in shapes.items()},
        **{f"{name}.bias": torch.zeros(shape[0]) for name, shape in shapes.items()},
        **changes,
    }


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_file(weights(), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def failed(result: Result, code: int, *words: str) -> None:
    """Nothing on standard output, one line on standard error."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("Error: ")
    for word in words:
        assert word in lines[0]


def test_measure_writes_the_released_values(run: Run, golden: Path, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    out = tmp_path / "neurons.parquet"
    result = run("measure", golden / "mlp-mnist-network1.h5", "--preset", "scabini", "--out", out)
    assert result.exit_code == 0, result.output
    frame = pl.read_parquet(out)
    names = list(PRESETS["scabini"].measures)
    assert frame.columns == ["layer", "layer_name", "neuron", *names]
    assert len(frame) == 300
    released = scipy.io.loadmat(golden / "mlp-mnist-network1-measures.mat")
    expected = np.concatenate([released["fmap_h1"][30], released["fmap_h2"][30]])
    for column, name in enumerate(names):
        np.testing.assert_allclose(frame[name].to_numpy(), expected[:, column], rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_measure_equals_the_library_and_records_its_options(run: Run, model: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "new" / f"neurons{suffix}"
    words = ("--measures", "strength, disparity", "--layers", "hidden", "--edges", "positive", "--out", out)
    result = run("measure", model, *words)
    assert result.exit_code == 0, result.output
    expected = sx.measure(sx.load(model), ["strength", "disparity"], layers="hidden", edges="positive")
    frame = pl.read_parquet(out) if suffix == ".parquet" else pl.read_csv(out)
    assert frame.columns == expected.columns
    for name in ("strength", "disparity"):
        assert frame[name].to_list() == expected[name].to_list()
    record = read_record(out)
    assert record["measures"]["disparity"] == {"edges": "positive"}
    assert record["layers"] == {"input": 6, "fc1": 8, "fc2": 5, "fc3": 3}


def test_measure_prints_every_layer_and_how_each_measure_read(run: Run, model: Path) -> None:
    result = run("measure", model)
    assert result.exit_code == 0, result.output
    for word in (
        "6-8-5-3",
        "fc2",
        "current_flow_closeness",
        "edges",
        "signed",
        "positive",
        "mean",
        "std",
        "min",
        "max",
    ):
        assert word in result.stdout


def test_undefined_values_become_null_when_asked(run: Run, tmp_path: Path) -> None:
    state = weights()
    state["fc1.weight"][3] = 0
    state["fc2.weight"][:, 3] = 0
    save_file(state, tmp_path / "dead.safetensors")
    words = ("measure", tmp_path / "dead.safetensors", "--measures", "disparity", "--layers", "hidden")
    failed(run(*words), 1, "neuron 3", "fc1")
    out = tmp_path / "neurons.csv"
    result = run(*words, "--undefined", "null", "--out", out)
    assert result.exit_code == 0, result.output
    frame = pl.read_csv(out)
    assert frame.filter(pl.col("reason").is_not_null()).select("layer", "neuron").rows() == [(1, 3)]
    assert frame["disparity"].null_count() == 1
    assert "undefined" in result.stdout


def test_graph_that_falls_apart_names_neurons_or_is_measured_by_component(run: Run, tmp_path: Path) -> None:
    save_file({"fc1.weight": torch.eye(2), "fc2.weight": torch.eye(2)}, tmp_path / "apart.safetensors")
    words = ("measure", tmp_path / "apart.safetensors", "--measures", "current_flow_closeness")
    failed(run(*words), 1, "neuron")
    assert run(*words, "--on-disconnected", "component").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["--measures", "strenght"], 2, ["strenght", "did you mean 'strength'"]),
        (["--preset", "scabinni"], 2, ["did you mean 'scabini'"]),
        (["--preset", "scabini", "--edges", "signed"], 2, ["--edges"]),
        (["--measures", "strength", "--preset", "scabini"], 2, ["not both"]),
        (["--edges", "most"], 2, ["'most'", "positive"]),
        (["--layers", "middle"], 2, ["hidden", "all"]),
        (["--undefined", "skip"], 2, ["raise", "null"]),
        (["--out", "neurons.xlsx"], 2, [".parquet", ".csv"]),
        (["--chain", "fc1,fc9"], 2, ["fc9"]),
    ],
)
def test_wrong_option_is_one_line(run: Run, model: Path, words: list[str], code: int, parts: list[str]) -> None:
    failed(run("measure", model, *words), code, *parts)


def test_wrong_file_is_one_line(run: Run, model: Path, tmp_path: Path) -> None:
    failed(run("measure", tmp_path / "none.safetensors"), 1, "does not exist")
    (tmp_path / "cut.safetensors").write_bytes(model.read_bytes()[:-40])
    failed(run("measure", tmp_path / "cut.safetensors"), 1, "truncated")
    save_file(weights(**{"fc2.weight": torch.full((5, 8), torch.nan)}), tmp_path / "nan.safetensors")
    failed(run("measure", tmp_path / "nan.safetensors"), 1, "fc2", "NaN")
    save_file(weights(**{"fc2.weight": torch.ones(5, 9)}), tmp_path / "clash.safetensors")
    failed(run("report", tmp_path / "clash.safetensors", "--out", tmp_path / "r.html"), 1, "fc2")
    assert not (tmp_path / "r.html").exists()


def test_file_without_an_order_asks_for_a_chain(run: Run, tmp_path: Path) -> None:
    save_file({"encode.weight": torch.ones(2, 2), "decode.weight": torch.eye(2)}, tmp_path / "m.safetensors")
    failed(run("measure", tmp_path / "m.safetensors"), 1, "more than one fits", "--chain")
    result = run("measure", tmp_path / "m.safetensors", "--chain", "encode,decode", "--measures", "strength")
    assert result.exit_code == 0, result.output


def test_debug_shows_where_an_error_comes_from(run: Run, tmp_path: Path) -> None:
    result = run("--debug", "measure", tmp_path / "none.safetensors")
    assert isinstance(result.exception, sx.errors.UnreadableFileError)


def test_unwritable_place_is_found_before_measuring(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synaplex.graph.load", lambda *_, **__: pytest.fail("the model was read"))
    (tmp_path / "file").touch()
    for command in (("measure", model), ("compare", model, model)):
        failed(run(*command, "--out", tmp_path / "file" / "x.csv"), 1, "cannot write")
    failed(run("report", model, "--out", tmp_path), 1, "folder of that name")


def test_full_disk_is_one_line_and_nothing_is_lost(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "neurons.parquet"
    assert run("measure", model, "--out", out).exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def refuse(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    failed(run("measure", model, "--measures", "strength", "--out", out), 1, "No space left on device")
    failed(run("report", model, "--measures", "strength", "--out", tmp_path / "r.html"), 1, "No space left")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_report_writes_a_page_that_opens_offline(run: Run, model: Path, tmp_path: Path) -> None:
    result = run("report", model, "--out", tmp_path / "r.html", "--measures", "strength,disparity")
    assert result.exit_code == 0, result.output
    assert "model.safetensors" in read((tmp_path / "r.html").read_text(encoding="utf-8")).headings


def test_nulls_set_a_model_beside_itself(run: Run, model: Path, tmp_path: Path) -> None:
    words = ["nulls", model, "--measures", "strength,disparity", "--layers", "hidden", "--draws", "19", "--seed", "3"]
    result = run(*words, "--out", tmp_path / "n.csv")
    assert result.exit_code == 0, result.output
    assert "Beside 19 draws of shuffled weights" in result.stdout
    graph = sx.load(model)
    known = sx.measures.beside_null(graph, ["strength", "disparity"], draws=19, null_seed=3, layers="hidden")
    assert_frame_equal(pl.read_csv(tmp_path / "n.csv").select("measure", "z", "p"), known.select("measure", "z", "p"))
    failed(run("nulls", model, "--null", "shufled"), 2, "shuffled")
    failed(run("nulls", model, "--draws", "1"), 2, "two draws")


@pytest.mark.parametrize("suffix", [".html", ".parquet", ".csv"])
def test_compare_finds_the_layer_that_moved(run: Run, model: Path, tmp_path: Path, suffix: str) -> None:
    save_file(weights(**{"fc2.weight": weights()["fc2.weight"] + 1}), tmp_path / "after.safetensors")
    out = tmp_path / f"moved{suffix}"
    result = run("compare", model, tmp_path / "after.safetensors", "--out", out)
    assert result.exit_code == 0, result.output
    assert "fc2.weight" in result.stdout
    assert out.stat().st_size > 0
    if suffix == ".parquet":
        moved = pl.read_parquet(out).filter(pl.col("incoming_distance") > 0)
        assert moved["layer_name"].unique().to_list() == ["fc2"]


def test_compare_of_strangers_is_one_line(run: Run, model: Path, tmp_path: Path) -> None:
    save_file({"w.weight": torch.ones(2, 4)}, tmp_path / "other.safetensors")
    failed(run("compare", model, tmp_path / "other.safetensors"), 1, "no link in common")


def test_info_lists_tensors_and_what_became_of_them(run: Run, model: Path) -> None:
    result = run("info", model)
    assert result.exit_code == 0, result.output
    for word in ("6-8-5-3", "fc1.weight", "8 × 6", "float32", "link", "bias"):
        assert word in result.stdout


def test_info_lists_a_file_that_makes_no_graph(run: Run, tmp_path: Path) -> None:
    state = {"conv.weight": torch.ones(4, 3, 3, 3), "bad.weight": torch.full((2, 2), torch.inf)}
    save_file(state, tmp_path / "conv.safetensors")
    result = run("info", tmp_path / "conv.safetensors")
    assert result.exit_code == 0, result.output
    for word in ("No graph", "conv.weight", "4 × 3 × 3 × 3", "not finite"):
        assert word in result.stdout


def test_info_on_a_store(run: Run, tmp_path: Path) -> None:
    network = sx.networks.mlp(64, 4, 10)
    sx.train_population(network, "digits", seeds=range(3), epochs=1, measures="strength", store=tmp_path / "store")
    result = run("info", tmp_path / "store")
    assert result.exit_code == 0, result.output
    for word in ("3 networks", "64-4-10", "digits", "test_accuracy", "0 networks have diverged"):
        assert word in result.stdout
    (tmp_path / "empty").mkdir()
    failed(run("info", tmp_path / "empty"), 1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a study was asked to do, in the place of doing it."""
    seen: dict[str, Any] = {}

    def study(
        out: Path,
        *,
        dataset: str = "digits",
        networks: int = 300,
        data_dir: Path | None = None,
        chunk_size: int | None = None,
        progress: bool = True,
    ) -> Path:
        seen.update(locals())
        if dataset == "stopped":
            raise KeyboardInterrupt
        return out / "report.html"

    fake = replace(sx.studies.studies()["scabini"], run=study)
    monkeypatch.setattr(sx.studies, "studies", lambda: {"scabini": fake})
    return seen


def test_study_takes_its_own_options(run: Run, asked: dict[str, Any], tmp_path: Path) -> None:
    words = ("--networks", "7", "--data-dir=data", "--no-progress", "--chunk-size", "64", "--out", tmp_path)
    result = run("study", "scabini", *words)
    assert result.exit_code == 0, result.output
    assert asked["networks"] == 7
    assert asked["data_dir"] == Path("data")
    assert asked["progress"] is False
    assert asked["chunk_size"] == 64
    assert asked["out"] == tmp_path
    run("study", "scabini", "--progress")
    assert asked["progress"] is True
    assert asked["out"] == Path("results/scabini")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["scabinni"], ["did you mean 'scabini'"]),
        ([], ["--list"]),
        (["scabini", "--netwroks", "7"], ["--netwroks", "--networks"]),
        (["scabini", "--networks", "many"], ["--networks", "many", "integer"]),
        (["scabini", "--networks"], ["--networks", "needs a value"]),
        (["scabini", "extra"], ["extra"]),
    ],
)
def test_wrong_study_or_option_is_one_line(run: Run, asked: dict[str, Any], words: list[str], parts: list[str]) -> None:
    failed(run("study", *words), 2, *parts)
    assert not asked


def test_study_list_names_options(run: Run) -> None:
    result = run("study", "--list")
    assert result.exit_code == 0
    for word in ("scabini", "Scabini", "--networks", "--data-dir"):
        assert word in result.stdout


def test_stopped_study_says_how_to_go_on(run: Run, asked: dict[str, Any]) -> None:
    result = run("study", "scabini", "--dataset", "stopped")
    assert result.exit_code == 130
    assert "same command goes on" in result.stderr


def test_stopped_measure_leaves_nothing_half_written(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synaplex.measures.measure", stop)
    result = run("measure", model, "--out", tmp_path / "n.csv")
    assert result.exit_code == 130
    assert "whole or not at all" in result.stderr
    assert list(tmp_path.iterdir()) == [model]


def test_a_terminal_that_lacks_a_character_gets_another(model: Path) -> None:
    command = [sys.executable, "-m", "synaplex", "measure", str(model), "--measures", "strength"]
    done = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "ascii:strict"})
    assert done.returncode == 0, done.stderr
    assert b"?" in done.stdout  # a minus sign


def test_version(run: Run) -> None:
    assert run("--version").stdout.strip() == f"synaplex {sx.__version__}"


@pytest.mark.parametrize("command", ["measure", "nulls", "report", "compare", "study", "info"])
def test_help_shows_examples(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.count(f"synaplex {command}") >= 2


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom synaplex.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'numpy', 'polars', 'matplotlib', 'pydantic'} & set(sys.modules)))"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - start < 10


def test_record_is_plain_json(run: Run, model: Path, tmp_path: Path) -> None:
    assert run("measure", model, "--out", tmp_path / "n.csv").exit_code == 0
    record = json.loads((tmp_path / "n.csv.json").read_text())
    assert record["version"] == sx.__version__
    assert len(record["measures"]) == 12
