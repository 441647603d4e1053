"""Pieces of other data, or of other defaults, are refused and never taken for those asked for."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from synaplex.datasets import load
from synaplex.errors import StoreMismatchError, UnreadableFileError
from synaplex.studies.structurereps import data, methods
from synaplex.studies.structurereps.data import known_data, task_data
from synaplex.studies.structurereps.methods import ESTIMATORS, defaults, told
from synaplex.studies.structurereps.pieces import Pieces
from synaplex.studies.structurereps.run import Job, compute
from tests.studies.structurereps.conftest import TINY


def altered(name, data_dir=None):
    """The dataset of that name from another folder: one label of the training set is another."""
    whole = load(name)
    changed = whole.y_train.clone()
    changed[-1] = (changed[-1] + 1) % len(whole.classes)
    return replace(whole, y_train=changed)


def stopped(out, job, monkeypatch):
    """Run the study until it trains; True where it came so far."""

    class Trains(Exception):
        pass

    def refuse(*given, **named):
        raise Trains

    monkeypatch.setattr("synaplex.studies.structurereps.population.Crowd", refuse)
    try:
        compute(out, job, lambda name: nullcontext())
    except Trains:
        return True
    return False


JOB = Job(TINY.tasks, "digits", TINY, "small", 0, None)


def test_other_data_of_the_same_name_are_refused(tmp_path, monkeypatch):
    pieces, task = Pieces(tmp_path), TINY.tasks[0]
    first = task_data(task, None, 0, pieces)
    again = task_data(task, None, 0, Pieces(tmp_path))
    assert torch.equal(first.x_train, again.x_train)
    monkeypatch.setattr(data, "load", altered)
    with pytest.raises(StoreMismatchError, match=r"another dataset two-moons \(SHA-256 \w{64}; here SHA-256 \w{64}\)"):
        task_data(task, None, 0, Pieces(tmp_path))
    # It is the whole dataset that is compared, not the part that one seed draws; other datasets are not touched by it.
    assert known_data("digits", None, Pieces(tmp_path)).name == "digits"


def test_a_run_refuses_before_it_takes_pieces_of_other_data(tmp_path, monkeypatch):
    assert stopped(tmp_path, JOB, monkeypatch)
    monkeypatch.setattr(data, "load", altered)
    with pytest.raises(StoreMismatchError, match="another dataset digits"):
        stopped(tmp_path, JOB, monkeypatch)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_run_refuses_fits_of_other_defaults(kind, tmp_path, monkeypatch):
    parameters = kind().get_params()
    if not parameters:
        assert not defaults(kind)
        return
    assert [line.split(" = ")[0] for line in defaults(kind).splitlines()] == sorted(parameters)
    assert stopped(tmp_path, JOB, monkeypatch)
    (file,) = (tmp_path / "basis").glob(f"*{kind.__name__}.txt")
    first, *others = file.read_text().splitlines(keepends=True)
    file.write_text("".join([f"{first.split(' = ')[0]} = 'another'\n", *others]))
    with pytest.raises(StoreMismatchError, match=rf"{kind.__name__} \({first.split(' = ')[0]} = 'another'; here "):
        stopped(tmp_path, JOB, monkeypatch)


def test_every_parameter_of_a_fit_is_told_or_a_default():
    made = [methods.method(name, epochs=3, seed=5) for name in (*methods.ENCODERS, *methods.BASELINES, methods.EIGHT)]
    made += [methods.ablation(name, epochs=2, seed=1) for name in methods.ABLATIONS]
    for estimator in made:
        assert type(estimator) in ESTIMATORS
        kept = dict(line.split(" = ", 1) for line in defaults(type(estimator)).splitlines())
        kept |= {key: repr(value) for key, value in told(estimator)}
        assert kept == {key: repr(value) for key, value in estimator.get_params().items()}


def test_what_pieces_rest_on_is_written_once_and_must_be_readable(tmp_path):
    pieces = Pieces(tmp_path)
    pieces.rest_on("dataset some/where", "a\nb\n")
    (file,) = (tmp_path / "basis").iterdir()
    before = file.stat().st_mtime_ns
    pieces.rest_on("dataset some/where", "a\nb\n")
    assert (file.name, file.stat().st_mtime_ns) == ("dataset-some-where.txt", before)
    with pytest.raises(StoreMismatchError, match=r"\(b; here nothing more\)"):
        pieces.rest_on("dataset some/where", "a\n")
    file.write_bytes(b"\xff")
    with pytest.raises(UnreadableFileError, match="dataset-some-where"):
        pieces.rest_on("dataset some/where", "a\n")
