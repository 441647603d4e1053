"""The spectral norm of a stored matrix, by Lanczos' method on W^T W, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import eigh_tridiagonal

from synaplex.checkpoint.formats import FORMATS
from synaplex.checkpoint.scan import Reals
from synaplex.checkpoint.stored import StoredTensor

_BLOCK = 1 << 23
_STEPS = 200
_TOLERANCE = 1e-4


def spectral_norm(tensor: StoredTensor, *, seed: int = 0) -> tuple[float, float]:
    """The largest singular value of a tensor seen as a matrix, first axis by all others.

    Returns
    -------
    tuple of float
        The value, and how far from it a singular value lies at most. It is the largest one but for start vectors of
        probability zero, and the value is never too large; its own error is usually far smaller.

    Notes
    -----
    Cost: one pass over the tensor in float64 for each of 10 to some 100 steps, until the bound is below 1e-4 of the
    value (at most 200). Memory: 64 MB and one vector a step. Source: Golub & Van Loan, Matrix Computations, ch. 10.
    """
    width = tensor.count // tensor.shape[0]
    vector = np.random.default_rng(seed).standard_normal(width)
    basis = [vector / np.linalg.norm(vector)]
    diagonal: list[float] = []
    beside: list[float] = []
    value = residual = 0.0
    while len(diagonal) < min(_STEPS, width):
        image = _gram(tensor, basis[-1])
        diagonal.append(float(basis[-1] @ image))
        kept = np.array(basis)
        for _ in range(2):  # once leaves a rest where directions were almost parallel
            image -= kept.T @ (kept @ image)
        length = float(np.linalg.norm(image))
        values, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside))
        value, residual = max(float(values[-1]), 0.0), length * abs(float(vectors[-1, -1]))
        if residual <= _TOLERANCE * value or length <= 1e-14 * max(value, 1e-300):
            break
        beside.append(length)
        basis.append(image / length)
    largest = float(np.sqrt(value))
    return largest, float(np.sqrt(value + residual)) - largest


def _gram(tensor: StoredTensor, vector: Reals) -> Reals:
    """W^T W x."""
    image = np.zeros_like(vector)
    for block in _blocks(tensor, len(vector)):
        image += (block @ vector) @ block
    return image


def _blocks(tensor: StoredTensor, width: int) -> Iterator[Reals]:
    form = FORMATS[tensor.dtype]
    step = max(1, _BLOCK // width) * width
    buffer = np.empty(min(step, tensor.count) * form.size, np.uint8)
    starts = range(0, tensor.count, step)
    pieces = [(start * form.size, min(start + step, tensor.count) * form.size) for start in starts]
    for data in tensor.blocks(pieces, buffer):
        data = data.copy() if data.ctypes.data % form.size else data
        values = form.values[data.view(f"uint{8 * form.size}")] if form.short else data.view(f"float{8 * form.size}")
        yield values.astype(np.float64).reshape(-1, width)
