"""The eight measures against what the authors of the released data computed for one real network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

import synaplex as sx
from synaplex.measures import PRESETS


def test_preset_equals_the_released_measures(golden: Path) -> None:
    pytest.importorskip("h5py")
    frame = sx.measure(sx.load(golden / "mlp-mnist-network1.h5"), preset="scabini")
    released = scipy.io.loadmat(golden / "mlp-mnist-network1-measures.mat")
    expected = np.concatenate([released["fmap_h1"][30], released["fmap_h2"][30]])
    assert frame.shape == (300, 11)
    for column, name in enumerate(PRESETS["scabini"].measures):
        np.testing.assert_allclose(frame[name].to_numpy(), expected[:, column], rtol=1e-6, err_msg=name)
