"""Neuron tables whose types are known, for tests of the study."""

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.neurons import RELEASED_MNIST
from synaplex.studies.scabini.published import KEPT


def neurons(
    centers: Float[np.ndarray, "types measures"],
    shares: Float[np.ndarray, "networks types"],
    *,
    noise: float = 0.002,
    seed: int = 0,
    normalization: bool = True,
) -> pl.DataFrame:
    """Hidden neurons of two layers, 100 each, near centroids given on the scale of the released data.

    Each network has the types in the given shares (multiples of 0.01), the same in both layers.
    """
    generator = np.random.default_rng(seed)
    parts = []
    for network, row in enumerate(shares):
        kinds = np.repeat(np.arange(len(row)), np.round(100 * row).astype(int))
        for layer in (1, 2):
            values = centers[kinds] + noise * generator.normal(size=(len(kinds), centers.shape[1]))
            columns = {}
            for index, measure in enumerate(KEPT):
                constant = next(c for c in RELEASED_MNIST.constants if (c.measure, c.layer) == (measure, layer))
                low, high = (constant.low, constant.high) if normalization else (0.0, 1.0)
                raw = low + values[:, index] * (high - low)
                logarithmic = measure == "subgraph_centrality"
                columns[f"log_{measure}" if logarithmic else measure] = np.log(raw) if logarithmic else raw
            size = len(kinds)
            index_columns = {
                "seed": np.full(size, network),
                "layer": np.full(size, layer, dtype=np.int32),
                "neuron": np.arange(size, dtype=np.int32),
            }
            parts.append(pl.DataFrame(index_columns | columns).with_columns(reason=pl.lit(None, pl.String)))
    return pl.concat(parts)
