"""Checkpoints of one file and of many; whatever is missing or damaged is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from polars.testing import assert_frame_equal
from safetensors.torch import save_file

import synaplex as sx
from synaplex.checkpoint import stored
from synaplex.errors import SynaplexError, UnreadableFileError

GENERATOR = torch.Generator().manual_seed(0)
WEIGHTS = {f"layer.{i}.weight": torch.randn(30, 20 + i, generator=GENERATOR) for i in range(6)}


def shard(folder: Path, *, suffix: str = "safetensors") -> Path:
    """The weights in three files with an index."""
    places = {}
    for part in range(3):
        name = f"model-{part + 1:05}-of-00003.{suffix}"
        own = {key: WEIGHTS[key] for key in list(WEIGHTS)[2 * part : 2 * part + 2]}
        if suffix == "safetensors":
            save_file(own, folder / name)
        else:
            torch.save(own, folder / name)
        places |= dict.fromkeys(own, name)
    index = folder / f"model.{suffix}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    return index


def whole(folder: Path) -> Path:
    save_file(WEIGHTS, folder / "whole.safetensors")
    return folder / "whole.safetensors"


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_shards_measure_as_one_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "a").mkdir()
    index = shard(tmp_path / "a", suffix=suffix)
    expected = sx.measure_file(whole(tmp_path)).drop("file")
    by_index, by_folder = sx.measure_file(index), sx.measure_file(tmp_path / "a")
    assert_frame_equal(by_index.drop("file"), expected)
    assert_frame_equal(by_folder, by_index)
    assert by_index["file"].n_unique() == 3
    index.unlink()
    assert_frame_equal(sx.measure_file(tmp_path / "a").drop("file"), expected)


@pytest.mark.parametrize(
    ("model", "beside"), [("model.safetensors", "optimizer"), ("pytorch_model.bin", "training_args")]
)
def test_of_a_folder_with_a_whole_model_nothing_else_is_measured(tmp_path: Path, model: str, beside: str) -> None:
    other = tmp_path / f"{beside}{Path(model).suffix}"
    if model.endswith("safetensors"):
        save_file(WEIGHTS, tmp_path / model)
        save_file({"exp_avg": torch.ones(3)}, other)
    else:
        torch.save(WEIGHTS, tmp_path / model)
        torch.save({"arguments": Path("x")}, other)  # what this holds is no data
    assert_frame_equal(sx.measure_file(tmp_path), sx.measure_file(tmp_path / model))


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts(tmp_path: Path, zipped: bool) -> None:
    tied = WEIGHTS["layer.0.weight"]
    turned = WEIGHTS["layer.1.weight"].T
    state = {"embed": tied, "head": tied, "turned": turned, "steps": torch.tensor(3), "sparse": tied.to_sparse()}
    torch.save({"model": state, "epoch": 3}, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    frame = sx.measure_file(tmp_path / "m.pt")
    assert frame["name"].to_list() == list(state)
    assert frame["reason"].to_list()[:3] == [None, "the same memory as embed", None]
    assert frame["reason"][4] == "the tensor is sparse"
    save_file({"turned": turned.contiguous(), "embed": tied, "head": tied.clone()}, tmp_path / "m.safetensors")
    columns = ["name", "mean", "kurtosis", "median", "in_strength_std", "out_strength_std"]
    expected = sx.measure_file(tmp_path / "m.safetensors").sort("name").select(columns)
    assert_frame_equal(frame.filter(name="head").select(columns[1:]), frame.filter(name="embed").select(columns[1:]))
    assert_frame_equal(frame.head(3).sort("name").select(columns), expected)
    assert sx.measure_file(tmp_path / "m.pt", names=["head"])["mean"][0] == frame["mean"][0]


def test_a_missing_shard_is_named_with_what_it_holds(tmp_path: Path) -> None:
    index = shard(tmp_path)
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(UnreadableFileError, match=r"lacks 1 of 3 files .*2 of 6 tensors: model-00002-of-00003"):
        sx.measure_file(index)


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
@pytest.mark.parametrize("missing", [1, 3])
def test_without_an_index_too(tmp_path: Path, suffix: str, missing: int) -> None:
    shard(tmp_path, suffix=suffix).unlink()
    (tmp_path / f"model-{missing:05}-of-00003.{suffix}").unlink()
    with pytest.raises(UnreadableFileError, match=f"lacks 1 of 3 files: model-{missing:05}-of-00003"):
        sx.measure_file(tmp_path)


def test_one_shard_is_not_the_whole(tmp_path: Path) -> None:
    shard(tmp_path).unlink()
    for missing in (2, 3):
        (tmp_path / f"model-{missing:05}-of-00003.safetensors").unlink()
    with pytest.raises(UnreadableFileError, match="lacks 2 of 3 files: model-00002-of-00003, model-00003-of-00003"):
        sx.measure_file(tmp_path)
    assert sx.measure_file(tmp_path / "model-00001-of-00003.safetensors").height == 2  # asked for by its name


@pytest.mark.parametrize("left", [0, 4, 60, 3000])
@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_a_truncated_shard_is_named(tmp_path: Path, left: int, suffix: str) -> None:
    index = shard(tmp_path, suffix=suffix)
    broken = tmp_path / f"model-00003-of-00003.{suffix}"
    broken.write_bytes(broken.read_bytes()[:left])
    with pytest.raises(UnreadableFileError, match="model-00003-of-00003"):
        sx.measure_file(index)


def test_a_tensor_that_its_shard_lacks_is_named(tmp_path: Path) -> None:
    index = shard(tmp_path)
    save_file({"layer.4.weight": WEIGHTS["layer.4.weight"]}, tmp_path / "model-00003-of-00003.safetensors")
    with pytest.raises(UnreadableFileError, match=r"'layer.5.weight' in model-00003"):
        sx.measure_file(index)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"weight_map": 3}', '{"weight_map": {}}', '{"weight_map": {"a": "../x"}}', '{"weight_map": {"a": 1}}'],
)
def test_a_damaged_index(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(UnreadableFileError, match=r"index\.json"):
        sx.measure_file(tmp_path)


def damage(file: Path, header: object) -> None:
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(len(content).to_bytes(8, "little") + content + bytes(100))


@pytest.mark.parametrize(
    "header",
    [
        b"{not json" + b" " * 20,
        b"\xff\xfe" * 20,
        [1, 2],
        {"w": 3},
        {"w": {"dtype": "F32", "shape": [2, 2]}},
        {"w": {"dtype": "F32", "shape": [-2, 2], "data_offsets": [0, 16]}},
        {"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 12]}},
        {"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [16, 0]}},
        {"w": {"dtype": "F32", "shape": [100, 100], "data_offsets": [0, 40_000]}},
    ],
)
def test_damaged_headers(tmp_path: Path, header: object) -> None:
    damage(tmp_path / "m.safetensors", header)
    with pytest.raises(UnreadableFileError, match=r"m\.safetensors"):
        sx.measure_file(tmp_path / "m.safetensors")


def test_formats_that_are_not_known_are_listed(tmp_path: Path) -> None:
    damage(tmp_path / "m.safetensors", {"w": {"dtype": "F4", "shape": [2, 4], "data_offsets": [0, 4]}})
    row = sx.measure_file(tmp_path / "m.safetensors").row(0, named=True)
    assert (row["dtype"], row["mean"]) == ("f4", None)
    assert "f4" in row["reason"]


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = whole(tmp_path)
    blocks = stored.StoredTensor.blocks

    def shrink(self: stored.StoredTensor, *arguments: object) -> object:
        file.write_bytes(file.read_bytes()[:2000])
        return blocks(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(stored.StoredTensor, "blocks", shrink)
    with pytest.raises(UnreadableFileError, match="became shorter"):
        sx.measure_file(file)


def test_being_stopped_leaves_no_thread_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from synaplex.checkpoint.statistics import Statistics

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Statistics, "add", stop)
    with pytest.raises(KeyboardInterrupt):
        sx.measure_file(whole(tmp_path))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("checkpoint")]


def test_folders_that_hold_nothing_or_too_much(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="holds no checkpoint"):
        sx.measure_file(tmp_path)
    whole(tmp_path)
    save_file(WEIGHTS, tmp_path / "again.safetensors")
    with pytest.raises(UnreadableFileError, match="more than one checkpoint: 'layer"):
        sx.measure_file(tmp_path)
    (tmp_path / "a.safetensors.index.json").write_text("{}")
    (tmp_path / "b.safetensors.index.json").write_text("{}")
    with pytest.raises(UnreadableFileError, match=r"2 checkpoints: name one of a\.saf"):
        sx.measure_file(tmp_path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="does not exist"):
        sx.measure_file(tmp_path / "none.safetensors")
    (tmp_path / "edges.csv").write_text("a,b,1\n")
    with pytest.raises(UnreadableFileError, match=r"read it with sx\.load"):
        sx.measure_file(tmp_path / "edges.csv")


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    torch.save({"w": torch.ones(2, 2), "trap": Trap()}, tmp_path / "m.pt")
    with pytest.raises(SynaplexError):
        sx.measure_file(tmp_path / "m.pt")
    assert not (tmp_path / "sprung").exists()
