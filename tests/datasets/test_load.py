import hashlib

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


def test_a_name_is_not_taken_from_another_dataset():
    before = dict(_LOADERS)
    other = Dataset("other", torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 1))
    with pytest.raises(SpecificationError, match=r"'digits' .*replace=True"):

        @register("digits")
        def mine(data_dir):
            return other

    assert before == _LOADERS
    try:
        register("digits", replace=True)(lambda data_dir: other)
        assert load("digits") is other
    finally:
        _LOADERS.update(before)


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


LABELS, VALUES = torch.tensor([0, 1]), torch.rand(2, 3)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": torch.ones(2, 1, 4, 4)}, r"x_train has shape \(2, 1, 4, 4\).*x_train\.flatten\(1\)"),
        ({"x_test": torch.ones(2)}, r"x_test has shape \(2,\).*x_test\.reshape\(-1, 1\)"),
        ({"x_test": torch.tensor(1.0)}, r"x_test has shape \(\)"),
        ({"x_train": np.ones((2, 3))}, r"x_train is a numpy\.ndarray.*torch\.from_numpy\(x_train\)"),
        ({"y_test": [0, 1]}, r"y_test is a list.*torch\.as_tensor\(y_test\)"),
        ({"x_train": torch.ones(2, 3, dtype=torch.uint8)}, r"x_train holds torch\.uint8.*x_train\.float\(\)"),
        ({"x_train": torch.ones(2, 3, dtype=torch.complex64)}, r"x_train holds torch\.complex64"),
        ({"y_train": torch.tensor([[0], [1]])}, r"y_train has shape \(2, 1\).*\(samples,\).*y_train\.flatten\(\)"),
        ({"y_train": torch.eye(2)}, r"y_train has shape \(2, 2\).*y_train\.argmax\(1\)"),
        ({"y_train": torch.tensor([0.0, 1])}, r"y_train holds torch\.float32.*y_train\.long\(\)"),
        ({"classes": ()}, r"y_train holds torch\.int64, but no classes are named.*y_train\.float\(\)"),
        ({"y_train": torch.tensor([False, True])}, r"y_train holds torch\.bool.*y_train\.long\(\)"),
        ({"y_test": torch.tensor(0)}, r"y_test has shape \(\)"),
        ({"classes": (), "y_train": torch.rand(2)}, r"y_train has shape \(2,\).*y_train\.reshape\(-1, 1\)"),
        ({"classes": (), "y_train": VALUES, "y_test": torch.rand(2)}, r"y_test has shape \(2,\)"),
        ({"classes": (), "y_train": torch.rand(2, 1, 1), "y_test": VALUES}, r"y_train has .*y_train\.flatten\(1\)"),
        ({"classes": (), "y_train": VALUES, "y_test": torch.rand(2, 4)}, "3 training targets but 4 test targets"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused_with_what_to_do(change, message):
    parts = {"x_train": torch.ones(2, 3), "y_train": LABELS, "x_test": torch.ones(2, 3), "y_test": LABELS}
    with pytest.raises(SpecificationError, match=f"dataset 'mine': .*{message}"):
        Dataset("mine", **{**parts, "classes": ("a", "b"), **change})


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
@pytest.mark.usefixtures("unchecked")
def test_class_indices_are_integers_of_any_size(dtype):
    labels = LABELS.to(dtype)
    assert Dataset("mine", torch.ones(2, 3), labels, torch.ones(2, 3), labels, ("a", "b")).outputs == 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_the_digest_is_of_values_whatever_else_a_tensor_carries(dtype):
    x = torch.rand(4, 3).to(dtype)
    plain = Dataset("mine", x, x[:, :1], x, x[:, :1])
    traced = x.clone().requires_grad_()
    assert Dataset("mine", traced, traced[:, :1], 1 * traced, traced[:, :1]).digest() == plain.digest()
    turned = x.T.contiguous().T
    assert Dataset("mine", turned, turned[:, :1], turned, turned[:, :1]).digest() == plain.digest()
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if device is not None:
        there = x.to(device)
        assert Dataset("mine", there, there[:, :1], there, there[:, :1]).digest() == plain.digest()


def test_digests_stay_as_they_were():
    """Stores remember them: the SHA-256 of shape, type and bytes of each tensor, one after the other."""
    data = load("two-moons")
    expected = hashlib.sha256()
    for tensor in (data.x_train, data.y_train, data.x_test, data.y_test):
        expected.update(f"{tuple(tensor.shape)} {tensor.dtype};".encode() + tensor.numpy().tobytes())
    assert data.digest() == expected.hexdigest()
