"""What each module and operation of a model does to its graph: the table that a trace looks up.

A rule takes the assembly and a call, adds layers and links, and returns the signal that comes out. To teach
the trace another kind of module, write its rule in a file of its own and enter it with `register`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synaplex.errors import InvalidGraphError
from synaplex.graph.assembly import Assembly, Draft, Signal
from synaplex.graph.matrix import link_from_matrix


class Static:
    """A value that does not depend on the input, such as a parameter, a size or a constant.

    Parameters
    ----------
    evaluate
        Computes the value, or raises `InvalidGraphError` where it depends on the size of the input.
    parameters
        Names of the parameters it is computed from.
    name
        Name of the parameter, where the value is one parameter unchanged.
    """

    def __init__(self, evaluate: Callable[[], Any], parameters: tuple[str, ...] = (), name: str = "") -> None:
        self.evaluate = evaluate
        self.parameters = parameters
        self.name = name


@dataclass(frozen=True)
class Call:
    """One step of a model: a module called, or an operation.

    Attributes
    ----------
    name
        The module's name in the model, or the operation's.
    described
        How errors name it.
    args, kwargs
        Its arguments, with a `Signal` or a `Static` in the place of every computed value.
    module
        The module, if it is one.
    exclusive
        Whether nothing but this call reads a layer.
    """

    name: str
    described: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    module: nn.Module | None
    exclusive: Callable[[Draft], bool]

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """An argument by its place or its name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    def flat(self, kind: type) -> Iterator[Any]:
        """All arguments of a kind, those inside lists included."""
        for value in (*self.args, *self.kwargs.values()):
            for item in value if isinstance(value, tuple | list) else (value,):
                if isinstance(item, kind):
                    yield item

    def refuse(self, reason: str) -> InvalidGraphError:
        """The error to raise where this call cannot be read as links."""
        return InvalidGraphError(
            f"{self.described} is not understood: {reason}. "
            "To measure part of the model, pass its weight matrices: sx.graph([W1, W2, ...])"
        )


Rule = Callable[[Assembly, Call], Signal]
MODULES: dict[type[nn.Module], Rule] = {}
FUNCTIONS: dict[Any, Rule] = {}
METHODS: dict[str, Rule] = {}


def register(rule: Rule, *, modules: tuple[type[nn.Module], ...] = (), operations: tuple[str, ...] = ()) -> None:
    """Enter a rule for classes of modules, and for operations by their name in torch.

    A name stands for the functions of ``torch``, ``torch.nn.functional`` and ``torch.special``, for the
    method of a tensor, and for the in-place forms of these.
    """
    MODULES.update(dict.fromkeys(modules, rule))
    for name in operations:
        METHODS.update({name: rule, f"{name}_": rule})
        for home in (torch, F, torch.special):
            for function in (getattr(home, name, None), getattr(home, f"{name}_", None)):
                if callable(function):
                    FUNCTIONS[function] = rule


def module_rule(module: nn.Module) -> Rule | None:
    """The rule of a module: that of the nearest class it inherits its `forward` from unchanged."""
    for kind in type(module).__mro__:
        if kind in MODULES:
            return MODULES[kind] if type(module).forward is kind.forward else None
    return None


def _weigh(
    assembly: Assembly, call: Call, signal: Signal, weight: Tensor, parameter: str, layer: str
) -> tuple[Draft, str]:
    """A new layer fed by a matrix of weights ``(out, in)``; also says which layers it joins."""
    out_size, in_size = weight.shape
    places = assembly.read(signal, in_size, call.name)
    draft = assembly.add_layer(layer, out_size)
    for source, place in places:
        block = weight if len(places) == 1 else weight[:, place]
        draft.incoming.append((source, link_from_matrix(block, source=0, target=0, name=parameter)))
    return draft, f"{' and '.join(source.name for source, _ in places)} -> {draft.name}"


def _linear_module(assembly: Assembly, call: Call) -> Signal:
    module = call.module
    assert module is not None
    weight, bias = module.weight, module.bias
    assert isinstance(weight, Tensor)
    draft, joined = _weigh(assembly, call, call.argument(0, "input"), weight.detach(), f"{call.name}.weight", call.name)
    if isinstance(bias, Tensor):
        assembly.add_bias(draft, bias.detach())
    for name, _ in module.named_parameters(remove_duplicate=False):
        is_bias = "bias" in name
        detail = f"of layer {draft.name}" if is_bias else joined
        assembly.record(f"{call.name}.{name}", "bias" if is_bias else "link", detail)
    return Signal((draft,), fresh=True)


