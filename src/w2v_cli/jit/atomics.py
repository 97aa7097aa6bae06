"""Atomic counters that threads share without a lock, and yielding a core (Numba)."""

import os
from typing import Any

from numba import types
from numba.extending import intrinsic

from w2v_cli.jit.memory import item_pointer

# Gives the core to a waiting thread: the name in the C library, or in Windows.
yield_thread = types.ExternalFunction("sched_yield" if os.name == "posix" else "SwitchToThread", types.int32())


def _type_add(_context: Any, counters: Any, index: Any, amount: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = item_pointer(context, builder, signature, arguments)
        return builder.atomic_rmw("add", pointer, arguments[2], "acq_rel")

    return types.int64(counters, index, amount), generate


def _type_get(_context: Any, counters: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = item_pointer(context, builder, signature, arguments)
        return builder.load_atomic(pointer, "acquire", align=8)

    return types.int64(counters, index), generate


# (counters, index, amount) -> counters[index], an int64, to which `amount` is added in the same moment.
get_and_add: Any = intrinsic(_type_add)

# (counters, index) -> counters[index], an int64; what its writer wrote before is seen after.
get: Any = intrinsic(_type_get)
