"""Description of the device: name, versions and measured memory bandwidth."""

import statistics
import time
from typing import Any

from w2v_cli.kernels import import_cupy

_COPIES = 7


def describe_device(copy_bytes: int) -> dict[str, Any]:
    """Return a description of the current device and its software, as JSON-able values.

    `bandwidth_bytes_per_second` counts the bytes read and written by a copy in device memory; the median of seven.

    Args:
        copy_bytes: size of the copy that measures the bandwidth.
    """
    cupy = import_cupy()
    runtime, device = cupy.cuda.runtime, cupy.cuda.Device()
    attributes = device.attributes
    name = runtime.getDeviceProperties(device.id)["name"]
    return {
        "name": name.decode(errors="replace") if isinstance(name, bytes) else str(name),
        "compute_capability": str(device.compute_capability),
        "multiprocessors": attributes["MultiProcessorCount"],
        "memory_bytes": runtime.memGetInfo()[1],
        "cache_bytes": attributes["L2CacheSize"],
        "driver_cuda": runtime.driverGetVersion(),
        "runtime_cuda": runtime.runtimeGetVersion(),
        "nvrtc": ".".join(map(str, cupy.cuda.nvrtc.getVersion())),
        "cupy": cupy.__version__,
        "bandwidth_bytes_per_second": round(_measure_bandwidth(cupy, copy_bytes)),
    }


def _measure_bandwidth(cupy: Any, copy_bytes: int) -> float:
    device = cupy.cuda.Device()
    source = cupy.ones(copy_bytes // 4, dtype=cupy.float32)
    target = cupy.zeros(copy_bytes // 4, dtype=cupy.float32)
    speeds = []
    for _ in range(_COPIES):
        device.synchronize()
        began = time.perf_counter()
        target[...] = source
        device.synchronize()
        speeds.append(2 * copy_bytes / (time.perf_counter() - began))
    return statistics.median(speeds)
