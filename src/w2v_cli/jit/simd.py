"""SIMD registers for compiled code: several floats of a row are held, multiplied and added at once (Numba).

Numba vectorises loops as LLVM sees fit; in the products of small matrices that leaves speed unused. Here the code
decides what stays in registers. A `Lanes` is a run of floats, their number a multiple of 8.
"""

from typing import Any

from llvmlite import ir
from numba import types as untyped_types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic, models, register_model

from w2v_cli.jit.memory import item_pointer

cgutils: Any = untyped_cgutils
types: Any = untyped_types
_FLOAT = ir.FloatType()
_VECTORS = (64, 32, 16, 8)  # floats of a vector, which LLVM cuts into registers
_QUAD = 4
SQUARE = 8  # rows and columns that are transposed at a time
_COLUMN_PLACES = (0, 2, 1, 3, 4, 6, 5, 7)  # where _transpose leaves each column


class Lanes(untyped_types.Type):
    """The Numba type of `count` floats: vectors of 64, 32, 16 and 8 floats, `count` in total."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.parts = count // 64 * [64] + [size for size in _VECTORS[1:] if count & size]
        super().__init__(name=f"Lanes({count})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        vectors = [ir.VectorType(_FLOAT, size) for size in lanes.parts]
        kind = vectors[0] if len(vectors) == 1 else ir.LiteralStructType(vectors)
        super().__init__(manager, lanes, kind)  # type: ignore[no-untyped-call]


def _vectors(builder: Any, lanes: Lanes, value: Any) -> list[Any]:
    """Return the vectors of a value of type `lanes`."""
    if len(lanes.parts) == 1:
        return [value]
    return [builder.extract_value(value, i) for i in range(len(lanes.parts))]


def _joined(context: Any, builder: Any, lanes: Lanes, vectors: list[Any]) -> Any:
    """Return the value of type `lanes` that has these vectors."""
    if len(vectors) == 1:
        return vectors[0]
    value = ir.Constant(context.get_value_type(lanes), ir.Undefined)
    for i, vector in enumerate(vectors):
        value = builder.insert_value(value, vector, i)
    return value


def _type_zeros(_context: Any, count: Any) -> Any:
    lanes = Lanes(count.literal_value)

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        vectors = [ir.Constant(ir.VectorType(_FLOAT, size), [0.0] * size) for size in lanes.parts]
        return _joined(context, builder, lanes, vectors)

    return lanes(count), generate


def _type_splat(_context: Any, array: Any, row: Any, column: Any, like: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = builder.load(item_pointer(context, builder, signature, arguments), align=4)
        first = ir.Constant(ir.IntType(32), 0)
        vectors = []
        for size in like.parts:
            vector = builder.insert_element(ir.Constant(ir.VectorType(_FLOAT, size), ir.Undefined), number, first)
            vectors.append(_pick(builder, vector, vector, [0] * size))
        return _joined(context, builder, like, vectors)

    return like(array, row, column, like), generate


def _type_load(_context: Any, array: Any, row: Any, column: Any, like: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointers = _run_pointers(context, builder, signature, arguments, like)
        return _joined(context, builder, like, [builder.load(pointer, align=4) for pointer in pointers])

    return like(array, row, column, like), generate


def _type_store(_context: Any, array: Any, row: Any, column: Any, lanes: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointers = _run_pointers(context, builder, signature, arguments, lanes)
        for vector, pointer in zip(_vectors(builder, lanes, arguments[3]), pointers, strict=True):
            builder.store(vector, pointer, align=4)
        return context.get_dummy_value()

    return types.void(array, row, column, lanes), generate


def _type_add(_context: Any, a: Any, b: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pairs = zip(*(_vectors(builder, a, value) for value in arguments), strict=True)
        return _joined(context, builder, a, [builder.fadd(*pair) for pair in pairs])

    return a(a, b), generate


def _type_multiply_add(_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        vectors = []
        for size, *terms in zip(c.parts, *(_vectors(builder, c, value) for value in arguments), strict=True):
            vector_type = ir.VectorType(_FLOAT, size)
            function_type = ir.FunctionType(vector_type, [vector_type] * 3)
            function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.fmuladd.v{size}f32")
            vectors.append(builder.call(function, terms))
        return _joined(context, builder, c, vectors)

    return c(a, b, c), generate


def _type_store_totals(_context: Any, array: Any, row: Any, column: Any, *sums: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrix, first, place, packed = arguments
        lanes = [builder.extract_value(packed, i) for i in range(_QUAD)]
        totals = _total_quad(builder, lanes, sums[0].count)
        builder.store(totals, _run_pointer(context, builder, signature, (matrix, first, place), _QUAD), align=4)
        return context.get_dummy_value()

    return types.void(array, row, column, types.StarArgTuple.from_types(sums)), generate


def _total_quad(builder: Any, lanes: list[Any], count: int) -> Any:
    """Return the totals of four Lanes as one vector: shuffles halve their number, then their length."""
    quads = range(0, count, _QUAD)
    low = [i for quad in quads for i in (quad, count + quad, quad + 1, count + quad + 1)]
    high = [i for quad in quads for i in (quad + 2, count + quad + 2, quad + 3, count + quad + 3)]
    lanes = [_add_picked(builder, a, b, low, high) for a, b in zip(lanes[::2], lanes[1::2], strict=True)]
    low = [i for quad in quads for i in (quad, quad + 1, count + quad, count + quad + 1)]
    high = [i for quad in quads for i in (quad + 2, quad + 3, count + quad + 2, count + quad + 3)]
    total = _add_picked(builder, lanes[0], lanes[1], low, high)
    while count > _QUAD:  # now each quad holds a part of the four totals
        count //= 2
        total = _add_picked(builder, total, total, range(count), range(count, 2 * count))
    return total


def _type_store_transposed(_context: Any, array: Any, row: Any, column: Any, *rows: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrix, first, place, packed = arguments
        lanes = _transpose(builder, [builder.extract_value(packed, i) for i in range(SQUARE)])
        for i, values in enumerate(lanes):
            at = builder.add(first, ir.Constant(first.type, i))
            builder.store(values, _run_pointer(context, builder, signature, (matrix, at, place), SQUARE), align=4)
        return context.get_dummy_value()

    return types.void(array, row, column, types.StarArgTuple.from_types(rows)), generate


def _transpose(builder: Any, rows: list[Any]) -> list[Any]:
    """Return the columns of eight rows of eight: pairs, then fours, then eights are brought together."""
    for low, high, apart in (
        ([0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15], 1),
        ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15], 2),
        ([0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15], 4),
    ):
        firsts = [i for i in range(SQUARE) if not i & apart]
        pairs = {i: _pick(builder, rows[i], rows[i + apart], low) for i in firsts}
        pairs |= {i + apart: _pick(builder, rows[i], rows[i + apart], high) for i in firsts}
        rows = [pairs[i] for i in range(SQUARE)]
    return [rows[i] for i in _COLUMN_PLACES]


def _add_picked(builder: Any, a: Any, b: Any, first: Any, second: Any) -> Any:
    return builder.fadd(_pick(builder, a, b, first), _pick(builder, a, b, second))


def _pick(builder: Any, a: Any, b: Any, places: Any) -> Any:
    """Return the items of a and b, one after the other, at some places."""
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), list(places))
    return builder.shuffle_vector(a, b, mask)


def _run_pointers(context: Any, builder: Any, signature: Any, arguments: Any, lanes: Lanes) -> list[Any]:
    """Return the addresses of the vectors of a Lanes that begins at array[row, column]."""
    pointer = item_pointer(context, builder, signature, arguments)
    begins = [sum(lanes.parts[:i]) for i in range(len(lanes.parts))]
    at = [cgutils.gep(builder, pointer, begin) for begin in begins]
    kinds = [ir.PointerType(ir.VectorType(_FLOAT, size)) for size in lanes.parts]
    return [builder.bitcast(*pair) for pair in zip(at, kinds, strict=True)]


def _run_pointer(context: Any, builder: Any, signature: Any, arguments: Any, count: int) -> Any:
    """Return the address of `count` floats from array[row, column] on, those being the first three arguments."""
    pointer = item_pointer(context, builder, signature, arguments)
    return builder.bitcast(pointer, ir.PointerType(ir.VectorType(_FLOAT, count)))


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
store_totals: Any = intrinsic(_type_store_totals)  # (array, row, column, 4 Lanes): array[row, column + i] = total i
store_transposed: Any = intrinsic(_type_store_transposed)  # (array, row, column, 8 Lanes of 8): a column becomes a row
float_of_bits: Any = intrinsic(_type_float_of_bits)  # (int32) -> the float32 of the same bits
bits_of: Any = intrinsic(_type_bits_of)  # (float32) -> the int32 of the same bits
