"""Normalizations of neuron descriptors, as frozen values: the rule, and the constants it learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.errors import SpecificationError, UnknownNameError

Rule = Literal["largest", "min-max"]

LOG_PREFIX = "log_"
"""A column ``log_m`` holds the natural logarithm of the measure ``m``."""


def measure_of(column: str) -> str:
    """The measure a column stands for: the name without the prefix ``log_``.

    Examples
    --------
    >>> measure_of("log_subgraph_centrality"), measure_of("strength")
    ('subgraph_centrality', 'strength')
    """
    return column.removeprefix(LOG_PREFIX)


@dataclass(frozen=True)
class Constant:
    """The two values of a measure that a normalization sends to 0 and to 1.

    Parameters
    ----------
    measure
        The measure, such as ``"subgraph_centrality"`` (without ``log_``).
    low, high
        The values that become 0 and 1; with `logarithmic`, their natural logarithms (then `low` may be
        minus infinity, the logarithm of 0).
    layer
        The layer whose neurons it holds for (0 is the input); None for all layers.
    logarithmic
        Whether `low` and `high` are natural logarithms, as values beyond float64 need to be.

    Raises
    ------
    SpecificationError
        If `high` is not above `low`, or one of them is not a number.
    """

    measure: str
    low: float
    high: float
    layer: int | None = None
    logarithmic: bool = False

    def __post_init__(self) -> None:
        low_allowed = np.isfinite(self.low) or (self.logarithmic and self.low == -np.inf)
        if not (low_allowed and np.isfinite(self.high) and self.high > self.low):
            raise SpecificationError(
                f"normalization of {self.measure!r}{_where(self.layer)}: the value that becomes 1 must be "
                f"above the one that becomes 0, got low={self.low}, high={self.high}"
            )

    def apply(self, values: Float[np.ndarray, " neurons"], logarithmic: bool) -> Float[np.ndarray, " neurons"]:
        """Map values of the measure, plain or as natural logarithms, linearly so that low is 0 and high is 1.

        On logarithms l of the values, with bounds l_0 and l_1, nothing is exponentiated that could overflow::

            (e^l - e^l_0) / (e^l_1 - e^l_0)
                = sign(l - l_0) e^(max(l, l_0) - l_1) (e^(-|l - l_0|) - 1) / (e^(l_0 - l_1) - 1)
        """
        if not logarithmic:
            low, high = self._plain()
            return np.asarray((values - low) / (high - low))
        low, high = self._logarithms()
        with np.errstate(over="ignore"):
            size = np.exp(np.maximum(values, low) - high) * np.expm1(-np.abs(values - low))
        result = np.sign(values - low) * size / np.expm1(low - high)
        if not np.isfinite(result).all():
            raise SpecificationError(
                f"{LOG_PREFIX}{self.measure} reaches {values.max():.6g}{_where(self.layer)}, so far above "
                f"the normalization's {high:.6g} that the ratio exceeds float64: fit it on these neurons"
            )
        return np.asarray(result)

    def _plain(self) -> tuple[float, float]:
        if not self.logarithmic:
            return self.low, self.high
        with np.errstate(over="ignore"):
            low, high = np.exp(self.low), np.exp(self.high)
        if not np.isfinite(high):
            raise SpecificationError(
                f"the constant of {self.measure!r}{_where(self.layer)} is e^{self.high:.6g}, beyond float64: "
                f"give the measure as its logarithm, in a column {LOG_PREFIX + self.measure!r}"
            )
        return float(low), float(high)

    def _logarithms(self) -> tuple[float, float]:
        if self.logarithmic:
            return self.low, self.high
        if self.low < 0 or self.high <= 0:
            raise SpecificationError(
                f"the constants of {self.measure!r}{_where(self.layer)} are {self.low} and {self.high}: "
                f"without logarithms they cannot normalize the column {LOG_PREFIX + self.measure!r}"
            )
        return (float(np.log(self.low)) if self.low > 0 else -np.inf), float(np.log(self.high))


@dataclass(frozen=True)
class Normalization:
    """How the measures of a descriptor are brought to a common range, and the constants that do it.

    Per measure, with the largest value M and the smallest value m over the rows (of the neuron's layer, if
    `per_layer`, else of all)::

        "largest"   x / M             "min-max"   (x - m) / (M - m)

    M is the largest value, not the largest absolute value, in the paper's words and in the released data:
    signed strengths keep their sign and may lie below -1.

    A value never changes: `fit` returns a new normalization that carries the constants it learned. They can
    be read (`constants`, `table`), and given instead of learned.

    Parameters
    ----------
    rule
        The rule for every measure without an exception.
    exceptions
        Another rule for single measures.
    per_layer
        Whether each layer is normalized by itself.
    constants
        One per measure (and layer, if `per_layer`). Empty until fitted.

    Raises
    ------
    SpecificationError
        If the constants disagree with `per_layer`, or two are for the same measure and layer.
    UnknownNameError
        If a rule does not exist.

    Notes
    -----
    Scabini and Bruno (2021), section 3.2: "feature-wise normalized by the largest value" is `LARGEST`. The
    data they released were normalized by `RELEASED`, with the constants in `RELEASED_MNIST` for MNIST.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[-2.0, 200.0], [4.0, 201.0]])
    >>> names = ["strength", "log_subgraph_centrality"]
    >>> fitted = LARGEST.fit(values, names)
    >>> fitted.transform(values, names).round(4)
    array([[-0.5   ,  0.3679],
           [ 1.    ,  1.    ]])
    """

    rule: Rule = "largest"
    exceptions: Mapping[str, Rule] = field(default_factory=dict, hash=False)
    per_layer: bool = False
    constants: tuple[Constant, ...] = ()

    def __post_init__(self) -> None:
        for rule in (self.rule, *self.exceptions.values()):
            if rule not in get_args(Rule):
                raise UnknownNameError("normalization rule", str(rule), get_args(Rule))
        keys = [(constant.measure, constant.layer) for constant in self.constants]
        if len(set(keys)) < len(keys):
            raise SpecificationError("a normalization has two constants for the same measure and layer")
        for constant in self.constants:
            if (constant.layer is not None) != self.per_layer:
                raise SpecificationError(
                    f"per_layer={self.per_layer}, but the constant of {constant.measure!r} is for "
                    f"{'all layers' if constant.layer is None else f'layer {constant.layer}'}"
                )

    @property
    def fitted(self) -> bool:
        """Whether there are constants to transform with."""
        return bool(self.constants)

    def fit(
        self,
        values: Float[np.ndarray, "neurons measures"],
        measures: Sequence[str],
        layers: Int[np.ndarray, " neurons"] | None = None,
    ) -> Normalization:
        """Learn the constants from these rows.

        Parameters
        ----------
        values
            One row a neuron, one column a measure. All finite.
        measures
            The columns' names; ``log_m`` says that a column holds the natural logarithm of ``m``.
        layers
            The layer of each neuron. Needed with `per_layer`.

        Returns
        -------
        Normalization
            The same rules with the constants learned, replacing any before.

        Raises
        ------
        SpecificationError
            If a value is not finite, the largest value is not positive (dividing by it would turn the order
            around), or a measure to be min-max normalized is the same for all neurons.
        """
        _check(values, measures)
        constants = []
        for column, measure, layer, rows in self._blocks(values, measures, layers):
            logarithmic = measures[column].startswith(LOG_PREFIX)
            constants.append(self._learn(values[rows, column], measure, layer, logarithmic))
        return replace(self, constants=tuple(constants))

    def transform(
        self,
        values: Float[np.ndarray, "neurons measures"],
        measures: Sequence[str],
        layers: Int[np.ndarray, " neurons"] | None = None,
    ) -> Float[np.ndarray, "neurons measures"]:
        """Normalize rows with the constants.

        Parameters
        ----------
        values, measures, layers
            As in `fit`. A logarithmic column comes out as the normalized measure itself, not as a logarithm.

        Returns
        -------
        Float[np.ndarray, "neurons measures"]
            The normalized values, of the rows fitted at most 1 and, by the rule "min-max", at least 0.

        Raises
        ------
        SpecificationError
            If there are no constants, or none for a measure or layer in the rows.
        """
        _check(values, measures)
        if not self.fitted:
            raise SpecificationError("this normalization has no constants yet: fit it, or give constants")
        known = {(constant.measure, constant.layer): constant for constant in self.constants}
        result = np.empty(values.shape, dtype=np.float64)
        for column, measure, layer, rows in self._blocks(values, measures, layers):
            constant = known.get((measure, layer))
            if constant is None:
                have = ", ".join(f"{name}{_where(at)}" for name, at in known)
                raise SpecificationError(
                    f"this normalization has no constant for {measure}{_where(layer)}; it has: {have}"
                )
            logarithmic = measures[column].startswith(LOG_PREFIX)
            result[rows, column] = constant.apply(values[rows, column], logarithmic)
        return result

    def fit_transform(
        self,
        values: Float[np.ndarray, "neurons measures"],
        measures: Sequence[str],
        layers: Int[np.ndarray, " neurons"] | None = None,
    ) -> Float[np.ndarray, "neurons measures"]:
        """Learn the constants from these rows and normalize them; the constants are not kept."""
        return self.fit(values, measures, layers).transform(values, measures, layers)

    def table(self) -> pl.DataFrame:
        """The constants as a table: `measure`, `layer` (null: all), `low`, `high`, `logarithmic`."""
        schema = {
            "measure": pl.String,
            "layer": pl.Int32,
            "low": pl.Float64,
            "high": pl.Float64,
            "logarithmic": pl.Boolean,
        }
        rows = [(c.measure, c.layer, c.low, c.high, c.logarithmic) for c in self.constants]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _learn(
        self, values: Float[np.ndarray, " neurons"], measure: str, layer: int | None, logarithmic: bool
    ) -> Constant:
        rule = self.exceptions.get(measure, self.rule)
        low, high = float(values.min()), float(values.max())
        if rule == "largest":
            low = -np.inf if logarithmic else 0.0
            if high <= low:
                raise SpecificationError(
                    f"the largest value of {measure}{_where(layer)} is {high:.6g}, and dividing by it "
                    "would turn the order of the neurons around: normalize it by 'min-max'"
                )
        elif high <= low:
            raise SpecificationError(
                f"{measure}{_where(layer)} is {high:.6g} for all {len(values)} neurons: it has no range for "
                "'min-max' and tells no neurons apart; leave it out"
            )
        return Constant(measure, low, high, layer, logarithmic)

    def _blocks(
        self,
        values: Float[np.ndarray, "neurons measures"],
        measures: Sequence[str],
        layers: Int[np.ndarray, " neurons"] | None,
    ) -> Iterator[tuple[int, str, int | None, slice | np.ndarray]]:
        """Yield column, measure, layer and rows of each block of values that one constant is for."""
        blocks: list[tuple[int | None, slice | np.ndarray]] = [(None, slice(None))]
        if self.per_layer:
            if layers is None:
                raise SpecificationError("this normalization treats each layer by itself: give layers=")
            if len(layers) != len(values):
                raise SpecificationError(f"{len(values)} rows, but layers of {len(layers)} neurons")
            blocks = [(int(layer), layers == layer) for layer in np.unique(layers)]
        for layer, rows in blocks:
            for column, name in enumerate(measures):
                yield column, measure_of(name), layer, rows


def _check(values: Float[np.ndarray, "neurons measures"], measures: Sequence[str]) -> None:
    if values.shape[1] != len(measures):
        raise SpecificationError(f"{values.shape[1]} columns of values, but {len(measures)} measures named")
    if len({measure_of(name) for name in measures}) < len(measures):
        raise SpecificationError(f"a measure is named twice: {', '.join(measures)}")
    if not len(values):
        raise SpecificationError("no neurons to normalize")
    wrong = ~np.isfinite(values)
    if wrong.any():
        names = ", ".join(name for name, column in zip(measures, wrong.T, strict=True) if column.any())
        raise SpecificationError(
            f"{int(wrong.any(axis=1).sum())} of {len(values)} neurons have values that are not finite "
            f"({names}): leave them out first, as `descriptors` does"
        )


def _where(layer: int | None) -> str:
    return "" if layer is None else f" in layer {layer}"


LARGEST = Normalization("largest")
"""Each measure by its largest value over all rows, as the paper says."""

MIN_MAX = Normalization("min-max")
"""Each measure from its smallest value, 0, to its largest, 1, over all rows."""

RELEASED = Normalization("largest", {"bipartite_clustering": "min-max"}, per_layer=True)
"""The paper's released code: each layer by itself, by the largest value, bipartite clustering by min-max."""

