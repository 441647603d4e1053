"""Named tensors, as files of weights and state dicts hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class NamedTensor:
    """A tensor of a file, read when it is asked for.

    Attributes
    ----------
    name
        Its name in the file.
    shape
        Its shape, matrices as ``(out, in)``.
    read
        Reads it.
    layer
        The layer it belongs to: its name without the last part.
    part
        ``"weight"``, ``"bias"``, or whatever else its name says it is.
    floating
        Whether it holds floating-point numbers.
    reason
        Why it cannot be a link, where the file says so.
    made_of
        The tensors of the file that it was put together from, where they are several; see
        `synaplex.graph.composed.composed`.
    sources_known
        Whether the file tells how many neurons a sparse matrix reads. If not, ``shape[1]`` is the least that it can be.
    """

    name: str
    shape: tuple[int, ...]
    read: Callable[[], Tensor]
    layer: str
    part: str
    floating: bool = True
    reason: str = ""
    made_of: tuple[NamedTensor, ...] = ()
    sources_known: bool = True

    @classmethod
    def of_state(cls, name: str, shape: Sequence[int], read: Callable[[], Tensor], *, floating: bool) -> NamedTensor:
        """A tensor of a PyTorch state dict, named ``layer.part``."""
        layer, _, part = name.rpartition(".")
        return cls(name, tuple(shape), read, layer or name, part, floating)

    @property
    def stored(self) -> tuple[NamedTensor, ...]:
        """The tensors of the file that it is: itself, or those that it was put together from."""
        return self.made_of or (self,)


def state_tensors(state: Mapping[str, Tensor]) -> list[NamedTensor]:
    """The tensors of a PyTorch state dict."""
    return [
        NamedTensor.of_state(name, value.shape, value.detach, floating=value.is_floating_point())
        for name, value in state.items()
    ]
