import io

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from synaplex.datasets import load
from synaplex.errors import UnreadableFileError


def encode(pixels, form="PNG"):
    """An array of bytes as an image file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def write(path, images, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"bytes": image, "path": None} for image in images]
    schema = {"img": pl.Struct({"bytes": pl.Binary, "path": pl.String}), "label": pl.Int64}
    pl.DataFrame({"img": rows, "label": labels}, schema=schema).write_parquet(path)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, pixels):
    """Two training files of two and one images and a test file of two."""
    write(tmp_path / "cifar10" / "train-00001-of-00002.parquet", [encode(pixels[2])], [9])
    write(tmp_path / "cifar10" / "train-00000-of-00002.parquet", [encode(image) for image in pixels[:2]], [3, 0])
    write(tmp_path / "cifar10" / "test-00000-of-00001.parquet", [encode(image) for image in pixels[3:]], [1, 2])
    return tmp_path


def test_colour_planes_come_one_after_the_other(folder, pixels):
    data = load("cifar10", folder)
    expected = torch.from_numpy(np.moveaxis(pixels, 3, 1).reshape(5, -1).astype(np.float32)) / 255
    torch.testing.assert_close(torch.cat([data.x_train, data.x_test]), expected, rtol=0, atol=0)
    assert data.y_train.tolist() == [3, 0, 9]
    assert data.y_test.tolist() == [1, 2]
    assert (data.features, data.outputs) == (3072, 10)


def test_grey_is_the_luma(folder, pixels):
    data = load("cifar10-grey", folder)
    luma = pixels[:3] @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(255 * data.x_train.numpy(), luma.reshape(3, -1), atol=0.51)


def test_small_grey_images_keep_the_whole_picture(folder, pixels):
    data = load("cifar10-grey-28", folder)
    assert data.x_train.shape == (3, 784)
    # Each small pixel is a mean with triangular weights of the luma beneath it, the weights of the rows apart from
    # those of the columns: one matrix on either side.
    step = 32 / 28
    centres, places = (np.arange(28) + 0.5) * step, np.arange(32) + 0.5
    weights = np.clip(1 - abs(centres[:, None] - places) / step, 0, None)
    weights /= weights.sum(1, keepdims=True)
    luma = pixels[:3] @ np.array([0.299, 0.587, 0.114])
    expected = weights @ luma @ weights.T
    np.testing.assert_allclose(255 * data.x_train.numpy().reshape(3, 28, 28), expected, atol=1.6)


def test_a_grey_image_among_the_coloured_is_read(folder):
    grey = np.arange(1024, dtype=np.uint8).reshape(32, 32)
    write(folder / "cifar10" / "test-00000-of-00001.parquet", [encode(grey)], [1])
    assert load("cifar10", folder).x_test.view(3, 32, 32).std(0).max() == 0


@pytest.mark.parametrize(
    ("image", "label", "message"),
    [
        (b"no image", 1, "row 0: not an image"),
        (encode(np.zeros((32, 31, 3), np.uint8)), 1, "row 0: 31 x 32 pixels, 32 x 32 expected"),
        (encode(np.zeros((32, 32, 3), np.uint8))[:60], 1, "row 0: not an image"),
        (encode(np.zeros((32, 32, 3), np.uint8)), 10, "a label that is none of 0 to 9"),
        (None, 1, "an image without bytes"),
    ],
)
def test_damaged_rows_are_named(folder, image, label, message):
    write(folder / "cifar10" / "test-00000-of-00001.parquet", [image], [label])
    with pytest.raises(UnreadableFileError, match=message) as caught:
        load("cifar10", folder)
    assert "test-00000-of-00001.parquet" in str(caught.value)


def test_missing_and_foreign_files_are_named(folder, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    (empty / "cifar10").mkdir()
    with pytest.raises(UnreadableFileError, match=r"there is no .*train-\*.parquet"):
        load("cifar10", empty)
    pl.DataFrame({"image": [1]}).write_parquet(folder / "cifar10" / "test-00000-of-00001.parquet")
    with pytest.raises(UnreadableFileError, match="a Parquet file with columns img"):
        load("cifar10", folder)
    (folder / "cifar10" / "test-00000-of-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        load("cifar10", folder)


@pytest.mark.parametrize("missing", ["train-00000-of-00002", "train-00001-of-00002"])
def test_part_of_the_files_is_not_taken_for_the_whole(folder, missing):
    (folder / "cifar10" / f"{missing}.parquet").unlink()
    with pytest.raises(UnreadableFileError, match=f"cifar10 lacks 1 of 2 files: {missing}"):
        load("cifar10", folder)


def test_part_of_imagenette_is_not_taken_for_the_whole(tmp_path):
    (tmp_path / "imagenet-subset").mkdir()
    for name in ("train-00000-of-00001", "val-00001-of-00003"):
        (tmp_path / "imagenet-subset" / f"{name}.parquet").touch()
    with pytest.raises(UnreadableFileError, match="lacks 2 of 3 files: val-00000-of-00003, val-00002-of-00003"):
        load("imagenette-32", tmp_path)


@pytest.mark.slow
def test_the_real_images(data_dir):
    data = load("cifar10", data_dir)
    assert data.y_train.bincount().tolist() == [5000] * 10
    assert data.y_test.bincount().tolist() == [1000] * 10
    assert (float(data.x_train.min()), float(data.x_train.max())) == (0, 1)
    means = data.x_train.view(-1, 3, 1024).mean((0, 2))
    torch.testing.assert_close(means, torch.tensor([0.4914, 0.4822, 0.4465]), rtol=0, atol=2e-3)
