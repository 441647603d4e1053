"""The archives that are downloaded hold the same data as the files at hand."""

import bz2
import gzip
import io
import lzma
import tarfile

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from synaplex.datasets import load
from synaplex.datasets.archives import natural_order, read_archive
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


FILES = {f"x/{i}.txt": np.random.default_rng(i).bytes(20 + i) for i in range(3)}


def packed(mode):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "plain": bytes}[mode](file.getvalue())


def whole_or_refused(path):
    """Whether an archive is refused by name; if not, it must have given every file as it was."""
    try:
        found = read_archive(path, lambda name: name.endswith(".txt"))
    except UnreadableFileError as error:
        return str(path) in str(error)
    assert found == FILES
    return False


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_no_damaged_byte_goes_unseen(tmp_path, mode):
    """Whichever byte is another: a mark of the time or a name in the header of the archive at most is not read."""
    content = packed(mode)
    path = tmp_path / "archive.tar"
    refused = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        refused += whole_or_refused(path)
    assert refused > 0.9 * len(content)


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_no_end_that_is_missing_goes_unseen(tmp_path, mode):
    content = packed(mode)
    path = tmp_path / "archive.tar"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert whole_or_refused(path)


def test_a_plain_archive_that_ends_between_two_files_is_refused(tmp_path):
    path = tmp_path / "archive.tar"
    content = packed("plain")
    ends = 2 * 3 * 512  # of each file a header and a block, then blocks of zeros
    for length in range(0, ends + 1, 256):
        path.write_bytes(content[:length])
        assert whole_or_refused(path)
    path.write_bytes(content[: ends + 1024])
    assert not whole_or_refused(path)
    for header in (512 * 2, 512 * 4):
        path.write_bytes(content[:header] + b"\1" + content[header + 1 :])
        assert whole_or_refused(path)


def test_a_fault_in_a_large_archive_is_no_bare_error_of_its_packing(tmp_path):
    """Some are met by the reading of a file as errors of zlib, some only by the checksum at the end."""
    path = tmp_path / "archive.tar"
    digits = np.random.default_rng(0).integers(0, 10, 200_000)
    tar(path, {"large.txt": "".join(map(str, digits)).encode()}, "w:gz")
    content = path.read_bytes()
    for place in range(1000, len(content) - 64, 2000):
        path.write_bytes(content[:place] + bytes(64) + content[place + 64 :])
        with pytest.raises(UnreadableFileError, match=r"archive\.tar cannot be read, fetch it again"):
            read_archive(path, lambda name: True)
