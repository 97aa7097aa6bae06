"""Addresses of array items, prefetching and copying, for compiled code (Numba)."""

from typing import Any

from llvmlite import ir
from numba import types as untyped_types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic

cgutils: Any = untyped_cgutils
types: Any = untyped_types


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


def _type_copy_eight(_context: Any, array: Any, place: Any, source: Any, begin: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        eight = ir.PointerType(ir.IntType(64))
        pairs = [(signature.args[i : i + 2], arguments[i : i + 2]) for i in (2, 0)]
        addresses = [item_pointer(context, builder, types.void(*kinds), values) for kinds, values in pairs]
        origin, target = (builder.bitcast(address, eight) for address in addresses)
        builder.store(builder.load(origin, align=1), target, align=1)
        return context.get_dummy_value()

    return types.void(array, place, source, begin), generate


copy_eight: Any = intrinsic(_type_copy_eight)  # (bytes, place, source, begin): copy eight of them at once
prefetch: Any = intrinsic(_type_prefetch)  # (array, row, column): bring the item's line into the cache
