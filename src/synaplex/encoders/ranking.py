"""Which of several networks is the best, without data: predicted performance, intervals, and when to distrust them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.encoders.decoder import PerformanceDecoder
from synaplex.encoders.embedding import Embedding, embed, listed
from synaplex.encoders.saving import SavedEncoder
from synaplex.encoders.scores import is_constant
from synaplex.errors import SpecificationError

_UNREAD = "biases or normalisations"


@dataclass(frozen=True, eq=False)
class Ranking:
    """Networks by predicted performance, the best first.

    Attributes
    ----------
    table
        A row a network: ``rank`` (from 1, the best; equal predictions share one), ``model``, ``predicted``, ``low`` and
        ``high`` (the interval; null where there are too few calibration residuals), ``distance``, ``outside`` (of the
        population that the encoder was fitted on: distance above 1, or a layout that none of its networks has),
        ``fitted`` (the encoder has seen this network), ``same_as`` (an earlier one with the same weights), ``layout``.
    undecided
        Names of the networks whose intervals meet that of the first: the encoder does not tell which of these is best.
    warnings
        Why not to trust some of it, naming the networks concerned.
    embedding
        Where the networks lie, in the order given.
    larger_is_better
        Whether the largest prediction is the first, or the smallest.
    """

    table: pl.DataFrame
    undecided: tuple[str, ...]
    warnings: tuple[str, ...]
    embedding: Embedding
    larger_is_better: bool = True


def rank(
    models: Any,
    saved: SavedEncoder | str | os.PathLike[str],
    *,
    coverage: float = 0.9,
    larger_is_better: bool | None = None,
    layers: Sequence[str] | None = None,
    progress: Callable[[str], object] | None = None,
) -> Ranking:
    """Predict the performance of networks from their weights alone, and order them by it.

    Predictions and intervals hold for networks of the population that the encoder
    was fitted on, and mean what its decoder was fitted on: an accuracy on a data set, say, as the card may tell.

    Parameters
    ----------
    models, saved, layers, progress
        As for `embed`.
    coverage
        Of the intervals; see `PerformanceDecoder.predict_interval`.
    larger_is_better
        Whether a larger performance is the better one; False for an error or a loss. None for what the decoder was
        made with, see `PerformanceDecoder`.

    Raises
    ------
    SpecificationError
        If the encoder was saved without a decoder, there is no network, or all networks have the same weights; and as
        `embed` does.

    Examples
    --------
    >>> from synaplex.encoders import PerformanceDecoder, StructureEncoder
    >>> from synaplex.graph import NeuralGraph
    >>> import torch
    >>> generator = torch.Generator().manual_seed(0)
    >>> scale = torch.linspace(1, 2, 30)[:, None, None]
    >>> train = NeuralGraph.from_weights([torch.randn(30, 6, 4, generator=generator) * scale])
    >>> encoder = StructureEncoder(positions=2, epochs=0).fit(train)
    >>> decoder = PerformanceDecoder("ridge").fit(encoder.transform(train), scale.flatten().double().numpy())
    >>> models = {"a": train.network(3), "b": train.network(25)}
    >>> rank(models, SavedEncoder(encoder, decoder, {})).table["model"].to_list()
    ['b', 'a']
    """
    if not 0 < coverage < 1:
        raise SpecificationError(f"coverage must lie between 0 and 1, got {coverage!r}")
    found = embed(models, saved, layers=layers, progress=progress)
    decoder = found.saved.decoder
    if decoder is None:
        raise SpecificationError(
            "this encoder was saved without a decoder, so that it places networks but predicts no performance: fit a "
            "PerformanceDecoder on its embeddings and save both with save_encoder"
        )
    if len(found) > 1 and set(found.same_as[1:]) == {found.names[0]}:
        raise SpecificationError(
            f"all {len(found)} networks have the same weights: there is nothing to rank"
            + (f" by an encoder that does not read {_UNREAD}, in which they differ" if found.unread.any() else "")
        )
    predicted = decoder.predict(found.values)
    half, too_few = None, ""
    try:
        half = decoder.half_width(coverage)
    except SpecificationError as error:
        too_few = str(error)
    table = pl.DataFrame(
        {
            "model": list(found.names),
            "predicted": predicted,
            "low": predicted - (np.nan if half is None else half),
            "high": predicted + (np.nan if half is None else half),
            "distance": found.distance,
            "outside": found.outside,
            "fitted": found.fitted,
            "same_as": pl.Series(found.same_as, dtype=pl.String),
            "layout": list(found.layouts),
        }
    ).with_columns(pl.col("low", "high").fill_nan(None))
    larger = decoder.larger_is_better if larger_is_better is None else larger_is_better
    table = table.with_columns(pl.col("predicted").rank("min", descending=larger).cast(pl.Int32).alias("rank"))
    table = table.select("rank", pl.exclude("rank")).sort("rank", maintain_order=True)
    meeting: list[str] = []
    if half is not None:
        meets = table["high"] >= table["low"][0] if larger else table["low"] <= table["high"][0]
        meeting = table.filter(meets)["model"].to_list()
    notes = [*_strangers(found), *_doubtful(found, predicted, decoder), *([too_few] if too_few else [])]
    return Ranking(table, tuple(meeting), tuple(notes), found, larger)


def _strangers(found: Embedding) -> Iterator[str]:
    """About networks that are no new networks of the population."""
    for text in found.warnings:
        yield f"{text}. Predictions and intervals need not hold for them"
    if found.fitted.any():
        seen = [name for name, _ in found.of(found.layouts, found.fitted)]
        yield f"the encoder was fitted on {listed(seen)}: predictions for new networks are less good"
    for unread, said in ((False, "exactly the same weights"), (True, f"the same weights ({_UNREAD} are not read)")):
        told = zip(found.names, found.same_as, found.unread, strict=True)
        pairs = [f"{name} as {same}" for name, same, other in told if same is not None and bool(other) == unread]
        if pairs:
            yield f"{said}: {listed(pairs)}"
    if found.left_out:
        yield f"left out, because they have diverged: {listed(found.left_out)}"


def _doubtful(
    found: Embedding, predicted: Float[np.ndarray, " networks"], decoder: PerformanceDecoder
) -> Iterator[str]:
    """About predictions that say little."""
    low, high = decoder.range_
    if low == high:
        yield f"the decoder was fitted on networks that all have a performance of {low:.4g}: it can tell nothing"
    elif len(found) > 1 and is_constant(predicted):
        yield "the prediction is the same for all: their order means nothing"
    beyond = [f"{name} ({value:.4g})" for name, value in found.of(predicted, (predicted < low) | (predicted > high))]
    if beyond and low < high:
        yield f"beyond the performance of the networks fitted ({low:.4g} to {high:.4g}): {listed(beyond)}"
