"""Which of all possible connections a layer has ever had."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

_AS_BITS = 2**31
"""Possible connections up to which they are marked as bits (256 MB); beyond, their numbers are listed."""


class Explored:
    """The connections that a layer has had at any time.

    Parameters
    ----------
    possible
        Number of all possible connections.
    """

    def __init__(self, possible: int) -> None:
        self.possible, self.count = possible, 0
        self._bits = np.zeros(-(-possible // 8), dtype=np.uint8) if possible <= _AS_BITS else None
        self._listed = np.empty(0, dtype=np.int64)

    def add(self, keys: Int[Tensor, " connections"]) -> None:
        """Note connections, by ascending numbers."""
        new = keys.cpu().numpy()
        if self._bits is None:
            self._listed = np.union1d(self._listed, new)
            self.count = len(self._listed)
            return
        byte, bit = new >> 3, np.left_shift(1, new & 7).astype(np.uint8)
        self.count += int(((self._bits[byte] & bit) == 0).sum())
        np.bitwise_or.at(self._bits, byte, bit)

    @property
    def share(self) -> float:
        """Their share of all possible connections."""
        return self.count / self.possible

    def state(self) -> Tensor:
        """All that is known, as a tensor to keep."""
        held: Any = self._listed if self._bits is None else self._bits
        return torch.from_numpy(held.copy())

    def restore(self, state: Tensor) -> None:
        """Take up what `state` gave."""
        held = state.cpu().numpy().copy()
        if self._bits is None:
            self._listed, self.count = held, len(held)
        else:
            self._bits, self.count = held, int(np.unpackbits(held).sum())
