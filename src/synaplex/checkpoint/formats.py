"""Number formats of stored weights: how the bits of one value read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Format:
    """A floating-point format.

    A value of at most 16 bits is a *code*; its magnitude bits, moved up by `shift`, are those of a float32 that
    is too small by the factor `scale`, so that short formats are read without a table.

    Attributes
    ----------
    name
        As torch calls it, without ``torch.``.
    size
        Bytes a value.
    shift, scale
        Of short formats.
    signed
        Whether the highest bit is a sign.
    nan
        Codes that are NaN besides those that `infinite_from` covers.
    infinite_from
        Magnitude code of infinity, above which lie NaNs; None where the format has neither.
    """

    name: str
    size: int
    shift: int = 0
    scale: float = 1.0
    signed: bool = True
    nan: tuple[int, ...] = ()
    infinite_from: int | None = None

    @property
    def short(self) -> bool:
        """Whether all values can be counted one by one, code by code."""
        return self.size <= 2

    @property
    def codes(self) -> int:
        """Number of codes of a short format."""
        return 1 << (8 * self.size)

    @property
    def dropped(self) -> int:
        """How many of the last bits of a value its bin of the histogram leaves out."""
        return {4: 16, 8: 45}.get(self.size, 0)

    @property
    def bins(self) -> int:
        """Number of bins of the histogram: every code of a short format, leading bits of a long one."""
        return 1 << (8 * self.size - self.dropped)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The value of every code of a short format, in order of codes; infinite and NaN ones included."""
        code = np.arange(self.codes, dtype=np.uint32)
        sign_bit = np.uint32(self.codes // 2 if self.signed else 0)
        magnitude = code & ~sign_bit
        with np.errstate(invalid="ignore"):
            values = (magnitude << np.uint32(self.shift)).view(np.float32).astype(np.float64) * self.scale
        if not self.signed:  # powers of two: code 0 is the smallest of them, not zero
            values[0] = values[1] / 2
        if self.infinite_from is not None:
            values[magnitude == self.infinite_from] = np.inf
            values[magnitude > self.infinite_from] = np.nan
        values = np.where(code & sign_bit, -values, values)
        values[list(self.nan)] = np.nan
        return values


FORMATS = {
    form.name: form
    for form in (
        Format("float64", 8),
        Format("float32", 4),
        Format("bfloat16", 2, shift=16, infinite_from=0x7F80),
        Format("float16", 2, shift=13, scale=2.0**112, infinite_from=0x7C00),
        Format("float8_e5m2", 1, shift=21, scale=2.0**112, infinite_from=0x7C),
        Format("float8_e4m3fn", 1, shift=20, scale=2.0**120, nan=(0x7F, 0xFF)),
        Format("float8_e5m2fnuz", 1, shift=21, scale=2.0**111, nan=(0x80,)),
        Format("float8_e4m3fnuz", 1, shift=20, scale=2.0**119, nan=(0x80,)),
        Format("float8_e8m0fnu", 1, shift=23, signed=False, nan=(0xFF,)),
    )
}
"""The formats whose values are weights, by name; all others are listed and not measured."""
