"""The numbers behind each claim, computed on one way of dealing networks out to bins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from synaplex.studies.la_malfa_2021.bins import Composition
from synaplex.studies.la_malfa_2021.population import Moments
from synaplex.studies.shape import distance, kurtosis, skewness, trend

Key = tuple[str, int]
"""Which number: the quantity, and the layer; for link weights the layer that the link enters."""

ON_WEIGHTS = frozenset(
    {"weights distance", "weights kurtosis gain", "weights spread gain", "weights shift", "weights best against others"}
)
"""Quantities of link weights, which no null model of the places of weights changes."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Computes the numbers of one composition.

    Attributes
    ----------
    moments
        All networks at all kept moments.
    bins
        The filled bins; the first and the last are the lowest and the highest accuracy.
    """

    moments: Moments
    bins: Sequence[int]

    def __call__(self, one: Composition, kind: str = "trained") -> dict[Key, float]:
        """All numbers, of the trained networks or of a draw of a null model.

        Returns
        -------
        dict
            Of strengths, a layer each:

            - ``"strength distance"``: between lowest and highest bin, less what two halves of the same bin differ;
              ``"strength beyond weights"``: the same less that of the weights that enter the layer;
            - ``"skewness"``, ``"kurtosis"``: of the highest bin; ``"kurtosis gain"``: highest less lowest bin;
            - ``"spread gain"``: logarithm of the ratio of standard deviations, highest to lowest bin;
              ``"best against others"``: the same, highest to the median of all lower bins;
            - ``"near zero"``: share of the highest bin within a quarter of its root mean square of zero, less the
              lowest bin's;
            - ``"between networks"``: share of the variance of the highest bin that lies between its networks, less the
              lowest bin's;
            - ``"mean trend"``: rank correlation of a network's mean strength with its bin.

            Of fluctuations: ``"fluctuation trend"``, like the mean; ``"fluctuation gain"``: logarithm of the ratio of
            means, highest to lowest bin; ``"fluctuation spread"``: the same of standard deviations over networks;
            ``"fluctuation best against others"``: the latter, highest to the median of all lower bins.

            Of the weights that enter a layer: ``"weights distance"``, ``"weights kurtosis gain"``, ``"weights spread
            gain"``, ``"weights best against others"`` as of strengths; ``"weights shift"``: difference of the means of
            highest and lowest bin in standard deviations, its magnitude.
        """
        return dict(self._numbers(one, kind))

    def _numbers(self, one: Composition, kind: str) -> Iterator[tuple[Key, float]]:
        lowest, highest = one[self.bins[0]], one[self.bins[-1]]
        rows = np.concatenate([one[b] for b in self.bins])
        numbers = np.concatenate([np.full(len(one[b]), b, dtype=np.float64) for b in self.bins])
        for layer in range(len(self.moments.layers)):
            values = self.moments.strength(layer, kind)
            low, high = values[lowest].ravel(), values[highest].ravel()
            spreads = [float(values[one[b]].std()) for b in self.bins]
            yield ("strength distance", layer), _beyond_chance(values[lowest], values[highest])
            yield ("skewness", layer), skewness(high)
            yield ("kurtosis", layer), kurtosis(high)
            yield ("kurtosis gain", layer), kurtosis(high) - kurtosis(low)
            yield ("spread gain", layer), _log_ratio(spreads[-1], spreads[0])
            yield ("best against others", layer), _log_ratio(spreads[-1], float(np.median(spreads[:-1])))
            yield ("near zero", layer), _near_zero(high) - _near_zero(low)
            yield ("between networks", layer), _between(values[highest]) - _between(values[lowest])
            yield ("mean trend", layer), trend(numbers, values[rows].mean(axis=1))
            fluctuation = self.moments.fluctuation(layer, kind)
            spreads = [float(fluctuation[one[b]].std()) for b in self.bins]
            yield ("fluctuation trend", layer), trend(numbers, fluctuation[rows])
            gain = _log_ratio(float(fluctuation[highest].mean()), float(fluctuation[lowest].mean()))
            yield ("fluctuation gain", layer), gain
            yield ("fluctuation spread", layer), _log_ratio(spreads[-1], spreads[0])
            yield ("fluctuation best against others", layer), _log_ratio(spreads[-1], float(np.median(spreads[:-1])))
            if layer:
                weights = self.moments.weights(layer - 1)
                apart = _beyond_chance(weights[lowest], weights[highest])
                tells = _beyond_chance(values[lowest], values[highest])
                yield ("strength beyond weights", layer), tells - apart
                if kind == "trained":
                    yield ("weights distance", layer), apart
                    yield from self._of_weights(layer, [weights[one[b]].ravel() for b in self.bins])

    def _of_weights(self, layer: int, bins: Sequence[np.ndarray]) -> Iterator[tuple[Key, float]]:
        low, high = bins[0], bins[-1]
        spreads = [float(one.std(dtype=np.float64)) for one in bins]
        yield ("weights kurtosis gain", layer), kurtosis(high) - kurtosis(low)
        yield ("weights spread gain", layer), _log_ratio(spreads[-1], spreads[0])
        yield ("weights best against others", layer), _log_ratio(spreads[-1], float(np.median(spreads[:-1])))
        shift = abs(float(high.mean(dtype=np.float64) - low.mean(dtype=np.float64)))
        yield ("weights shift", layer), shift / np.sqrt((spreads[0] ** 2 + spreads[-1] ** 2) / 2)


def _beyond_chance(low: Float[np.ndarray, "n _"], high: Float[np.ndarray, "m _"]) -> float:
    """Distance between two groups of networks, less what halves of one group differ.

    Halves hold half as many values, so that they differ by the square root of two more than whole groups would.
    """
    chance = [distance(group[::2].ravel(), group[1::2].ravel()) / np.sqrt(2) for group in (low, high)]
    return distance(low.ravel(), high.ravel()) - float(np.mean(chance))


def _near_zero(values: Float[np.ndarray, " n"]) -> float:
    return float((np.abs(values) < np.sqrt((values.astype(np.float64) ** 2).mean()) / 4).mean())


def _between(values: Float[np.ndarray, "networks n"]) -> float:
    """Share of the variance that lies between networks; 0 where there is none."""
    whole = float(values.var(dtype=np.float64))
    return float(values.mean(axis=1, dtype=np.float64).var()) / whole if whole > 0 else 0.0


def _log_ratio(above: float, below: float) -> float:
    """NaN where either has no spread, as in a resample that holds one network several times."""
    return float(np.log(above / below)) if above > 1e-9 and below > 1e-9 else float("nan")
