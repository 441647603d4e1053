import io

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from synaplex.datasets import load
from synaplex.errors import UnreadableFileError

PER_CLASS = 6


def encode(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write(folder, images, labels):
    path = folder / "kth-tips" / "kth_tips_grey.parquet"
    path.parent.mkdir(exist_ok=True)
    rows = [{"bytes": encode(image), "path": None} for image in images]
    schema = {"image": pl.Struct({"bytes": pl.Binary, "path": pl.String}), "label": pl.Int64}
    pl.DataFrame({"image": rows, "label": labels}, schema=schema).write_parquet(path)


@pytest.fixture(scope="module")
def images():
    """Six images a class, each crop of one grey value that tells its place, the edges white."""
    plain = np.full((10 * PER_CLASS, 200, 200), 255, dtype=np.uint8)
    for i, image in enumerate(plain):
        for place in range(49):
            row, column = divmod(place, 7)
            image[28 * row : 28 * row + 28, 28 * column : 28 * column + 28] = place
        image[::28, ::28] = i  # the first pixel of each crop tells the image
    return plain


@pytest.fixture(scope="module")
def folder(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    small = np.zeros((180, 200), dtype=np.uint8)
    write(folder, [*images, small], [*np.arange(len(images)) // PER_CLASS, 3])
    return folder


def origin(x):
    """Which image and which place each crop comes from."""
    pixels = (255 * x).round().int()
    assert (pixels[:, 1:] == pixels[:, 1:2]).all()  # a crop that reached over its edges would mix values
    return pixels[:, 0], pixels[:, 1]


def test_every_crop_of_every_whole_image_is_there_once(folder):
    data = load("kth-tips", folder)
    image, place = origin(torch.cat([data.x_train, data.x_test]))
    found = sorted(zip(image.tolist(), place.tolist(), strict=True))
    assert found == [(i, p) for i in range(10 * PER_CLASS) for p in range(49)]
    assert torch.equal(torch.cat([data.y_train, data.y_test]), image.long() // PER_CLASS)


def test_no_image_is_in_both_folds_and_each_class_is_split_alike(folder):
    data = load("kth-tips", folder)
    train, test = (set(origin(x)[0].tolist()) for x in (data.x_train, data.x_test))
    assert not train & test
    assert data.y_test.bincount().tolist() == [49 * round(0.175 * PER_CLASS)] * 10
    assert load("kth-tips", folder).digest() == data.digest()


def test_crops_are_shuffled(folder):
    data = load("kth-tips", folder)
    assert len(set(data.y_train[:50].tolist())) > 5
    assert len(set(data.y_test[:50].tolist())) > 5


def test_a_class_without_a_whole_image_is_named(images, tmp_path):
    write(tmp_path, images[: 9 * PER_CLASS], np.arange(9 * PER_CLASS) // PER_CLASS)
    with pytest.raises(UnreadableFileError, match="no image of 200 x 200 pixels of styrofoam"):
        load("kth-tips", tmp_path)


def test_the_real_images(data_dir):
    data = load("kth-tips", data_dir)
    assert len(data.x_train) + len(data.x_test) == 36_603
    assert (len(data.x_train), len(data.x_test)) == (30_282, 6_321)
    assert data.features == 784
    assert (data.y_train.bincount() + data.y_test.bincount()).tolist() == [
        49 * images for images in (81, 45, 81, 81, 54, 81, 81, 81, 81, 81)
    ]
