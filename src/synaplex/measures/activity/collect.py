"""`activity`: run a module over a sample of inputs and keep what each neuron received and sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.measures.activity.dimension import Dimension
from synaplex.measures.activity.neurons import cells, neuron_axes
from synaplex.measures.activity.passes import Inputs, choose, run, take
from synaplex.measures.activity.record import LARGEST_KEPT, Record
from synaplex.measures.activity.result import Activity
from synaplex.measures.activity.watch import Listener, Seen, layer_modules, watching


def activity(
    module: nn.Module,
    inputs: Inputs,
    *,
    sample: int | None = None,
    seed: int = 0,
    batch_size: int = 128,
    layers: Sequence[str] | None = None,
    positions: Literal["neurons", "pool"] = "neurons",
    dimension: bool = True,
    keep_values: bool = False,
    undefined: Literal["raise", "null"] = "raise",
) -> Activity:
    r"""What each neuron receives and sends over a sample of inputs: Neurons Strength and Neurons Activation.

    For an input x drawn from the data, with z^[l-1] the activations of the layer before,

        strength    zeta_k^[l] = sum_i z_i^[l-1] w_ik^[l] + b_k^[l]      (La Malfa et al. 2024, eq. 5)
        activation  a_k^[l]    = f^[l](zeta_k^[l])                       (eq. 6)

    In a convolution the sum runs over the patch that a neuron reads (eq. 7); in a recurrent layer it is taken at each
    step, over the input of the step and the state before it (eq. 9). Both come as distributions over the sample.

    Layers are the modules that own parameters, in the order in which they are first called; what they give is the
    strength. The activation function is the one that is applied to just that tensor, as a module or a plain call
    (through dropout); where there is none, activation equals strength. Convolutions and norms of channels have a neuron
    for each channel and position; dense layers over tokens a neuron for each feature; modules that are not known, one
    for each number they make of a sample. Recurrent modules of PyTorch are unfolded, by layer, direction and gate;
    a module called several times in a pass counts each call as a step.

    Parameters
    ----------
    module
        Any module. It runs in evaluation mode, without gradients, and is left as it was.
    inputs
        What it is called with: a tensor, several in order, or a mapping of keywords; samples on the first axis.
    sample
        Take so many samples at random, without replacement; all by default. The paper takes 100 of the training set.
    seed
        Of that choice.
    batch_size
        Samples a pass. It changes memory and speed, not results.
    layers
        Names of layers, or patterns with ``*``; all by default.
    positions
        ``"neurons"``, or ``"pool"``: the positions of a channel are observations of one neuron.
    dimension
        Whether to estimate how many dimensions each layer's activations spread over, see
        `synaplex.measures.activity.dimension`; needs 8 MB a layer and a product of matrices a batch.
    keep_values
        Keep every value as well, up to 256 MB in all.
    undefined
        ``"raise"``, or ``"null"``: the moments of neurons with values that are not finite are null, with a reason.

    Returns
    -------
    Activity
        With tables of neurons and layers, distributions, dead and saturated units, bottlenecks and extremes.

    Raises
    ------
    UndefinedMeasureError
        If a value is not a finite number; names layer, neurons and observation.
    UnknownNameError
        If a name in `layers` matches none.
    SpecificationError
        If inputs do not fit together or the module (names the submodule that failed), or too many values were to be
        kept.

    Notes
    -----
    Cost: one pass over the sample, and for each value some twenty operations in float64. Memory: that of the largest
    output, 14 numbers a neuron and step, and 8 MB a layer for `dimension`.

    Examples
    --------
    >>> from synaplex.networks import mlp
    >>> network = mlp(4, 3, 2, bias=True).build(seed=1)
    >>> seen = activity(network, torch.rand(50, 4, generator=torch.Generator().manual_seed(0)))
    >>> seen.layers().select("layer_name", "neurons", "function", "dead").rows()
    [('input', 4, None, None), ('0', 3, 'relu', 0), ('2', 2, None, None)]
    """
    if positions not in ("neurons", "pool") or undefined not in ("raise", "null") or batch_size < 1:
        raise SpecificationError(
            "positions is 'neurons' or 'pool', undefined is 'raise' or 'null', batch_size is at least 1; got "
            f"{positions!r}, {undefined!r} and {batch_size}"
        )
    chosen, samples = choose(inputs, sample, seed)
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    planner = _Planner()
    with watching(module, layers, planner) as restart:
        run(module, take(inputs, chosen[:1], device), restart)
    values = samples * sum(planner.values.values()) * 2
    if keep_values and values * 4 > LARGEST_KEPT:
        raise SpecificationError(
            f"keep_values=True would keep {values:,} values; take fewer samples with sample=, or name layers="
        )
    recorder = _Recorder(
        planner.functions, pool=positions == "pool", dimension=dimension, keep=keep_values, null=undefined == "null"
    )
    with watching(module, layers, recorder) as restart:
        for recorder.rows in torch.split(chosen, batch_size):
            batch = take(inputs, recorder.rows, device)
            if isinstance(inputs, Tensor) and layers is None:
                recorder.input(batch[0][0])
            run(module, batch, restart)
    return Activity(list(recorder.records.values()), samples, _coverage(module, recorder))


class _Planner(Listener):
    """The first pass, over one sample: which layers have which activation function, and how many values."""

    def __init__(self) -> None:
        self.functions: dict[str, dict[int, str | None]] = {}
        self.values: dict[tuple[str, int], int] = {}

    def strength(self, seen: Seen, value: Tensor) -> None:
        self.functions.setdefault(seen.name, {})[seen.step] = None
        self.values[seen.name, seen.step] = value.numel()

    def activation(self, seen: Seen, value: Tensor, function: str) -> None:
        self.functions[seen.name][seen.step] = function


class _Recorder(Listener):
    """The passes over the sample: keeps a record of each layer."""

    def __init__(
        self, functions: Mapping[str, dict[int, str | None]], *, pool: bool, dimension: bool, keep: bool, null: bool
    ) -> None:
        self._functions = functions
        self._pool, self._dimension, self._keep, self._null = pool, dimension, keep, null
        self.records: dict[str, Record] = {}
        self.modules: dict[str, int] = {}
        self.reasons: dict[str, str] = {}
        self.rows = torch.zeros(1, dtype=torch.int64)

    def input(self, x: Tensor) -> None:
        """The samples themselves, layer 0."""
        if not x.is_floating_point() or x.ndim < 2:
            return
        record = self.records.setdefault("input", Record("input", "input", tuple(x.shape[1:])))
        self._add(record, x.flatten(1), None, "strength")

    def strength(self, seen: Seen, value: Tensor) -> None:
        first, shape = neuron_axes(seen.module, value, pool_positions=self._pool)
        record = self.records.get(seen.name)
        if record is None:
            record = Record(seen.name, type(seen.module).__name__, shape, functions=self._functions[seen.name])
            self.records[seen.name] = record
            self.modules[seen.name] = id(seen.module)
        values = cells(first, shape, value)
        self._add(record, values, seen.step, "strength")
        if record.function is not None and record.function_at(seen.step) is None:
            self._add(record, values, seen.step, "activation")

    def activation(self, seen: Seen, value: Tensor, function: str) -> None:
        record = self.records[seen.name]
        if record.function_at(seen.step) != function:
            raise SpecificationError(
                f"layer {seen.name!r} has the activation function {record.function_at(seen.step)} for one sample and "
                f"{function} for another; pass samples on which the module does the same"
            )
        first, shape = neuron_axes(seen.module, value, pool_positions=self._pool)
        self._add(record, cells(first, shape, value), seen.step, "activation")

    def unread(self, name: str, reason: str) -> None:
        self.reasons[name] = reason

    def _add(self, record: Record, values: Float[Tensor, "observations neurons"], step: int | None, what: str) -> None:
        if values.device.type == "mps":  # no float64 there
            values = values.cpu()
        if not self._null:
            record.refuse_undefined(values, what, self.rows)
        stream = record.strength if what == "strength" else record.activation
        stream.add(values, step, record.bounds_at(step) if what == "activation" else None)
        if self._keep:
            stream.kept.setdefault(step, []).append(values.float().cpu().clone())
        if self._dimension and stream is record.final:
            self._spread(record, values)

    def _spread(self, record: Record, values: Float[Tensor, "observations neurons"]) -> None:
        neurons = values.shape[1]
        if record.dimension is None and not record.uneven:
            record.dimension = Dimension(neurons, values.device)
        if record.dimension is None or record.dimension.neurons != neurons:
            record.dimension, record.uneven = None, True
        else:
            record.dimension.add(torch.nan_to_num(values))


def _coverage(module: nn.Module, recorder: _Recorder) -> list[tuple[str, str | None, str | None]]:
    """For each parameter the layer that reads it, or why none does."""
    read = layer_modules(module)
    rows: list[tuple[str, str | None, str | None]] = []
    for parameter, _ in module.named_parameters():
        owner = parameter.rpartition(".")[0]
        while owner not in read and ".parametrizations" in owner:
            owner = owner.rpartition(".parametrizations")[0]
        if owner not in read:
            rows.append((parameter, None, "belongs to an activation function"))
            continue
        found = [name for name, place in recorder.modules.items() if place == id(read[owner])]
        reason = recorder.reasons.get(owner, "its module was not called, or not asked for") if not found else None
        rows.append((parameter, found[0] if found else None, reason))
    return rows
