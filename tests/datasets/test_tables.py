"""Tables that come without a split, points that are drawn, and images of one's own."""

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from synaplex.datasets import image_folder, load
from synaplex.datasets.splitting import shuffled_split, standardised
from synaplex.errors import SpecificationError, UnreadableFileError


def test_a_split_has_each_row_once():
    train, test = shuffled_split(103, 0.2, 0)
    assert (len(train), len(test)) == (82, 21)
    assert sorted([*train, *test]) == list(range(103))
    assert shuffled_split(103, 0.2, 0)[0].tolist() == train.tolist()
    assert shuffled_split(103, 0.2, 1)[0].tolist() != train.tolist()


def test_the_test_rows_are_measured_by_the_training_rows():
    train, test = np.array([[0.0, 7], [4, 7]]), np.array([[2.0, 8]])
    x, y = standardised(train, test)
    np.testing.assert_allclose(x, [[-1, 0], [1, 0]])
    np.testing.assert_allclose(y, [[0, 1]])


def test_two_moons_are_half_circles():
    data = load("two-moons")
    centres = torch.tensor([[0.0, 0.0], [1.0, 0.5]])
    radius = (data.x_test - centres[data.y_test]).norm(dim=1)
    assert radius.mean() == pytest.approx(1, abs=0.02)
    assert radius.std() == pytest.approx(0.1, abs=0.02)
    assert data.y_test.bincount().tolist() == [250, 250]
    assert not set(map(tuple, data.x_train.tolist())) & set(map(tuple, data.x_test.tolist()))


def test_california_housing_is_a_regression(data_dir):
    data = load("california-housing", data_dir)
    assert (len(data.x_train), len(data.x_test), data.features, data.outputs) == (16_512, 4_128, 8, 1)
    torch.testing.assert_close(data.x_train.mean(0), torch.zeros(8), rtol=0, atol=1e-5)
    torch.testing.assert_close(data.x_train.std(0), torch.ones(8), rtol=0, atol=1e-3)
    frame = pl.read_parquet(data_dir / "california-housing" / "california_housing.parquet")
    targets = torch.cat([data.y_train, data.y_test])[:, 0]
    np.testing.assert_allclose(np.sort(targets.numpy()), np.sort(frame["MedHouseVal"].to_numpy()), rtol=1e-6)


def test_a_table_with_gaps_is_refused(tmp_path):
    (tmp_path / "california-housing").mkdir()
    pl.DataFrame({"MedInc": [1.0]}).write_parquet(tmp_path / "california-housing" / "california_housing.parquet")
    with pytest.raises(UnreadableFileError, match=r"california_housing\.parquet cannot be read"):
        load("california-housing", tmp_path)


@pytest.mark.slow
def test_covtype_is_shuffled_and_whole(data_dir):
    data = load("covtype", data_dir)
    assert (len(data.x_train), len(data.x_test), data.features) == (464_810, 116_202, 54)
    counts = data.y_train.bincount() + data.y_test.bincount()
    assert counts.tolist() == [211840, 283301, 35754, 2747, 9493, 17367, 20510]
    share = data.y_test.bincount() / counts
    assert ((share - 0.2).abs() < 0.03).all()


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two classes of ten grey images whose value tells image and class."""
    for label, name in enumerate(("cats", "dogs")):
        for i in range(10):
            write(tmp_path / name / f"{i}.png", np.full((40, 60), 100 * label + 10 * i, np.uint8))
    return tmp_path


def test_a_folder_a_class_is_split_alike(folder):
    data = image_folder(folder, side=8)
    assert (data.classes, data.features) == (("cats", "dogs"), 64)
    assert data.y_test.bincount().tolist() == [2, 2]
    value = (255 * torch.cat([data.x_train, data.x_test])[:, 0]).round().int()
    assert sorted(value.tolist()) == sorted(100 * label + 10 * i for label in range(2) for i in range(10))
    assert torch.equal(torch.cat([data.y_train, data.y_test]), (value >= 100).long())
    assert load(f"{folder}").digest() == image_folder(folder).digest()


def test_a_test_set_of_its_own_is_kept(tmp_path):
    rng = np.random.default_rng(0)
    for part, count in (("train", 5), ("val", 3)):
        for name in ("a", "b"):
            for i in range(count):
                write(tmp_path / part / name / f"{i}.png", rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    data = image_folder(tmp_path, side=16, grey=False, name="mine")
    assert (data.name, len(data.x_train), len(data.x_test), data.features) == ("mine", 10, 6, 768)
    first = np.asarray(Image.open(tmp_path / "val" / "a" / "0.png"))
    np.testing.assert_allclose(255 * data.x_test[0].numpy(), np.moveaxis(first, 2, 0).ravel(), atol=1e-3)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "cats" / "0.png").write_bytes(b"no image"), r"cats/0\.png: not an image"),
        (lambda folder: (folder / "empty").mkdir(), "empty holds no image"),
    ],
)
def test_damaged_folders_are_named(folder, damage, message):
    damage(folder)
    with pytest.raises(UnreadableFileError, match=message):
        image_folder(folder)


def test_what_systems_leave_in_folders_is_passed_over(folder):
    clean = image_folder(folder).digest()
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "cats" / "._0.png").write_bytes(b"what macOS keeps beside a file")
    write(folder / "cats" / ".thumbnails" / "0.png", np.zeros((8, 8), np.uint8))
    data = image_folder(folder)
    assert data.classes == ("cats", "dogs")
    assert data.digest() == clean


def test_a_folder_below_a_hidden_one_is_read(tmp_path):
    for name in ("a", "b"):
        for i in range(5):
            write(tmp_path / ".cache" / "mine" / name / f"{i}.png", np.full((8, 8), i, np.uint8))
    assert len(image_folder(tmp_path / ".cache" / "mine").x_train) == 8


def test_classes_that_only_the_test_set_has_are_named(tmp_path):
    for part, classes in (("train", "ab"), ("test", "abcd")):
        for name in classes:
            write(tmp_path / part / name / "0.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(UnreadableFileError, match=r"test holds classes that .*train has not: c, d"):
        image_folder(tmp_path)
    for name in "cd":
        (tmp_path / "test" / name / "0.png").unlink()
        (tmp_path / "test" / name).rmdir()
    (tmp_path / "test" / ".ipynb_checkpoints").mkdir()
    assert len(image_folder(tmp_path).x_test) == 2


def test_folders_without_classes_or_with_too_few_images_are_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="no folder a class"):
        image_folder(tmp_path)
    with pytest.raises(UnreadableFileError, match="nowhere is no folder: it does not exist"):
        load(str(tmp_path / "nowhere"))
    (tmp_path / "one.png").touch()
    with pytest.raises(UnreadableFileError, match=r"one\.png is a file, no folder"):
        image_folder(tmp_path / "one.png")
    write(tmp_path / "a" / "0.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(SpecificationError, match="'a' has 1 images"):
        image_folder(tmp_path)
    with pytest.raises(SpecificationError, match="side must be"):
        image_folder(tmp_path, side=0)


@pytest.mark.slow
def test_the_real_imagenette(data_dir):
    data = load("imagenette-32", data_dir)
    assert (len(data.x_train), len(data.x_test), data.features) == (4000, 1000, 3072)
    assert data.y_train.bincount().tolist() == [400] * 10
