"""Decoders, intervals, scores and the folder that a fitted encoder is saved as."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy.stats import kendalltau, pearsonr
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.utils.estimator_checks import check_estimator

from synaplex.encoders import PerformanceDecoder, StructureEncoder, decoding_scores, load_encoder, save_encoder
from synaplex.encoders.regressors import fit_boosting
from synaplex.errors import SpecificationError, UnknownNameError, UnreadableFileError, UnwritableFileError
from tests.encoders.structures import dense


def population(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, 4))
    return x, x @ [1.0, -2.0, 0.5, 0.0] + generator.normal(size=count)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("regressor", ["linear", "ridge", pytest.param("boosting", marks=pytest.mark.slow)])
def test_scikit_learn_checks(regressor: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(PerformanceDecoder(regressor))


def test_trees_as_arrays_predict_what_scikit_learn_predicts() -> None:
    x, y = population(80)
    model = GradientBoostingRegressor(n_estimators=200, learning_rate=0.05, subsample=0.5, random_state=7).fit(x, y)
    unseen, _ = population(50, seed=1)
    np.testing.assert_allclose(fit_boosting(x, y, 7).predict(unseen), model.predict(unseen), atol=1e-10)


@pytest.mark.parametrize("regressor", ["linear", "ridge"])
def test_intervals_cover_as_often_as_they_say(regressor: str) -> None:
    x, y = population(4000)
    decoder = PerformanceDecoder(regressor).fit(x[:150], y[:150])
    for calibrated in (decoder, PerformanceDecoder(regressor).fit(x[:150], y[:150]).calibrate(x[150:400], y[150:400])):
        low, high = calibrated.predict_interval(x[400:])
        assert 0.85 < ((low <= y[400:]) & (y[400:] <= high)).mean() < 0.95
        half, _ = calibrated.predict_interval(x[400:], 0.5)
        assert (half > low).all()
    assert decoder.calibration_ == "cross-validation"


def test_an_interval_needs_enough_residuals() -> None:
    x, y = population(6)
    with pytest.raises(SpecificationError, match="needs 9 calibration residuals, and there are 6"):
        PerformanceDecoder().fit(x, y).predict_interval(x)


def test_networks_of_one_trajectory_share_a_fold() -> None:
    """Performance that a trajectory has for itself cannot be known from other trajectories: residuals say so."""
    generator = np.random.default_rng(0)
    group = np.repeat(np.arange(12), 20)
    own = generator.normal(size=12)[group]
    x = np.eye(12)[group] + 0.01 * generator.normal(size=(240, 12))
    apart = PerformanceDecoder("ridge").fit(x, own, groups=group)
    mixed = PerformanceDecoder("ridge").fit(x, own)
    assert apart.half_width(0.9) > 5 * mixed.half_width(0.9)


def test_a_constant_accuracy_is_predicted_and_its_correlation_said_to_be_undefined() -> None:
    x, _ = population(30)
    y = np.full(30, 0.9)
    for regressor in ("linear", "ridge", "boosting"):
        decoder = PerformanceDecoder(regressor).fit(x, y)
        np.testing.assert_allclose(decoder.predict(x), 0.9)
        found = decoding_scores(decoder.predict(x), y, resamples=10)
        assert all(score.value is None for score in found.values())
        assert "performance is the same for all 30 networks" in found["pearson"].reason
    found = decoding_scores(y, x[:, 0], resamples=10)
    assert "the prediction is the same" in found["kendall"].reason
    assert found["r2"].value is not None


def test_scores_are_those_of_scipy_and_scikit_learn() -> None:
    x, y = population(60)
    predicted = x @ [1.0, -2.0, 0.5, 0.0]
    found = decoding_scores(predicted, y)
    assert found["pearson"].value == pytest.approx(pearsonr(predicted, y).statistic)
    assert found["kendall"].value == pytest.approx(kendalltau(predicted, y).statistic)
    assert found["r2"].value == pytest.approx(r2_score(y, predicted))
    for score in found.values():
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.value < score.high
    # R. A. Fisher's interval of a correlation is near
    center, half = np.arctanh(found["pearson"].value), 1.96 / np.sqrt(57)
    assert found["pearson"].low == pytest.approx(np.tanh(center - half), abs=0.05)
    wide = decoding_scores(predicted, y, groups=np.arange(60) // 10)
    assert wide["pearson"].value == found["pearson"].value
    assert decoding_scores(predicted[:2], y[:2])["r2"].reason == "2 networks are too few for a correlation"


def test_senseless_arguments_are_refused() -> None:
    x, y = population(20)
    with pytest.raises(UnknownNameError, match="ridge"):
        PerformanceDecoder("rigde").fit(x, y)
    with pytest.raises(SpecificationError, match="folds"):
        PerformanceDecoder(folds=1).fit(x, y)
    with pytest.raises(SpecificationError, match="coverage"):
        PerformanceDecoder(coverage=1.0).fit(x, y)
    with pytest.raises(SpecificationError, match="finite"):
        decoding_scores(y, np.full(20, np.nan))


@pytest.fixture(scope="module")
def fitted() -> StructureEncoder:
    options = {"positions": 3, "width": 4, "heads": 2, "latent": 4, "epochs": 1}
    return StructureEncoder(node_features=("bias",), **options).fit(dense(30, 6, 5, 3, spread=True))


@pytest.mark.parametrize("regressor", ["linear", "ridge", "boosting"])
def test_an_encoder_is_saved_whole(fitted: StructureEncoder, tmp_path: Path, regressor: str) -> None:
    graph, folder = dense(30, 6, 5, 3, spread=True), tmp_path / "encoder"
    decoder = PerformanceDecoder(regressor).fit(fitted.transform(graph), np.linspace(0, 1, 30))
    save_encoder(folder, fitted, decoder, card={"dataset": "random"})
    save_encoder(folder, fitted, decoder, card={"dataset": "random weights"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder"]
    loaded = load_encoder(folder)
    embedded = fitted.transform(graph)
    assert np.array_equal(loaded.encoder.transform(graph), embedded)
    assert np.array_equal(loaded.encoder.distance(graph), fitted.distance(graph))
    assert loaded.encoder.has_seen(graph).all()
    assert loaded.decoder is not None
    np.testing.assert_array_equal(loaded.decoder.predict(embedded), decoder.predict(embedded))
    np.testing.assert_array_equal(loaded.decoder.predict_interval(embedded), decoder.predict_interval(embedded))
    assert loaded.card["about"] == {"dataset": "random weights"}
    assert loaded.encoder.get_params() == fitted.get_params()


def test_what_cannot_be_saved_is_refused(fitted: StructureEncoder, tmp_path: Path) -> None:
    graph = dense(30, 6, 5, 3, spread=True)
    with pytest.raises(NotFittedError):
        save_encoder(tmp_path / "encoder", StructureEncoder())
    with pytest.raises(SpecificationError, match="JSON"):
        save_encoder(tmp_path / "encoder", fitted, card={"when": object()})
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFileError, match="something else"):
        save_encoder(tmp_path / "file", fitted)
    decoder = PerformanceDecoder().fit(fitted.transform(graph)[:, :5], np.linspace(0, 1, 30))
    with pytest.raises(SpecificationError, match="5 columns and the encoder gives 24"):
        save_encoder(tmp_path / "encoder", fitted, decoder)
    with pytest.raises(SpecificationError, match=r"names of shape \(2,\)"):
        save_encoder(tmp_path / "encoder", fitted, names=["a", "b"])
    with pytest.raises(SpecificationError, match=r"performance of shape \(4,\)"):
        save_encoder(tmp_path / "encoder", fitted, performance=np.ones(4))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_population_of_an_encoder_is_saved(fitted: StructureEncoder, tmp_path: Path) -> None:
    save_encoder(tmp_path / "bare", fitted)
    names, performance = [f"n{i}" for i in range(30)], np.linspace(0, 1, 30)
    save_encoder(tmp_path / "told", fitted, names=names, performance=performance)
    bare, told = load_encoder(tmp_path / "bare"), load_encoder(tmp_path / "told")
    for loaded in (bare, told):
        np.testing.assert_array_equal(loaded.encoder.embedding_, fitted.transform(dense(30, 6, 5, 3, spread=True)))
        assert loaded.encoder.layouts_ == {"6-5-3"}
    assert (bare.names, bare.performance) == (None, None)
    assert told.names == tuple(names)
    assert told.performance is not None
    assert told.performance.tolist() == performance.tolist()


@pytest.mark.parametrize("damage", [{"latent": 5}, {"positions": -1}, {"latent": "many"}, {"colour": "red"}])
def test_a_card_that_does_not_fit_is_refused(
    fitted: StructureEncoder, tmp_path: Path, damage: dict[str, object]
) -> None:
    save_encoder(tmp_path / "encoder", fitted)
    path = tmp_path / "encoder" / "card.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "encoder": {**card["encoder"], **damage}}))
    with pytest.raises(UnreadableFileError, match="no whole encoder"):
        load_encoder(tmp_path / "encoder")


def test_trees_that_run_in_a_circle_are_refused(fitted: StructureEncoder, tmp_path: Path) -> None:
    """They would never come to an end."""
    embedded = fitted.transform(dense(30, 6, 5, 3, spread=True))
    decoder = PerformanceDecoder("boosting").fit(embedded, np.linspace(0, 1, 30))
    save_encoder(tmp_path / "encoder", fitted, decoder)
    arrays = load_file(tmp_path / "encoder" / "decoder.safetensors")
    arrays["regressor.left"][7, 0] = 0
    save_file(arrays, tmp_path / "encoder" / "decoder.safetensors")
    with pytest.raises(UnreadableFileError, match="no whole encoder"):
        load_encoder(tmp_path / "encoder")


def test_a_folder_that_holds_no_encoder(fitted: StructureEncoder, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no folder of an encoder"):
        load_encoder(tmp_path / "nothing")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("")
    with pytest.raises(UnwritableFileError, match="something else"):
        save_encoder(tmp_path / "other", fitted)
    folder = tmp_path / "encoder"
    save_encoder(folder, fitted)
    assert load_encoder(folder).decoder is None
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "format": 1}))  # whose fingerprints know no biases
    with pytest.raises(UnreadableFileError, match="fingerprints leave out biases"):
        load_encoder(folder)
    (folder / "card.json").write_text(json.dumps({**card, "encoder": {**card["encoder"], "node_features": []}}))
    with pytest.raises(UnreadableFileError, match="no whole encoder"):
        load_encoder(folder)  # its parameters are of another shape
    (folder / "card.json").write_text(json.dumps(card))
    weights = (folder / "encoder.safetensors").read_bytes()
    (folder / "encoder.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(UnreadableFileError, match="no whole encoder"):
        load_encoder(folder)
    (folder / "card.json").write_text(json.dumps({**card, "format": 99}))
    with pytest.raises(UnreadableFileError, match="update it"):
        load_encoder(folder)
