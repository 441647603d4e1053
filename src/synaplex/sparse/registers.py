"""Vector registers by name, for compiled kernels: a block of them holds a line of activations.

numba has no type for a vector register. Left to itself, a loop over a line of samples loads and stores its sums once
for every connection; a block keeps them where they are added up. The operations here become LLVM instructions on
vectors of 64 bytes, which every processor can do: one with narrower registers takes several for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic, models, register_model

BYTES = 64
"""Of one register."""


@cache
def most() -> int:
    """Registers that a block may have: with AVX-512, or where one takes two of 32 bytes, its sums then stay in them."""
    try:
        return 14 if binding.get_host_cpu_features().get("avx512f") else 7
    except RuntimeError:  # not known of every processor
        return 7


class Block(types.Type):
    """The type of `count` registers of floating-point numbers; the last may overlap the one before it in memory."""

    def __init__(self, dtype: Any, count: int) -> None:
        self.dtype, self.count, self.lanes = dtype, count, BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Block({dtype}, {count})")


@register_model(Block)
class _BlockModel(models.PrimitiveModel):
    def __init__(self, manager: Any, block: Block) -> None:
        vector = ir.VectorType(manager.lookup(block.dtype).get_value_type(), block.lanes)
        super().__init__(manager, block, ir.ArrayType(vector, block.count))  # type: ignore[no-untyped-call]


def _places(context: Any, builder: Any, values: Any, block: Block) -> Iterator[Any]:
    """Where in memory each register of a block lies: from an offset on, the last at a distance of its own."""
    pointer, offset, last = values
    start, vector = builder.gep(pointer, [offset]), context.get_value_type(block).element.as_pointer()
    for i in range(block.count):
        distance = last if i == block.count - 1 else offset.type(i * block.lanes)
        yield builder.bitcast(builder.gep(start, [distance]), vector)


def _call(builder: Any, name: str, block: Block, result: Any, arguments: Any, **options: Any) -> Any:
    kind = ir.FunctionType(result, [one.type for one in arguments])
    suffix = f"v{block.lanes}f{block.dtype.bitwidth}"
    function = get_or_insert_function(builder.module, kind, f"llvm.{name}.{suffix}")  # type: ignore[no-untyped-call]
    return builder.call(function, arguments, **options)


def _all(builder: Any, value: Any, lanes: int) -> Any:
    """A vector that holds one value in every lane."""
    none = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(none, value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, none, ir.Constant(ir.VectorType(ir.IntType(32), lanes), None))


@intrinsic
def at_address(_: Any, address: Any, number: Any) -> Any:
    """``at_address(address, number)``: a pointer to numbers of a type."""
    pointer = types.CPointer(number.instance_type)  # type: ignore[no-untyped-call]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(pointer))

    return pointer(types.int64, number), generate


@intrinsic
def take(_: Any, counter: Any) -> Any:
    """``take(counter)``: the number that a pointer points to, which grows by 1; threads never get the same."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", arguments[0], arguments[0].type.pointee(1), "monotonic")

    return counter.dtype(counter), generate


@intrinsic(prefer_literal=True)
def zeros(_: Any, number: Any, count: Any) -> Any:
    """``zeros(number, count)``: a block of zeros of a type."""
    block = Block(number.instance_type, count.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(block), None)

    return block(number, count), generate


@intrinsic(prefer_literal=True)
def load(_: Any, pointer: Any, offset: Any, last: Any, count: Any) -> Any:
    """``load(pointer, offset, last, count)``: numbers from an offset on; the last register's from `last` after it."""
    block = Block(pointer.dtype, count.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = ir.Constant(context.get_value_type(block), ir.Undefined)
        for i, place in enumerate(_places(context, builder, arguments[:3], block)):
            made = builder.insert_value(made, builder.load(place, align=block.dtype.bitwidth // 8), i)
        return made

    return block(pointer, types.int64, types.int64, count), generate


@intrinsic
def store(_: Any, pointer: Any, offset: Any, last: Any, block: Any) -> Any:
    """``store(pointer, offset, last, block)``: write a block where `load` would read it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for i, place in enumerate(_places(context, builder, arguments[:3], block)):
            builder.store(builder.extract_value(arguments[3], i), place, align=block.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(pointer, types.int64, types.int64, block), generate


@intrinsic
def add_scaled(_: Any, total: Any, factor: Any, block: Any) -> Any:
    """``add_scaled(total, factor, block)``: total + factor * block."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made, factors = arguments[0], _all(builder, arguments[1], block.lanes)
        for i in range(block.count):
            terms = [factors, builder.extract_value(arguments[2], i), builder.extract_value(arguments[0], i)]
            made = builder.insert_value(made, _call(builder, "fmuladd", block, factors.type, terms), i)
        return made

    return block(total, block.dtype, block), generate


@intrinsic
def dot(_: Any, left: Any, right: Any) -> Any:
    """``dot(left, right)``: the sum of the products of two blocks' numbers, in any order."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums: list[Any] = []
        for i in range(left.count):
            a, b = (builder.extract_value(one, i) for one in arguments)
            # Two sums: each addition then waits for one of two before, not for the last.
            if i < 2:
                sums.append(builder.fmul(a, b))
            else:
                sums[i % 2] = _call(builder, "fmuladd", left, a.type, [a, b, sums[i % 2]])
        total, kind = sums[0] if len(sums) == 1 else builder.fadd(*sums), sums[0].type.element
        return _call(builder, "vector.reduce.fadd", left, kind, [kind(-0.0), total], fastmath=("reassoc",))

    return left.dtype(left, right), generate


@intrinsic
def without(_: Any, block: Any, lanes: Any) -> Any:
    """``without(block, lanes)``: the block with 0 in the first so many lanes of its last register."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        last = builder.extract_value(arguments[0], block.count - 1)
        kind = arguments[1].type
        number = ir.Constant(ir.VectorType(kind, block.lanes), [kind(i) for i in range(block.lanes)])
        kept = builder.icmp_signed(">=", number, _all(builder, arguments[1], block.lanes))
        chosen = builder.select(kept, last, ir.Constant(last.type, None))
        return builder.insert_value(arguments[0], chosen, block.count - 1)

    return block(block, types.int64), generate
