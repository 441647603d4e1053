"""Encoders and baselines on the same split: one table of how well each decodes performance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Shaped
from sklearn.base import clone

from synaplex.encoders.decoder import PerformanceDecoder
from synaplex.encoders.graph_set import GraphSet
from synaplex.encoders.scores import SCORES, decoding_scores
from synaplex.errors import SpecificationError


def compare_encoders(
    encoders: Mapping[str, Any],
    train: Any,
    train_performance: Float[np.ndarray, " known"],
    test: Any,
    test_performance: Float[np.ndarray, " unseen"],
    *,
    decoder: PerformanceDecoder | None = None,
    train_groups: Shaped[np.ndarray, " known"] | None = None,
    test_groups: Shaped[np.ndarray, " unseen"] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """How well each encoder decodes the performance of networks that neither it nor the decoder has seen.

    Parameters
    ----------
    encoders
        By name: `StructureEncoder`, baselines, anything with `fit` and `transform`. Copies are fitted on `train` alone;
        the ones given stay as they are.
    train, test
        Networks.
    train_performance, test_performance
        One number a network.
    decoder
        What is fitted to each encoder's output, a ridge regression by default.
    train_groups, test_groups
        The trajectory of each network, where they are snapshots: see `PerformanceDecoder.fit` and `decoding_scores`.
    resamples, confidence, seed
        Of the bootstrap, on the same samples for all encoders.

    Returns
    -------
    polars.DataFrame
        A row an encoder: ``encoder``, ``columns``; ``pearson``, ``kendall`` and ``r2``, each with ``_low`` and
        ``_high``, null where undefined; ``reason`` why; ``covered``, the share of test networks inside their intervals
        (null where there are too few residuals); ``transductive``: whether any test network is a training network too,
        by what the encoder reads of it (see `fingerprints`).

    Raises
    ------
    SpecificationError
        If there are not as many figures as networks, or one side has none.
    """
    known, unseen = GraphSet.of(train), GraphSet.of(test)
    for networks, performance in ((known, train_performance), (unseen, test_performance)):
        if len(networks) != len(performance) or not len(networks):
            raise SpecificationError(f"{len(performance)} figures of performance for {len(networks)} networks")
    rows = []
    for name, encoder in encoders.items():
        fitted = clone(encoder).fit(known)
        regression = clone(decoder if decoder is not None else PerformanceDecoder("ridge"))
        regression.fit(fitted.transform(known), train_performance, groups=train_groups)
        features = fitted.transform(unseen)
        predicted = regression.predict(features)
        found = decoding_scores(
            predicted, test_performance, groups=test_groups, resamples=resamples, confidence=confidence, seed=seed
        )
        row: dict[str, object] = {"encoder": name, "columns": features.shape[1]}
        for score in SCORES:
            one = found[score]
            row |= {score: one.value, f"{score}_low": one.low, f"{score}_high": one.high}
        row["reason"] = "; ".join(dict.fromkeys(one.reason for one in found.values() if one.reason)) or None
        row["covered"] = _covered(regression, features, test_performance)
        read = getattr(encoder, "node_features", ())
        row["transductive"] = not set(known.fingerprints(read)).isdisjoint(unseen.fingerprints(read))
        rows.append(row)
    figures = [f"{score}{end}" for score in SCORES for end in ("", "_low", "_high")]
    schema = {"encoder": pl.String, "columns": pl.Int32, **dict.fromkeys(figures, pl.Float64), "reason": pl.String}
    return pl.DataFrame(rows, schema={**schema, "covered": pl.Float64, "transductive": pl.Boolean})


def _covered(
    decoder: PerformanceDecoder, features: Float[np.ndarray, "networks _"], actual: Float[np.ndarray, " networks"]
) -> float | None:
    try:
        low, high = decoder.predict_interval(features)
    except SpecificationError:  # too few calibration residuals
        return None
    return float(((low <= actual) & (actual <= high)).mean())
