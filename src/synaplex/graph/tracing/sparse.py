"""Linear maps that store their existing connections alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.linear import contract
from synaplex.graph.tracing.signal import NONE, Signal


@rule("sparse_linear")
def _sparse_linear(call: Call) -> Any:
    """A link of the connections that there are; a full matrix where neurons are fed other than layer by layer."""
    signal = call.settled("x")
    weight, row_start, column = (call.tensor(name) for name in ("weight", "row_start", "column"))
    if weight is None or row_start is None or column is None:
        raise NotUnderstood("its connections depend on the input")
    row = torch.repeat_interleave(row_start.diff().long(), output_size=len(column))
    index, size = torch.stack([row, column.long()]), (call.shape[-1], signal.shape[-1])
    matrix: Tensor = torch.sparse_coo_tensor(index, weight, size, check_invariants=False, is_coalesced=True)
    return contract(call, signal, matrix if _whole_layer(signal) else matrix.to_dense(), "weight")


def _whole_layer(signal: Signal) -> bool:
    """Whether the last axis lists one layer, and neurons differ along no other."""
    last = signal.ids.ndim - 1
    if list(signal.axes) != [last] or len(signal.drafts) != 1:
        return False
    (draft,) = signal.drafts
    line = signal.ids.reshape(-1, signal.ids.shape[-1])[0]
    return line.numel() == draft.size and bool((line != NONE).all())
