"""Every code of every short format reads as torch reads it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synaplex.checkpoint.formats import FORMATS


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.short])
def test_codes(name: str) -> None:
    dtype = getattr(torch, name, None)
    if dtype is None:
        pytest.skip(f"this torch has no {name}")
    form = FORMATS[name]
    codes = torch.arange(form.codes).to(torch.uint8 if form.size == 1 else torch.uint16)
    np.testing.assert_array_equal(form.values, codes.view(dtype).float().double().numpy())
