"""From a table of neurons and measures to the matrix of their descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.neurons.normalization import LOG_PREFIX, Normalization, measure_of, normalization_named

INDEX_COLUMNS = ("network", "seed", "epoch", "layer", "layer_name", "neuron", "name")
"""The columns of a neuron table that say which neuron a row is."""

SCABINI_MEASURES = ("strength", "bipartite_clustering", "subgraph_centrality")
"""The three measures that the paper keeps for its descriptor of a neuron."""


@dataclass(frozen=True, eq=False)
class Descriptors:
    """Descriptors of neurons, one row each, with which neurons they are and how many were left out.

    Parameters
    ----------
    values
        One row a neuron, one column a measure. All finite.
    measures
        The columns' names; ``log_m`` for the natural logarithm of the measure ``m``.
    index
        Which neuron each row is: those of `INDEX_COLUMNS` that the table has, or else `row`, the row's
        number in the table.
    left_out
        The neurons without a value for one of the measures, counted: columns `layer` (where the table has
        it), `reason`, `neurons`.
    normalization
        The fitted normalization that made the values, or None for raw values.

    Raises
    ------
    SpecificationError
        If the parts are not of one length.
    """

    values: Float[np.ndarray, "neurons measures"]
    measures: tuple[str, ...]
    index: pl.DataFrame
    left_out: pl.DataFrame
    normalization: Normalization | None = None

    def __post_init__(self) -> None:
        if self.values.shape != (self.index.height, len(self.measures)):
            raise SpecificationError(
                f"values of shape {self.values.shape} for {self.index.height} neurons and {len(self.measures)} measures"
            )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def left_out_count(self) -> int:
        """How many neurons of the table have no descriptor."""
        return int(self.left_out["neurons"].sum())

    @property
    def layers(self) -> Int[np.ndarray, " neurons"]:
        """The layer of each neuron; `SpecificationError` if the table had no column `layer`."""
        return self._column("layer").cast(pl.Int64).to_numpy()

    def groups(self, *columns: str) -> tuple[Int[np.ndarray, " neurons"], pl.DataFrame]:
        """Which group each neuron belongs to, such as its network.

        Parameters
        ----------
        columns
            The columns of the index that tell groups apart; by default those of `network`, `seed` and `epoch`
            that are there.

        Returns
        -------
        codes
            The number of each neuron's group.
        table
            The groups in order, sorted by the columns: row i is the group with number i. Rows of
            `BagOfNeurons.histogram` are in the same order. A group whose neurons were all left out is not
            in it.

        Raises
        ------
        SpecificationError
            If the index lacks a column.
        """
        by = list(columns) or [name for name in ("network", "seed", "epoch") if name in self.index.columns]
        for name in by:
            self._column(name)
        if not by:
            raise SpecificationError("the neurons carry no network, seed or epoch: name the columns to group by")
        keys = self.index.select(by)
        table = keys.unique().sort(by)
        coded = table.with_row_index("__code")
        codes = keys.join(coded, on=by, how="left", maintain_order="left", nulls_equal=True)["__code"]
        return codes.cast(pl.Int64).to_numpy(), table

    def select(self, rows: Bool[np.ndarray, " neurons"]) -> Descriptors:
        """The descriptors of some of the neurons; the count of those left out stays the whole table's."""
        return replace(self, values=self.values[rows], index=self.index.filter(pl.Series(rows)))

    def of_layer(self, layer: int) -> Descriptors:
        """The descriptors of one layer's neurons, and the count of those left out of that layer."""
        part = self.select(self.layers == layer)
        if not len(part):
            raise SpecificationError(f"no neurons in layer {layer}; there are layers {np.unique(self.layers).tolist()}")
        return replace(part, left_out=self.left_out.filter(pl.col("layer") == layer))

    def normalized(self, normalization: Normalization | str) -> Descriptors:
        """The descriptors brought to a common range.

        Parameters
        ----------
        normalization
            A normalization, or the name of one (see `NORMALIZATIONS`). One without constants is fitted on
            these rows; one with constants is used as it is.

        Returns
        -------
        Descriptors
            With normalized values, measures without ``log_``, and the fitted normalization.

        Raises
        ------
        SpecificationError
            If they are normalized already, or the normalization does not fit these measures and layers.
        UnknownNameError
            If no normalization has that name.
        """
        if self.normalization is not None:
            raise SpecificationError("these descriptors are normalized already: start from the raw ones")
        chosen = normalization_named(normalization) if isinstance(normalization, str) else normalization
        layers = self.layers if chosen.per_layer else None
        if not chosen.fitted:
            chosen = chosen.fit(self.values, self.measures, layers)
        values = chosen.transform(self.values, self.measures, layers)
        names = tuple(map(measure_of, self.measures))
        return replace(self, values=values, measures=names, normalization=chosen)

    def _column(self, name: str) -> pl.Series:
        if name not in self.index.columns:
            raise SpecificationError(
                f"the neurons carry no column {name!r}; they carry {', '.join(self.index.columns) or 'none'}"
            )
        return self.index[name]


