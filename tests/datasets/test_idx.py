import gzip
import struct

import numpy as np
import pytest
import torch

from synaplex.datasets import load
from synaplex.datasets.idx import FILES
from synaplex.errors import UnreadableFileError


def idx(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path):
    """Six training and four test images of 28 x 28 pixels, laid out as MNIST is."""
    rng = np.random.default_rng(0)
    place = tmp_path / "mnist"
    place.mkdir()
    for images, labels, count in ((FILES[0], FILES[1], 6), (FILES[2], FILES[3], 4)):
        (place / f"{images}.gz").write_bytes(gzip.compress(idx(rng.integers(0, 256, (count, 28, 28)))))
        (place / f"{labels}.gz").write_bytes(gzip.compress(idx(np.arange(count))))
    return tmp_path


def test_pixels_and_labels_come_in_their_order(folder, monkeypatch):
    rng = np.random.default_rng(0)
    train, test = rng.integers(0, 256, (6, 28, 28)), rng.integers(0, 256, (4, 28, 28))
    data = load("mnist", folder)
    np.testing.assert_allclose(data.x_train.numpy(), train.reshape(6, 784) / 255, rtol=1e-6)
    np.testing.assert_allclose(data.x_test.numpy(), test.reshape(4, 784) / 255, rtol=1e-6)
    assert data.y_train.tolist() == list(range(6))
    monkeypatch.setenv("SYNAPLEX_DATA", str(folder))
    assert load("mnist").digest() == data.digest()


def test_unpacked_files_are_read_too(folder):
    packed = load("mnist", folder).digest()
    for path in (folder / "mnist").glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert load("mnist", folder).digest() == packed


def test_without_a_folder_the_error_says_what_to_do(monkeypatch):
    monkeypatch.delenv("SYNAPLEX_DATA", raising=False)
    with pytest.raises(UnreadableFileError, match=r"DATA_DIR/fashion-mnist/.*SYNAPLEX_DATA"):
        load("fashion-mnist")


def test_a_missing_file_is_named(folder):
    (folder / "mnist" / f"{FILES[3]}.gz").unlink()
    with pytest.raises(UnreadableFileError, match=f"{FILES[3]}.gz: put it there"):
        load("mnist", folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: raw[:-7], "cannot be read"),
        (lambda raw: raw[:40] + bytes([raw[40] ^ 255]) + raw[41:], "cannot be read"),
        (lambda raw: b"not gzip", "cannot be read"),
        (
            lambda raw: gzip.compress(gzip.decompress(raw)[:-1]),
            "truncated or corrupt: its header says 6 x 28 x 28",
        ),
        (lambda raw: gzip.compress(gzip.decompress(raw) + b"\0"), "truncated or corrupt"),
        (lambda raw: gzip.compress(b"\0\0\x0d\x01"), "not an IDX file of unsigned bytes"),
        (lambda raw: gzip.compress(b""), "not an IDX file"),
        (lambda raw: gzip.compress(idx(np.zeros((5, 28, 28)))), "do not belong together"),
    ],
)
def test_a_damaged_file_is_named(folder, damage, message):
    path = folder / "mnist" / f"{FILES[0]}.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableFileError, match=message) as caught:
        load("mnist", folder)
    assert str(path) in str(caught.value)


def test_a_label_beyond_the_classes_is_refused(folder):
    path = folder / "mnist" / f"{FILES[1]}.gz"
    path.write_bytes(gzip.compress(idx(np.array([0, 1, 2, 3, 4, 10]))))
    with pytest.raises(UnreadableFileError, match="holds label 10; mnist has 10 classes"):
        load("mnist", folder)


@pytest.mark.parametrize(
    ("name", "first", "counts"),
    [
        (
            "mnist",
            [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        ),
        ("fashion-mnist", [9, 0, 0, 3, 0, 2, 7, 2, 5, 5], [6000] * 10),
    ],
)
def test_the_real_files(data_dir, name, first, counts):
    data = load(name, data_dir)
    assert data.x_train.shape == (60_000, 784)
    assert data.x_test.shape == (10_000, 784)
    assert data.y_train[:10].tolist() == first
    assert data.y_train.bincount().tolist() == counts
    assert torch.equal(data.x_train.amax(), torch.tensor(1.0))
