"""Files appear whole or not at all, and figures and tables come out the same each time."""

import os
from pathlib import Path

import matplotlib as mpl
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from synaplex.errors import SpecificationError, UnwritableFileError
from synaplex.report import save_figure, style
from synaplex.report.export import read_record, write_table
from synaplex.report.files import check_writable, replacing, write_text

TABLE = pl.DataFrame({"layer": [1, 1], "neuron": [0, 1], "strength": [0.1, None]})
RECORD = {"version": "0", "measures": {"strength": {"edges": "signed"}}}


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert write_text(tmp_path / "a" / "b" / "c.txt", "text").read_text() == "text"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    target = write_text(tmp_path / "kept.txt", "before")
    expected = UnwritableFileError if isinstance(error, OSError) else KeyboardInterrupt

    def write_half() -> None:
        with replacing(target) as part:
            part.write_text("half")
            raise error

    with pytest.raises(expected):
        write_half()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableFileError, match="folder of that name"):
        write_text(tmp_path, "x")
    with pytest.raises(UnwritableFileError, match="folder of that name"):
        check_writable(tmp_path)


@pytest.mark.parametrize("path", [".", "..", "/", ""])
def test_paths_without_a_name_are_folders(path: str) -> None:
    with pytest.raises(UnwritableFileError, match="folder of that name"):
        check_writable(path)
    with pytest.raises(UnwritableFileError, match="folder of that name"):
        write_text(path, "x")


def test_check_leaves_no_trace(tmp_path: Path) -> None:
    check_writable(tmp_path / "out.csv")
    check_writable(tmp_path / "new" / "folder" / "out.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["file/out.csv", "file/new/folder/out.csv"])
def test_file_in_the_place_of_a_folder_is_named_before_any_work(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    for write in (check_writable, lambda target: write_text(target, "x")):
        with pytest.raises(UnwritableFileError, match=r"cannot write .*out\.csv: .*/file is a file, no folder"):
            write(tmp_path / path)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_missing_permission_is_found_before_any_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritableFileError, match="Permission denied"):
        check_writable(tmp_path / "out.csv")


def test_equal_figures_are_equal_files(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        with style.context():
            figure, axes = style.subplots()
            axes[0, 0].hist([1, 2, 2, 3])
        files.append(save_figure(figure, tmp_path / name, "figure"))
    for first, second in zip(*files, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"figure.png", "figure.svg"}


def test_figures_leave_no_global_trace() -> None:
    before = dict(mpl.rcParams)
    with style.context(axes__grid=False):
        style.subplots()
        assert mpl.rcParams["axes.grid"] is False
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", ["neurons.parquet", "neurons.csv"])
def test_table_comes_back_with_its_record(tmp_path: Path, name: str) -> None:
    files = write_table(TABLE, tmp_path / name, RECORD)
    read = pl.read_parquet if name.endswith("parquet") else pl.read_csv
    assert_frame_equal(read(files[0]), TABLE)
    assert read_record(files[0]) == RECORD


def test_unknown_kind_of_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match=r"\.parquet or \.csv"):
        write_table(TABLE, tmp_path / "neurons.xlsx", RECORD)


@pytest.mark.parametrize("name", ["neurons.parquet", "neurons.csv"])
def test_full_disk_leaves_the_old_table(tmp_path: Path, name: str, request: pytest.FixtureRequest) -> None:
    target = write_table(TABLE, tmp_path / name, RECORD)[0]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    request.getfixturevalue("full_disk")
    with pytest.raises(UnwritableFileError, match="No space left on device"):
        write_table(TABLE.head(1), target, {})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