RELEASED_MNIST = replace(
    RELEASED,
    constants=(
        Constant("strength", 0.0, 76.09813499101438, layer=1),
        Constant("bipartite_clustering", 0.40084583925905465, 0.48454784932402406, layer=1),
        Constant("subgraph_centrality", 0.0, 5.995302849099099e89, layer=1),
        Constant("strength", 0.0, 39.78247097041458, layer=2),
        Constant("bipartite_clustering", 0.32921994061865445, 0.5009741383487208, layer=2),
        Constant("subgraph_centrality", 0.0, 1.5926423017865634e89, layer=2),
    ),
)
"""`RELEASED` with its constants for the 1,000 MNIST networks 784-200-100-10 of the MLP-CN dataset."""

NORMALIZATIONS: Mapping[str, Normalization] = {
    "largest": LARGEST,
    "min-max": MIN_MAX,
    "released": RELEASED,
    "released-mnist": RELEASED_MNIST,
}
"""The named normalizations."""


def normalization_named(name: str) -> Normalization:
    """The normalization of that name in `NORMALIZATIONS`; `UnknownNameError` suggests the nearest."""
    if name not in NORMALIZATIONS:
        raise UnknownNameError("normalization", name, NORMALIZATIONS)
    return NORMALIZATIONS[name]
