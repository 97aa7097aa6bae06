"""A stand-in for CuPy 14 where there is no GPU: NumPy underneath, CuPy's refusals on top.

As in CuPy 14.2 (its source, and its real arrays over borrowed host memory, asked without a GPU):
* no array turns into a NumPy array unasked, and none is mixed with NumPy arrays; NumPy scalars are welcome;
* a function, keyword, method or dtype that CuPy lacks is not there (cupy_names.py);
* every result is an array of the device, a sum or a single element too; NumPy ufuncs called on one are carried over;
* `matrix[rows] += x` loses repeated rows, add.at loses none;
* float(), int(), bool(), item(), get(), asnumpy() and printing make the host wait: `counts.waits` tells how often.

Stricter than CuPy, which pays in silence: NumPy arrays and lists as indices or values (CuPy copies them to the device
each time), rows out of range (CuPy wraps around), functions whose result's size the host must wait for.
It does not show what only a device can: compilation, speed, sums in changing order.
"""

from dataclasses import dataclass
from functools import partialmethod

import cupy_names
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from strict_cuda import RawModule, cuda, get_default_memory_pool

__all__ = ["RawModule", "counts", "cuda", "get_default_memory_pool", "ndarray"]
__version__ = "14.2.0"

_SCALARS = (bool, int, float, complex, np.number, np.bool_)


@dataclass
class Counts:
    """What crossed the border: how often the host waited for the device, how many arrays it sent there."""

    waits: int = 0
    uploads: int = 0


counts = Counts()


class ndarray(NDArrayOperatorsMixin):  # noqa: N801  CuPy's name; its operators, too, are NumPy's ufuncs carried over
    """An array on the pretended device."""

    __slots__ = ("_host",)
    __array_priority__ = 100

    def __init__(self, host):
        if host.dtype.name not in cupy_names.DTYPES:
            raise ValueError(f"Unsupported dtype {host.dtype}")
        self._host = np.asarray(host)

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    T = property(lambda self: ndarray(self._host.T))

    def get(self):
        """Return a copy on the host, which waits for it."""
        counts.waits += 1
        return self._host.copy()

    def set(self, arr):
        """Copy an array of the host into this one."""
        if not isinstance(arr, np.ndarray) or arr.dtype != self.dtype:
            raise TypeError(f"{getattr(arr, 'dtype', type(arr))} array cannot be set to {self.dtype} array")
        if arr.shape != self.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        if not self._host.flags.c_contiguous:
            raise RuntimeError("Cannot set to non-contiguous array")
        counts.uploads += 1
        self._host[...] = arr

    def item(self):
        """Return the only element as a Python scalar."""
        return self.get().item()

    def tolist(self):
        """Return nested lists."""
        return self.get().tolist()

    def __float__(self):
        return float(self.get())

    def __int__(self):
        return int(self.get())

    def __bool__(self):
        if self.size != 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous.")
        return bool(self.get())

    def __repr__(self):
        return repr(self.get())

    def __format__(self, specification):
        return format(self.get(), specification)

    def __len__(self):
        return len(self._host)

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key):
        parts = _index(key)
        if any(isinstance(part, np.ndarray) and part.dtype == bool for part in parts):
            counts.waits += 1  # the size of what a mask selects
        return ndarray(self._host[parts])

    def __setitem__(self, key, value):
        self._host[_index(key)] = _operand(value)

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        function = _FUNCTIONS.get(ufunc.__name__)
        if function is None or method not in {"__call__", "at"}:
            return NotImplemented
        if out is not None:
            options["out"] = out[0]
        return (function if method == "__call__" else function.at)(*inputs, **options)

    def __array_function__(self, function, types, arguments, options):
        if function.__name__ not in _FUNCTIONS:
            return NotImplemented
        return _FUNCTIONS[function.__name__](*arguments, **options)


class _Function:
    """A function of NumPy's over arrays of the device, with CuPy's keywords and no others."""

    def __init__(self, name, keywords, function):
        self.__name__ = name
        self._keywords = keywords
        self._function = function

    def __call__(self, *arguments, **options):
        if unknown := options.keys() - self._keywords:
            raise TypeError(f"{self.__name__}() got an unexpected keyword argument {min(unknown)!r}")
        hosts = {key: _host(value) for key, value in options.items()}
        with np.errstate(all="ignore"):  # a device raises no floating-point warnings
            return _device(self._function(*map(_host, arguments), **hosts))


class _Ufunc(_Function):
    """An elementwise function: nothing but arrays of the device and scalars go in."""

    def __call__(self, *operands, **options):
        for operand in operands:
            _operand(operand)
        result = super().__call__(*operands, **options)
        return result if options.get("out") is None else options["out"]

    def at(self, array, rows, values):
        """Add the values to the rows; a repeated row receives the sum."""
        if self.__name__ != "add" or array.dtype.name not in cupy_names.ADD_AT_DTYPES:
            raise TypeError(f"{self.__name__}.at does not support {array.dtype}")
        np.add.at(array._host, _index(rows), np.asarray(_operand(values)).astype(array.dtype))


def _host(value):
    """Return what NumPy computes with; refuse arrays that are not on the device, in tuples and lists too."""
    if isinstance(value, ndarray):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    return type(value)(map(_host, value)) if type(value) in {tuple, list} else value


def _operand(value):
    if not isinstance(value, (ndarray, *_SCALARS)):
        raise TypeError(f"Unsupported type {type(value)}")
    return _host(value)


def _device(value):
    """Return a result of NumPy's as arrays of the device."""
    if isinstance(value, tuple):
        return tuple(map(_device, value))
    return ndarray(value) if isinstance(value, (np.ndarray, np.generic)) else value


def _index(key):
    """Return an index for NumPy that gives a view wherever CuPy's would, of a single element too."""
    parts = key if isinstance(key, tuple) else (key,)
    for part in parts:
        if not (part is None or part is Ellipsis or isinstance(part, (slice, int, np.integer, ndarray))):
            raise TypeError(f"an index of {type(part)}: CuPy would copy it to the device at every use")
    ends = () if any(part is Ellipsis for part in parts) else (...,)
    return (*map(_host, parts), *ends)


def asarray(a, dtype=None):
    """Return `a` if it is on the device, else a copy there."""
    if isinstance(a, ndarray):
        return a if dtype in {None, a.dtype} else a.astype(dtype)
    counts.uploads += 1
    return ndarray(np.array(a, dtype=dtype))


def asnumpy(a):
    """Return a copy of `a` on the host."""
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def where(condition, x, y):
    """Return x where the condition holds, else y."""
    return _device(np.where(_host(condition.astype(bool)), _operand(x), _operand(y)))


_FUNCTIONS = {name: _Ufunc(name, cupy_names.UFUNC_KEYWORDS, getattr(np, name)) for name in cupy_names.UFUNCS}
_FUNCTIONS |= {name: _Function(name, words, getattr(np, name)) for name, words in cupy_names.FUNCTIONS.items()}
_FUNCTIONS["where"] = where


def __getattr__(name):
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name in cupy_names.DTYPES | cupy_names.CONSTANTS:
        return getattr(np, name)
    raise AttributeError(f"CuPy has no {name!r}, or cupy_names.py does not list it")


for _name, _words in cupy_names.METHODS.items():
    setattr(ndarray, _name, partialmethod(_Function(_name, _words, getattr(np.ndarray, _name))))
