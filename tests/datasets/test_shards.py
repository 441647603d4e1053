"""A set of numbered files is read whole or not at all."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synaplex._shards import whole
from synaplex.errors import UnreadableFileError


def shards(folder, total, first=0, form="train-{:05}-of-{:05}.parquet"):
    names = [form.format(number, total) for number in range(first, first + total)]
    for name in names:
        (folder / name).touch()
    return names


@given(total=st.integers(1, 12), first=st.integers(0, 1), data=st.data())
def test_the_numbers_that_are_missing_are_named(tmp_path_factory, total, first, data):
    folder = tmp_path_factory.mktemp("set")
    names = shards(folder, total, first)
    assert [path.name for path in whole(folder, "train-*.parquet")] == names
    kept = names[0] if first == 0 else names[-1]  # which tells where the numbers begin
    others = [name for name in names if name != kept]
    lost = sorted(data.draw(st.sets(st.sampled_from(others)))) if others else []
    for name in lost:
        (folder / name).unlink()
    if not lost:
        assert len(whole(folder, "*")) == total
        return
    with pytest.raises(UnreadableFileError, match=f"lacks {len(lost)} of {total} files") as caught:
        whole(folder, "train-*.parquet")
    named = re.findall(r"train-\d+-of-\d+", str(caught.value))
    assert named == [name.removesuffix(".parquet") for name in lost][:6]
    assert (f"and {len(lost) - 6} more" in str(caught.value)) == (len(lost) > 6)


@pytest.mark.parametrize(("first", "missing"), [(0, "00000-of-00003, .*00002-of-00003"), (1, "00002-.*, .*00003-of")])
def test_where_the_files_do_not_tell_it_is_the_custom_that_says_how_numbers_begin(tmp_path, first, missing):
    (tmp_path / "model-00001-of-00003.safetensors").touch()
    with pytest.raises(UnreadableFileError, match=f"lacks 2 of 3 files: model-{missing}"):
        whole(tmp_path, "*.safetensors", first=first)


def test_each_set_is_counted_by_itself(tmp_path):
    shards(tmp_path, 2, 1, "text-{:05}-of-{:05}.bin")
    shards(tmp_path, 3, 1, "image-{:05}-of-{:05}.bin")
    (tmp_path / "training_args.bin").touch()
    assert len(whole(tmp_path, "*.bin")) == 6
    (tmp_path / "image-00002-of-00003.bin").unlink()
    with pytest.raises(UnreadableFileError, match=r"lacks 1 of 3 files: image-00002-of-00003\. "):
        whole(tmp_path, "*.bin")
    assert len(whole(tmp_path, "text-*.bin")) == 2


def test_two_versions_of_a_set_are_not_joined(tmp_path):
    shards(tmp_path, 1)
    shards(tmp_path, 2)
    with pytest.raises(UnreadableFileError, match=r"files of several sets: of 1 and of 2 files.*keep one"):
        whole(tmp_path, "train-*.parquet")


def test_a_mark_behind_the_numbers_is_no_part_of_them(tmp_path):
    for name in ("train-00000-of-00002-a09b74b3ef9c3b56.parquet", "train-00001-of-00002-d3d0c4d0f2a5a1b7.parquet"):
        (tmp_path / name).touch()
    assert len(whole(tmp_path, "train-*.parquet")) == 2
    (tmp_path / name).unlink()
    with pytest.raises(UnreadableFileError, match=r"lacks 1 of 2 files: train-00001-of-00002\. "):
        whole(tmp_path, "train-*.parquet")


def test_names_without_numbers_are_left_alone(tmp_path):
    for name in ("train-a.parquet", "train-1-of-us.parquet", "train.parquet"):
        (tmp_path / name).touch()
    assert [path.name for path in whole(tmp_path, "*.parquet")] == [
        "train-1-of-us.parquet",
        "train-a.parquet",
        "train.parquet",
    ]
