"""Activity: what the neurons of a module received and sent over a sample, as tables and distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.measures.activity.record import Record, Stream
from synaplex.measures.activity.tables import (
    LAYER_SCHEMA,
    MOMENTS,
    QUANTILES,
    layer_row,
    moments_of,
    neuron_table,
    range_of,
    steps_of,
)

Quantity = Literal["strength", "activation"]

PASSED = 0.5
"""A layer is a bottleneck if it passes on at most this share of the dimensions that it gets."""


class Activity:
    """Neurons Strength and Neurons Activation of every neuron over a sample of inputs; from `activity`.

    Parameters
    ----------
    records
        Of the layers, in the order in which they were called; the input first, where it is known.
    samples
        Number of inputs.
    coverage
        For each parameter the layer that reads it, or why none does.
    """

    def __init__(
        self, records: Sequence[Record], samples: int, coverage: Sequence[tuple[str, str | None, str | None]]
    ) -> None:
        self._records = {record.name: record for record in records}
        first = 0 if records and records[0].kind == "input" else 1
        self._numbers = {record.name: number for number, record in enumerate(records, first)}
        self._coverage = list(coverage)
        self.samples = samples

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layers, in the order in which they were called."""
        return tuple(self._records)

    def coverage(self) -> pl.DataFrame:
        """Each parameter tensor of the module: ``parameter``, the ``layer`` that reads it, or the ``reason`` why none.

        Layers that were not called, that give no numbers, or what another layer gives, are no rows of other tables.
        """
        schema = {"parameter": pl.String, "layer": pl.String, "reason": pl.String}
        return pl.DataFrame(self._coverage, schema=schema, orient="row")

    def neurons(self) -> pl.DataFrame:
        """Each neuron, at each step of a recurrent layer.

        Returns
        -------
        polars.DataFrame
            ``layer`` (Int32; 0 is the input), ``layer_name``, ``step`` (Int32; null for a layer without steps),
            ``neuron`` (Int32, within its layer), ``samples`` (observations: of a layer over tokens, samples times
            tokens), and for both quantities ``strength_`` and ``activation_`` with ``mean``, ``variance`` (mean squared
            deviation), ``skewness``, ``kurtosis`` (3 for a Gaussian; both null where nothing varies), ``min``, ``max``;
            ``zeros`` (share of activations that are exactly 0); ``low`` and ``high`` (shares within 5 % of the range
            from the ends of a bounded activation function, else null); ``dead`` (a rectifier that is zero for the whole
            sample; null for other functions); ``saturated`` (low + high at least 0.95; null for unbounded functions);
            ``reason`` (why moments are null).
        """
        return pl.concat([neuron_table(record, self._numbers[record.name]) for record in self._records.values()])

    def layers(self) -> pl.DataFrame:
        """Each layer, all its neurons, steps and observations together.

        Returns
        -------
        polars.DataFrame
            ``layer``, ``layer_name``, ``kind`` (class of the module), ``shape`` (of its neurons), ``neurons``,
            ``steps`` (null without), ``function`` (activation function; null where none was seen), moments of both
            quantities as in `neurons`, and quantiles such as ``strength_q05`` (within 1/64 of their size); ``zeros``;
            ``dead`` and ``saturated`` (number of neurons that are so at every step); ``dimension`` (participation
            ratio of the activations, null where not estimated); ``reason`` (why values are null).
        """
        rows = [layer_row(record, self._numbers[record.name]) for record in self._records.values()]
        return pl.DataFrame(rows, schema=LAYER_SCHEMA)

    def values(self, layer: str, quantity: Quantity = "strength") -> Float[Tensor, "observations steps neurons"]:
        """Every value of a layer, if `activity` was called with ``keep_values=True``; a layer without steps has one.

        Raises
        ------
        UnknownNameError
            If there is no such layer.
        SpecificationError
            If values were not kept.
        """
        stream = self._stream(layer, quantity)
        if not stream.kept:
            raise SpecificationError("the values were not kept: call activity(..., keep_values=True)")
        return torch.stack([torch.cat(stream.kept[step]) for step in steps_of(stream)], 1)

    def moments(
        self, layer: str, quantity: Quantity = "strength", *, of: str = "mean"
    ) -> Float[Tensor, "steps neurons"]:
        """A moment of each neuron of a layer, step by step: over a recurrent layer, the heat map of the paper's fig. 3.

        Parameters
        ----------
        layer
            Its name.
        quantity
            ``"strength"`` or ``"activation"``.
        of
            ``"mean"``, ``"variance"``, ``"skewness"``, ``"kurtosis"`` (NaN where nothing varies), ``"min"`` or
            ``"max"``.
        """
        if of not in MOMENTS:
            raise UnknownNameError("moment", of, MOMENTS)
        stream = self._stream(layer, quantity)
        return torch.stack([moments_of(stream.tallies[step].moments)[of] for step in steps_of(stream)])

    def quantiles(
        self, layer: str, quantity: Quantity = "strength", *, shares: Sequence[float] = tuple(QUANTILES.values())
    ) -> list[float]:
        """Values below which these shares of a layer's values lie, within 1/64 of their size."""
        stream = self._stream(layer, quantity)
        found = stream.sketch.quantiles(np.asarray(shares, dtype=np.float64), *range_of(stream))
        return [float(value) for value in found]

    def density(
        self, layer: str, quantity: Quantity = "strength", *, bins: int | Sequence[float] = 100
    ) -> pl.DataFrame:
        """The probability density of a layer's values, all neurons, steps and observations together.

        Parameters
        ----------
        layer
            Its name.
        quantity
            ``"strength"`` or ``"activation"``.
        bins
            Number of equal bins from the smallest to the largest value, or their edges.

        Returns
        -------
        polars.DataFrame
            A row a bin: ``left``, ``right``, ``share`` of the values, ``density`` (share over width).
        """
        stream = self._stream(layer, quantity)
        low, high = range_of(stream)
        if isinstance(bins, int):
            edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
        else:
            edges = np.asarray(bins, dtype=np.float64)
        if len(edges) < 2 or not (np.diff(edges) > 0).all():
            raise SpecificationError(
                f"bins need at least two increasing edges, or a number of at least 1; got {bins!r}"
            )
        share = stream.sketch.histogram(edges, low, high) / max(1, int(stream.sketch.counts.sum()))
        return pl.DataFrame({"left": edges[:-1], "right": edges[1:], "share": share, "density": share / np.diff(edges)})

    def bottlenecks(self) -> pl.DataFrame:
        """Hidden layers that let little through.

        La Malfa et al. call bottleneck what impedes the flow of information through a network (2021, section IV.B) and
        what compresses it by design, as the middle of an autoencoder does (2024, section 4). Here a hidden layer is one
        that has fewer neurons than the layers called just before and just after, or whose activations spread over at
        most half as many dimensions as those of the layer before: the participation ratio of their covariance, see
        `synaplex.measures.activity.dimension`.

        Returns
        -------
        polars.DataFrame
            ``layer``, ``layer_name``, ``neurons``, ``dimension``, ``before`` (that of the layer before), ``passed``
            (their ratio; null where one is), ``narrow`` (fewer neurons than its neighbours), the smallest share first.
        """
        frame = self.layers().select(
            "layer",
            "layer_name",
            "neurons",
            "dimension",
            before=pl.col("dimension").shift(1),
            passed=pl.col("dimension") / pl.col("dimension").shift(1),
            narrow=(pl.col("neurons") < pl.col("neurons").shift(1)) & (pl.col("neurons") < pl.col("neurons").shift(-1)),
        )
        hidden = frame.filter(pl.col("layer").is_between(1, pl.col("layer").max() - 1))
        return hidden.filter(pl.col("narrow") | (pl.col("passed") <= PASSED)).sort("passed", nulls_last=True)

    def __repr__(self) -> str:
        neurons = sum(math.prod(record.shape) for record in self._records.values() if record.kind != "input")
        return f"Activity({len(self._records)} layers, {neurons:,} neurons, {self.samples:,} samples)"

    def _stream(self, layer: str, quantity: Quantity) -> Stream:
        if layer not in self._records:
            raise UnknownNameError("layer", layer, self._records)
        if quantity not in ("strength", "activation"):
            raise UnknownNameError("quantity", quantity, ("strength", "activation"))
        record = self._records[layer]
        return record.strength if quantity == "strength" else record.final