def _product(assembly: Assembly, call: Call, signal: Any, weight: Any, bias: Any, transposed: bool) -> Signal:
    if not isinstance(signal, Signal) or not isinstance(weight, Static):
        raise call.refuse("it multiplies activations with each other")
    matrix = weight.evaluate()
    if not isinstance(matrix, Tensor) or matrix.ndim != 2:
        raise call.refuse("its weights are not a matrix")
    matrix = matrix.detach().mT if transposed else matrix.detach()
    layer = weight.name.removesuffix(".weight") if weight.name not in ("", "weight") else call.name
    draft, joined = _weigh(assembly, call, signal, matrix, weight.name or call.name, layer)
    for name in weight.parameters:
        assembly.record(name, "link", joined)
    if isinstance(bias, Static):
        _add_bias(assembly, call, draft, bias)
    return Signal((draft,), fresh=True)


def _add_bias(assembly: Assembly, call: Call, draft: Draft, bias: Static) -> None:
    value = bias.evaluate()
    if not isinstance(value, Tensor) or draft.size is None or value.numel() not in (1, draft.size):
        raise call.refuse("it adds something other than one value a neuron")
    assembly.add_bias(draft, value.detach().reshape(-1).expand(draft.size))
    for name in bias.parameters:
        assembly.record(name, "bias", f"of layer {draft.name}")


def _linear_function(assembly: Assembly, call: Call) -> Signal:
    signal, weight = call.argument(0, "input"), call.argument(1, "weight")
    return _product(assembly, call, signal, weight, call.argument(2, "bias"), transposed=False)


def _matmul(assembly: Assembly, call: Call) -> Signal:
    signal, weight = call.args[:2]
    return _product(assembly, call, signal, weight, None, transposed=True)


def _addmm(assembly: Assembly, call: Call) -> Signal:
    bias, signal, weight = call.args[:3]
    return _product(assembly, call, signal, weight, bias, transposed=True)


def _same_layers(call: Call) -> Signal:
    """The signal of a call that reads one signal, or several of the same layers."""
    signals = list(call.flat(Signal))
    if any(signal.layers != signals[0].layers for signal in signals):
        raise call.refuse("it combines neurons of different layers other than by adding them")
    return Signal(signals[0].layers)


def _activation(assembly: Assembly, call: Call) -> Signal:
    signal = _same_layers(call)
    if any(static.parameters for static in call.flat(Static)):
        raise call.refuse("it combines neurons with a parameter other than by a product or a sum")
    return signal


def _scale(assembly: Assembly, call: Call) -> Signal:
    """A product with a number is part of the activation; one with a tensor would be a link of its own."""
    for static in call.flat(Static):
        if static.parameters or _is_tensor(static):
            raise call.refuse("it scales neurons by a tensor")
    return _activation(assembly, call)


def _is_tensor(static: Static) -> bool:
    try:
        value = static.evaluate()
    except InvalidGraphError:
        return False
    return isinstance(value, Tensor) and value.numel() != 1


def _learned_activation(assembly: Assembly, call: Call) -> Signal:
    signal = _same_layers(call)
    names = [name for static in call.flat(Static) for name in static.parameters]
    if call.module is not None:
        names += [f"{call.name}.{name}" for name, _ in call.module.named_parameters()]
    for name in names:
        assembly.record(name, "left out", "the slope of an activation")
    return signal


def _normalization(assembly: Assembly, call: Call) -> Signal:
    assert call.module is not None
    if next(call.module.parameters(), None) is not None:
        raise call.refuse("it has parameters, and there is no link for them yet")
    assembly.record(call.name, "left out", "a normalisation without parameters: it has no fixed weights")
    return _activation(assembly, call)


def _reshape(assembly: Assembly, call: Call) -> Signal:
    signal = call.argument(0, "input")
    if not isinstance(signal, Signal):
        raise call.refuse("it takes activations where a shape belongs")
    return signal


def _cat(assembly: Assembly, call: Call) -> Signal:
    parts = call.argument(0, "tensors")
    axis = call.argument(1, "dim", call.kwargs.get("axis", 0))
    if not all(isinstance(part, Signal) for part in parts):
        raise call.refuse("it puts constants beside activations")
    if axis not in (1, -1):
        raise call.refuse(f"it joins along axis {axis}, which is not that of the neurons")
    return Signal(tuple(layer for part in parts for layer in part.layers))


def _add(assembly: Assembly, call: Call) -> Signal:
    return _sum(assembly, call, 1.0)


def _subtract(assembly: Assembly, call: Call) -> Signal:
    return _sum(assembly, call, -1.0)


def _sum(assembly: Assembly, call: Call, sign: float) -> Signal:
    """A sum of two signals: a residual addition. A sum with a constant: a bias, or part of the activation."""
    first, second = call.argument(0, "input"), call.argument(1, "other")
    scale = call.kwargs.get("alpha", 1)
    if isinstance(first, Signal) and isinstance(second, Signal):
        if not isinstance(scale, int | float):
            raise call.refuse("its factor alpha is computed")
        if first.layers == second.layers:
            return Signal(first.layers)
        return _residual(assembly, call, first, second, sign * scale)
    signal, other = (first, second) if isinstance(first, Signal) else (second, first)
    if not isinstance(other, Static) or not (other.parameters or _is_tensor(other)):
        return Signal(signal.layers)
    draft = signal.layers[0]
    if len(signal.layers) == 1 and signal.fresh and sign * scale == 1 and call.exclusive(draft):
        _add_bias(assembly, call, draft, other)
        return Signal(signal.layers, fresh=True)
    for name in other.parameters:
        where = " and ".join(layer.name for layer in signal.layers)
        assembly.record(name, "left out", f"added to {where}; joins no neurons")
    return Signal(signal.layers)