def descriptors(
    frame: pl.DataFrame,
    measures: Sequence[str] = SCABINI_MEASURES,
    normalization: Normalization | str | None = None,
) -> Descriptors:
    """The descriptors of the neurons in a table: psi(v) = [f_1(v), ..., f_m(v)] for measures f_j.

    Neurons for which a measure is null, not a number or infinite have no descriptor; they are left out, and
    counted by reason.

    Parameters
    ----------
    frame
        One row a neuron (of a network, at an epoch), with some of `INDEX_COLUMNS`, a column for each
        measure, and optionally `reason`, which says why a measure is null.
    measures
        The measures, by default the paper's three. For a measure ``m`` the column ``m`` is read, or else
        ``log_m``, its natural logarithm; and likewise for a name ``log_m``. (To have a logarithm itself in
        the descriptor, rename its column.)
    normalization
        Applied to the result, see `Descriptors.normalized`. None leaves the values raw.

    Returns
    -------
    Descriptors
        Values of shape (neurons, measures) in float64, in the order of the table's rows.

    Raises
    ------
    UnknownNameError
        If the table has no column for a measure.
    SpecificationError
        If a column is not numeric, a measure is asked for twice, or no neuron has all measures.

    Notes
    -----
    Scabini and Bruno (2021), equations 12 and 13. Cost: linear in the size of the table.

    Examples
    --------
    >>> table = pl.DataFrame({"neuron": [0, 1, 2], "strength": [1.0, None, 4.0]})
    >>> found = descriptors(table, ["strength"], "largest")
    >>> found.values.tolist(), found.left_out_count
    ([[0.25], [1.0]], 1)
    """
    columns = tuple(_column_of(frame, name) for name in measures)
    if not columns:
        raise SpecificationError("a descriptor needs at least one measure")
    if len({measure_of(name) for name in columns}) < len(columns):
        raise SpecificationError(f"a measure is asked for twice: {', '.join(measures)}")
    names = [name for name in INDEX_COLUMNS if name in frame.columns]
    index = frame.select(names) if names else frame.with_row_index("row").select("row")
    numbers = frame.select(pl.col(name).cast(pl.Float64) for name in columns)
    present = numbers.select(
        pl.all_horizontal(pl.col(name).is_finite().fill_null(False) for name in columns)
    ).to_series()
    if not present.any():
        raise SpecificationError(f"none of the {frame.height} neurons has a value for all of {', '.join(columns)}")
    raw = Descriptors(
        values=np.ascontiguousarray(numbers.filter(present).to_numpy()),
        measures=columns,
        index=index.filter(present),
        left_out=_count_left_out(frame.filter(~present), columns),
    )
    return raw if normalization is None else raw.normalized(normalization)


def _column_of(frame: pl.DataFrame, name: str) -> str:
    measure = measure_of(name)
    for column in (name, measure, LOG_PREFIX + measure):
        if column in frame.columns:
            if not frame.schema[column].is_numeric():
                raise SpecificationError(f"the column {column!r} is not numeric but {frame.schema[column]}")
            return column
    raise UnknownNameError("measure in this table", name, set(frame.columns) - set(INDEX_COLUMNS) - {"reason"})


def _count_left_out(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    by = ["layer"] if "layer" in rows.columns else []
    faults = [
        pl.when(fault).then(pl.lit(f"{name} is {word}"))
        for name in columns
        for fault, word in (
            (pl.col(name).is_null(), "null"),
            (pl.col(name).cast(pl.Float64).is_nan(), "not a number"),
            (pl.col(name).cast(pl.Float64).is_infinite(), "infinite"),
        )
    ]
    given = [pl.col("reason").cast(pl.String)] if "reason" in rows.columns else []
    reasons = rows.select(*by, pl.coalesce(*given, *faults).alias("reason"))
    return reasons.group_by(*by, "reason").agg(pl.len().alias("neurons")).sort(*by, "reason")
