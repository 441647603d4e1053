"""Training on a dataset: what is learned, what is kept, and what goes wrong is said."""

import polars as pl
import pytest
import torch
from safetensors import safe_open

import synaplex.sparse.training as training
from synaplex.datasets import load
from synaplex.errors import SpecificationError, TrainingError, UnknownNameError, UnreadableFileError
from synaplex.sparse.training import CHECKPOINT, LOG, SparseTraining, train

QUICK = {"hidden": (32, 24), "epsilon": 5.0, "epochs": 4, "learning_rate": 0.1}


@pytest.mark.parametrize("sparse", ["set:0.1", "censet:0.5:censet", "rigl"])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch, sparse):
    specification = SparseTraining(sparse=sparse, **QUICK)
    whole = train(specification, tmp_path / "whole", progress=False)
    accuracy = training._accuracy
    calls = []

    def killed(*arguments):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return accuracy(*arguments)

    monkeypatch.setattr(training, "_accuracy", killed)
    with pytest.raises(KeyboardInterrupt):
        train(specification, tmp_path / "killed", progress=False)
    assert len(pl.read_parquet(tmp_path / "killed" / LOG)) == 2
    resumed = train(specification, tmp_path / "killed", progress=False)
    assert resumed.epochs.equals(whole.epochs)
    for a, b in zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert sparse == "rigl" or whole.epochs["dropped"].sum() > 0
    assert pl.read_parquet(tmp_path / "killed" / LOG).equals(whole.epochs)
    assert not list((tmp_path / "killed").glob("*.part"))


def test_digits_are_learned(tmp_path):
    trained = train(SparseTraining(**{**QUICK, "dropout": 0.0}), tmp_path, progress=False)
    assert trained.epochs["test_accuracy"][-1] > 0.8
    assert trained.epochs["connections"].n_unique() == 1
    assert trained.epochs["dropped"][-1] == 0 < trained.epochs["dropped"][0]


def test_static_networks_do_not_change(tmp_path):
    trained = train(SparseTraining(sparse="static", **QUICK), tmp_path, progress=False)
    assert trained.epochs["rounds"].to_list() == [0] * 4
    assert trained.epochs["explored"].n_unique() == 1


def test_rounds_between_epochs_are_summed(tmp_path):
    trained = train(SparseTraining(schedule="steps:5", **QUICK), tmp_path, progress=False)
    assert trained.epochs["rounds"].to_list() == [3, 6, 9, 12]  # of 15 steps an epoch
    assert trained.epochs["dropped"].sum() == trained.evolution.log["dropped"].sum()


def test_a_loss_that_is_no_number(tmp_path):
    data = load("digits").subset(300, 100)
    trained = SparseTraining(**{**QUICK, "learning_rate": 0.1})
    train(SparseTraining(**{**QUICK, "epochs": 4}), tmp_path / "fine", data=data, progress=False)
    original = training._epoch

    def broken(*arguments):
        if arguments[-2] == 3:
            with torch.no_grad():
                arguments[3][0].weight.fill_(float("nan"))
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_epoch", broken)
        with pytest.raises(TrainingError, match=r"epoch 3.*checkpoint.safetensors is of epoch 2"):
            train(trained, tmp_path / "broken", data=data, progress=False)
    with safe_open(tmp_path / "broken" / CHECKPOINT, "pt") as file:
        assert file.get_tensor("model.0.weight").isfinite().all()
    assert len(pl.read_parquet(tmp_path / "broken" / LOG)) == 2


def test_another_training_in_the_same_folder(tmp_path):
    data = load("digits").subset(200, 50)
    train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=data, progress=False)
    with pytest.raises(SpecificationError, match="seed 0, not 1"):
        train(SparseTraining(**{**QUICK, "epochs": 1, "seed": 1}), tmp_path, data=data, progress=False)
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(UnreadableFileError, match="no checkpoint of sparse training"):
        train(SparseTraining(**{**QUICK, "epochs": 1}), tmp_path, data=data, progress=False)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sparse": "setz"}, UnknownNameError, "set"),
        ({"sparse": "set:0.1/rnd"}, UnknownNameError, "random"),
        ({"sparse": "set:1.0"}, SpecificationError, "between 0 and 1"),
        ({"dataset": "digit"}, UnknownNameError, "digits"),
        ({"epochs": 0}, SpecificationError, "at least 1"),
        ({"dropout": 1.0}, SpecificationError, "dropout"),
        ({"learning_rate": 0.0}, SpecificationError, "learning_rate"),
    ],
)
def test_settings_out_of_range(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        train(SparseTraining(**{**QUICK, **options}), tmp_path, progress=False)