def _residual(assembly: Assembly, call: Call, first: Signal, second: Signal, scale: float) -> Signal:
    """The sum of two layers, kept in one of them where nothing else reads it.

    Preferred is a layer of plain sums, then the later one. The other joins it by an identity, or, being a
    layer of plain sums that nothing else reads, by its own links. Where both are read elsewhere, the sum is a
    new layer.
    """
    if len(first.layers) > 1 or len(second.layers) > 1:
        raise call.refuse("it adds to layers that were joined side by side")
    size = first.size or second.size
    if size is None:
        raise call.refuse("it adds two inputs of unknown size; pass example_input")
    for signal in (first, second):
        assembly.read(signal, size, call.name)
    (a,), (b,) = first.layers, second.layers
    order = {draft: i for i, draft in enumerate(assembly.drafts)}
    # An operand can hold the sum only if it enters with weight 1.
    operands = [(first, a), (second, b)] if scale == 1 else [(first, a)]
    free = [(s.fresh, order[d], d) for s, d in operands if not d.is_input and call.exclusive(d)]
    if not free:
        draft = assembly.add_layer(call.name, size)
        draft.incoming += [(a, assembly.identity(size)), (b, assembly.identity(size, scale))]
        return Signal((draft,), fresh=True)
    fresh, place, total = max(free, key=lambda item: item[:2])
    other, other_signal = (b, second) if total is a else (a, first)
    if fresh and scale == 1 and other_signal.fresh and not other.is_input and call.exclusive(other):
        assembly.absorb(total, other)
    else:
        total.incoming.append((other, assembly.identity(size, scale if other is b else 1.0)))
        if place < order[other]:
            assembly.move_last(total)
    return Signal((total,), fresh=fresh)


register(_linear_module, modules=(nn.Linear,))
register(_linear_function, operations=("linear",))
register(_matmul, operations=("matmul", "mm"))
register(_addmm, operations=("addmm",))
register(_learned_activation, modules=(nn.PReLU,), operations=("prelu",))
register(_normalization, modules=(nn.LayerNorm, nn.RMSNorm, nn.LocalResponseNorm))
register(_cat, operations=("cat", "concat", "concatenate"))
register(_add, operations=("add",))
register(_subtract, operations=("sub", "subtract"))
register(_scale, operations=("mul", "multiply", "div", "divide", "true_divide", "pow", "maximum", "minimum"))
register(
    _reshape,
    modules=(nn.Identity, nn.Flatten, nn.Unflatten),
    operations=(
        *("flatten", "unflatten", "reshape", "view", "squeeze", "unsqueeze", "contiguous", "clone"),
        *("to", "float", "double", "half", "bfloat16", "type", "type_as", "view_as", "reshape_as"),
        *("detach", "cpu", "cuda", "requires_grad"),
    ),
)
register(
    _activation,
    modules=(
        *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish),
        *(nn.Sigmoid, nn.LogSigmoid, nn.Hardsigmoid, nn.Tanh, nn.Hardtanh, nn.Tanhshrink, nn.Hardswish),
        *(nn.Softplus, nn.Softsign, nn.Softshrink, nn.Hardshrink, nn.Threshold),
        *(nn.Softmax, nn.LogSoftmax, nn.Softmin, nn.Dropout, nn.AlphaDropout, nn.FeatureAlphaDropout),
    ),
    operations=(
        *("relu", "relu6", "leaky_relu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid"),
        *("logsigmoid", "hardsigmoid", "tanh", "hardtanh", "tanhshrink", "hardswish", "softplus", "softsign"),
        *("softshrink", "hardshrink", "threshold", "softmax", "log_softmax", "softmin", "dropout"),
        *(
            "alpha_dropout",
            "feature_alpha_dropout",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
        ),
        *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "square", "abs", "neg"),
        *("negative", "sign", "reciprocal", "clamp", "clip", "erf", "erfc", "logit", "expit", "positive"),
        *("floor", "ceil", "round", "nan_to_num"),
    ),
)
_OPERATORS: dict[Rule, tuple[Any, ...]] = {
    _matmul: (operator.matmul,),
    _add: (operator.add, operator.iadd),
    _subtract: (operator.sub, operator.isub),
    _scale: (operator.mul, operator.imul, operator.truediv, operator.itruediv, operator.pow, operator.ipow),
    _activation: (operator.neg, operator.pos, operator.abs),
}
FUNCTIONS.update({function: rule for rule, functions in _OPERATORS.items() for function in functions})
