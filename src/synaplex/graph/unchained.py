"""What the names of tensors tell of weights that are no links of a chain."""

from __future__ import annotations

import re
from collections.abc import Sequence

from synaplex.graph.named import NamedTensor

_RECURRENT = re.compile(r"weight_(ih|hh|hr)(_.*)?|recurrent_kernel")
_COMPUTED = re.compile(r"weight_(orig|g|v)")
_HEADS = (("q", "k", "v"), ("query", "key", "value"), ("queries", "keys", "values"), ("wq", "wk", "wv"))


def why_unchained(tensors: Sequence[NamedTensor]) -> str:
    """Which weights are no links of a chain, and what they are instead; empty where no name tells of any.

    A state dict has the shapes of a chain where its layers are square, whatever the model does with them.
    """
    for tensor in tensors:
        places = re.split(r"[./]", tensor.name)
        if any(place.startswith("lora_") for place in places):
            return (
                f"{tensor.name} adapts another weight, to which a product is added (LoRA): merge the adapters into the "
                "model first, as peft's merge_and_unload() does"
            )
        if _RECURRENT.fullmatch(tensor.part):
            return f"{tensor.name} belongs to a recurrent layer"
        if "parametrizations" in places or _COMPUTED.fullmatch(tensor.part):
            return (
                f"{tensor.name} is no weight, but what a weight is computed from: take the parametrization off the "
                "model first, as torch.nn.utils.parametrize.remove_parametrizations does"
            )
    heads = _heads(tensors)
    return f"{', '.join(heads)} are the queries, keys and values of attention, side by side" if heads else ""


def _heads(tensors: Sequence[NamedTensor]) -> list[str]:
    """The matrices of queries, keys and values of one attention, by their names."""
    named = {tensor.layer.lower(): tensor.name for tensor in tensors if len(tensor.shape) == 2}
    for layer in named:
        start, mark, last = layer.rpartition(".")
        words = last.split("_")
        for trio in _HEADS:
            if trio[0] in words:
                place = words.index(trio[0])
                side = [f"{start}{mark}{'_'.join([*words[:place], word, *words[place + 1 :]])}" for word in trio]
                if all(name in named for name in side):
                    return [named[name] for name in side]
    return []
