"""Features on one scale, without letting single outliers speak for all."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

REACH = 3.0
"""Interquartile ranges from the median at which features are cut off."""


def robustly_scaled(
    train: Float[np.ndarray, "known features"], test: Float[np.ndarray, "unseen features"]
) -> tuple[Float[np.ndarray, "known features"], Float[np.ndarray, "unseen features"]]:
    """Features centred on their median, divided by their interquartile range, and cut off at `REACH`.

    Layer averages of measures with poles hang on single neurons and reach far beyond their quartiles; a linear model
    would follow them. Medians and quartiles are the training networks'; a feature whose quartiles coincide is not
    divided.
    """
    low, middle, high = np.quantile(train, [0.25, 0.5, 0.75], axis=0)
    size = np.where(high > low, high - low, 1.0)
    scaled = (np.clip((values - middle) / size, -REACH, REACH) for values in (train, test))
    return next(scaled), next(scaled)
