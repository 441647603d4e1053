import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from synaplex.datasets import Dataset, load, names, register
from synaplex.datasets.registry import _LOADERS
from synaplex.errors import SpecificationError, UnknownNameError


def test_digits_hold_every_image_once():
    data = load("digits")
    x = torch.cat([data.x_train, data.x_test]).numpy() * 16
    y = torch.cat([data.y_train, data.y_test]).numpy()
    bunch = load_digits()
    ours, theirs = (
        np.unique(np.column_stack([x, y]), axis=0, return_counts=True) for x, y in ((x, y), (bunch.data, bunch.target))
    )
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1], theirs[1])


def test_digits_are_split_alike_in_every_class():
    data = load("digits")
    train, test = data.y_train.bincount(), data.y_test.bincount()
    assert (len(data.x_train), len(data.x_test)) == (1437, 360)
    assert ((test - 0.2 * (train + test)).abs() < 1).all()
    assert load("digits").digest() == data.digest()


def test_a_misspelt_name_is_corrected():
    with pytest.raises(UnknownNameError, match="did you mean 'digits'"):
        load("digit")


def test_a_dataset_is_added_by_registering_its_loader(tmp_path):
    @register("one point")
    def point(data_dir):
        assert data_dir == tmp_path
        one = torch.ones(1, 1)
        return Dataset("one point", one, one, one, one)

    try:
        assert "one point" in names()
        assert load("one point", tmp_path).outputs == 1
    finally:
        del _LOADERS["one point"]


def test_a_subset_is_the_beginning():
    data = load("digits")
    part = data.subset(train=10)
    assert torch.equal(part.x_train, data.x_train[:10])
    assert len(part.y_train) == 10
    assert len(part.x_test) == len(data.x_test)
    with pytest.raises(SpecificationError, match="2000 training samples asked, 1437 there"):
        data.subset(train=2000)


def test_the_digest_tells_data_apart():
    data = load("digits").subset(5, 5)
    changed = Dataset(data.name, data.x_train * 2, data.y_train, data.x_test, data.y_test, data.classes)
    renamed = Dataset("other", data.x_train, data.y_train, data.x_test, data.y_test, data.classes)
    assert changed.digest() != data.digest()
    assert renamed.digest() == data.digest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_test": torch.ones(2, 4)}, "3 training features but 4 test features"),
        ({"y_train": torch.tensor([0])}, "2 training inputs for 1 training targets"),
        ({"y_test": torch.tensor([0, 2])}, "test targets are not integers from 0 to 1"),
        ({"classes": ()}, "no classes are named"),
        ({"x_train": torch.tensor([[0.0, 1, float("nan")]] * 2)}, "training set holds NaN"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    y = torch.tensor([0, 1])
    parts = {
        "x_train": torch.ones(2, 3),
        "y_train": y,
        "x_test": torch.ones(2, 3),
        "y_test": y,
        "classes": ("a", "b"),
    }
    with pytest.raises(SpecificationError, match=f"dataset 'mine': .*{message}"):
        Dataset("mine", **{**parts, **change})
