"""The archives that are downloaded hold the same data as the files at hand."""

import gzip
import io
import tarfile

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from synaplex.datasets import load
from synaplex.datasets.archives import natural_order
from synaplex.errors import UnreadableFileError


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def tar(path, files, mode):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_numbers_within_names_count_as_numbers():
    assert sorted(["b1", "a10", "a2", "a"], key=natural_order) == ["a", "a2", "a10", "b1"]


def test_cifar10_of_its_authors(tmp_path):
    rng = np.random.default_rng(0)
    planes, labels = rng.integers(0, 256, (7, 3072), dtype=np.uint8), np.array([3, 9, 0, 1, 2, 5, 4], np.uint8)
    records = [bytes([label]) + row.tobytes() for label, row in zip(labels, planes, strict=True)]
    files = {
        "cifar-10-batches-bin/data_batch_2.bin": b"".join(records[3:5]),
        "cifar-10-batches-bin/data_batch_1.bin": b"".join(records[:3]),
        "cifar-10-batches-bin/test_batch.bin": b"".join(records[5:]),
        "cifar-10-batches-bin/batches.meta.txt": b"airplane",
    }
    tar(tmp_path / "cifar10" / "cifar-10-binary.tar.gz", files, "w:gz")
    data = load("cifar10", tmp_path)
    np.testing.assert_array_equal((255 * torch.cat([data.x_train, data.x_test])).round().numpy(), planes)
    assert data.y_train.tolist() + data.y_test.tolist() == labels.tolist()
    assert load("cifar10-grey-28", tmp_path).features == 784
    tar(tmp_path / "cifar10" / "cifar-10-binary.tar.gz", {**files, "x/test_batch.bin": b"short"}, "w:gz")
    with pytest.raises(UnreadableFileError, match="test_batch holds 6,151 bytes, a multiple of 3073"):
        load("cifar10", tmp_path)


def test_kth_tips_of_its_authors(tmp_path):
    rng = np.random.default_rng(0)
    names = ("aluminium_foil", "brown_bread", "corduroy", "cotton", "cracker")
    names += ("linen", "orange_peel", "sandpaper", "sponge", "styrofoam")
    images = {(c, i): rng.integers(0, 256, (200, 200), dtype=np.uint8) for c in range(10) for i in range(12)}
    files = {f"KTH_TIPS/{names[c]}/15-scale_{i}_im_1_grey.png": png(image) for (c, i), image in images.items()}
    shuffled = dict(sorted(files.items()))  # scale_10 before scale_2
    tar(tmp_path / "a" / "kth-tips" / "kth_tips_grey_200x200.tar", {**shuffled, "KTH_TIPS/readme.txt": b"."}, "w")
    rows = [{"bytes": png(image), "path": None} for image in images.values()]
    (tmp_path / "b" / "kth-tips").mkdir(parents=True)
    frame = pl.DataFrame({"image": rows, "label": [c for c, _ in images]})
    frame.write_parquet(tmp_path / "b" / "kth-tips" / "kth_tips_grey.parquet")
    assert load("kth-tips", tmp_path / "a").digest() == load("kth-tips", tmp_path / "b").digest()


def test_california_housing_of_statlib(data_dir, tmp_path):
    """The published counts of a block group, made from the means of a household at hand, give these again."""
    frame = pl.read_parquet(data_dir / "california-housing" / "california_housing.parquet")
    households = frame["Population"] / frame["AveOccup"]
    raw = pl.DataFrame(
        {
            **{name: frame[name] for name in ("Longitude", "Latitude", "HouseAge")},
            "rooms": frame["AveRooms"] * households,
            "bedrooms": frame["AveBedrms"] * households,
            "Population": frame["Population"],
            "households": households,
            "MedInc": frame["MedInc"],
            "value": frame["MedHouseVal"] * 100_000,
        }
    )
    text = raw.write_csv(include_header=False).encode()
    tar(tmp_path / "california-housing" / "cal_housing.tgz", {"CaliforniaHousing/cal_housing.data": text}, "w:gz")
    ours, theirs = load("california-housing", tmp_path), load("california-housing", data_dir)
    torch.testing.assert_close(ours.x_train, theirs.x_train)
    torch.testing.assert_close(ours.y_test, theirs.y_test)


def test_covtype_of_uci(tmp_path):
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.integers(0, 4000, (50, 10)), rng.integers(0, 2, (50, 44)), rng.integers(1, 8, 50)])
    text = "\n".join(",".join(map(str, row)) for row in table) + "\n"
    (tmp_path / "covtype").mkdir()
    (tmp_path / "covtype" / "covtype.data.gz").write_bytes(gzip.compress(text.encode()))
    data = load("covtype", tmp_path)
    assert len(data.x_train) + len(data.x_test) == 50
    assert sorted((torch.cat([data.y_train, data.y_test]) + 1).tolist()) == sorted(table[:, -1].tolist())
    (tmp_path / "covtype" / "covtype.data.gz").write_bytes(gzip.compress(b"1,2,3\n"))
    with pytest.raises(UnreadableFileError, match="3 columns, 55 expected"):
        load("covtype", tmp_path)


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_a_damaged_archive_is_named(tmp_path, content):
    path = tmp_path / "kth-tips" / "kth_tips_grey_200x200.tar"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"kth_tips_grey_200x200\.tar"):
        load("kth-tips", tmp_path)
