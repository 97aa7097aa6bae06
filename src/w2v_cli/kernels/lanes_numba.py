"""Vector registers for compiled code: several floats of a row held, multiplied and added at once (Numba).

Numba vectorises loops as LLVM sees fit; in the products of small matrices that leaves speed unused. Here the code says
itself what stays in registers. A `Lanes` is a run of 16, 32 or 64 floats (8 or 16 where registers are narrower), which
LLVM cuts into registers.
"""

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types as untyped_types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic, models, register_model

cgutils: Any = untyped_cgutils
types: Any = untyped_types
_FLOAT = ir.FloatType()
_QUAD = 4


def _has_wide_registers() -> bool:
    """Return whether this machine has 32 registers of 512 bits."""
    features: Any = llvmlite.binding.get_host_cpu_features()
    return bool(features.get("avx512f", False))


# Floats in a register, and in the runs of a row that a product takes at a time: as much as the registers hold.
LANES = 16 if _has_wide_registers() else 8
RUNS = (4 * LANES, 2 * LANES, LANES) if _has_wide_registers() else (2 * LANES, LANES)


class Lanes(untyped_types.Type):
    """The Numba type of `count` floats."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"Lanes({count})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(manager, lanes, ir.VectorType(_FLOAT, lanes.count))  # type: ignore[no-untyped-call]


def _type_zeros(_context: Any, count: Any) -> Any:
    lanes = Lanes(count.literal_value)

    def generate(context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(lanes), [0.0] * lanes.count)

    return lanes(count), generate


def _type_splat(_context: Any, array: Any, row: Any, column: Any, like: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = builder.load(item_pointer(context, builder, signature, arguments), align=4)
        lanes_type, first = context.get_value_type(like), ir.Constant(ir.IntType(32), 0)
        lanes = builder.insert_element(ir.Constant(lanes_type, ir.Undefined), number, first)
        return _pick(builder, lanes, lanes, [0] * like.count)

    return like(array, row, column, like), generate


def _type_load(_context: Any, array: Any, row: Any, column: Any, like: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_run_pointer(context, builder, signature, arguments, like.count), align=4)

    return like(array, row, column, like), generate


def _type_store(_context: Any, array: Any, row: Any, column: Any, lanes: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[3], _run_pointer(context, builder, signature, arguments, lanes.count), align=4)
        return context.get_dummy_value()

    return types.void(array, row, column, lanes), generate


def _type_add(_context: Any, a: Any, b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments)

    return a(a, b), generate


def _type_multiply_add(_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        lanes_type = context.get_value_type(c)
        function_type = ir.FunctionType(lanes_type, [lanes_type] * 3)
        function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.fmuladd.v{c.count}f32")
        return builder.call(function, arguments)

    return c(a, b, c), generate


def _type_store_totals(_context: Any, array: Any, row: Any, column: Any, *sums: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrix, first, place, lanes = arguments
        for i, totals in enumerate(_total_quads(builder, lanes, sums[0].count)):
            at = builder.add(first, ir.Constant(first.type, i))
            builder.store(totals, _run_pointer(context, builder, signature, (matrix, at, place), _QUAD), align=4)
        return context.get_dummy_value()

    return types.void(array, row, column, types.StarArgTuple.from_types(sums)), generate


def _total_quads(builder: Any, sums: Any, count: int) -> list[Any]:
    """Return the totals of 16 Lanes as four vectors of four, by a tree of shuffles that halves their number thrice."""
    lanes = [builder.extract_value(sums, i) for i in range(_QUAD * _QUAD)]
    quads = range(0, count, _QUAD)
    low = [i for quad in quads for i in (quad, count + quad, quad + 1, count + quad + 1)]
    high = [i for quad in quads for i in (quad + 2, count + quad + 2, quad + 3, count + quad + 3)]
    lanes = [_add_picked(builder, a, b, low, high) for a, b in zip(lanes[::2], lanes[1::2], strict=True)]
    low = [i for quad in quads for i in (quad, quad + 1, count + quad, count + quad + 1)]
    high = [i for quad in quads for i in (quad + 2, quad + 3, count + quad + 2, count + quad + 3)]
    lanes = [_add_picked(builder, a, b, low, high) for a, b in zip(lanes[::2], lanes[1::2], strict=True)]
    # Now each holds in every quad a part of the totals of its own four.
    while len(lanes) > _QUAD * _QUAD // count:
        even = [i + k for i in range(0, 2 * count, 2 * _QUAD) for k in range(_QUAD)]
        odd = [i + _QUAD for i in even]
        lanes = [_add_picked(builder, a, b, even, odd) for a, b in zip(lanes[::2], lanes[1::2], strict=True)]
    return [_pick(builder, a, a, range(i, i + _QUAD)) for a in lanes for i in range(0, count, _QUAD)]


def _add_picked(builder: Any, a: Any, b: Any, first: list[int], second: list[int]) -> Any:
    return builder.fadd(_pick(builder, a, b, first), _pick(builder, a, b, second))


def _pick(builder: Any, a: Any, b: Any, places: Any) -> Any:
    """Return the items of a and b, one after the other, at some places."""
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), list(places))
    return builder.shuffle_vector(a, b, mask)


def _run_pointer(context: Any, builder: Any, signature: Any, arguments: Any, count: int) -> Any:
    """Return the address of `count` floats from array[row, column] on, those being the first three arguments."""
    pointer = item_pointer(context, builder, signature, arguments)
    return builder.bitcast(pointer, ir.PointerType(ir.VectorType(_FLOAT, count)))


def item_pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Return the address of an item of an array, the first argument, by the arguments that follow; none is negative."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    indices = range(1, 1 + signature.args[0].ndim)
    places = [context.cast(builder, arguments[k], signature.args[k], types.intp) for k in indices]
    return cgutils.get_item_pointer(context, builder, signature.args[0], array, places)


def _type_prefetch(_context: Any, array: Any, row: Any, column: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte_pointer, number = ir.PointerType(ir.IntType(8)), ir.IntType(32)
        pointer = builder.bitcast(item_pointer(context, builder, signature, arguments), byte_pointer)
        function_type = ir.FunctionType(ir.VoidType(), [byte_pointer, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
        builder.call(function, [pointer, *(ir.Constant(number, flag) for flag in (0, 3, 1))])  # read, keep, data
        return context.get_dummy_value()

    return types.void(array, row, column), generate


def _type_float_of_bits(_context: Any, _bits: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _FLOAT)

    return types.float32(types.int32), generate


def _type_bits_of(_context: Any, _number: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


zeros: Any = intrinsic(prefer_literal=True)(_type_zeros)  # (count) -> Lanes
splat: Any = intrinsic(_type_splat)  # (array, row, column, like) -> array[row, column] as often as `like` is long
load: Any = intrinsic(_type_load)  # (array, row, column, like) -> array[row, column : column + count]
store: Any = intrinsic(_type_store)  # (array, row, column, lanes): array[row, column : column + count] = lanes
add: Any = intrinsic(_type_add)  # (a, b) -> a + b
multiply_add: Any = intrinsic(_type_multiply_add)  # (a, b, c) -> a · b + c
store_totals: Any = intrinsic(_type_store_totals)  # (array, row, column, 16 Lanes): their 4 × 4 totals, row by row
prefetch: Any = intrinsic(_type_prefetch)  # (array, row, column): bring the item's line into the cache
float_of_bits: Any = intrinsic(_type_float_of_bits)  # (int32) -> the float32 of the same bits
bits_of: Any = intrinsic(_type_bits_of)  # (float32) -> the int32 of the same bits
