"""What CuPy 14 has, as far as a kernel may need it: names, and the keywords that each takes.

Recorded from CuPy 14.2.0 (the wheel cupy-cuda12x; `import cupy` needs no GPU): UFUNCS are the instances of cupy.ufunc
that NumPy has too; the keywords of a function are the parameters in inspect.signature that NumPy's has too, those of a
method its signature in cupy/_core/core.pyx. Left out, so that nobody uses it unseen, is what makes the host wait for
the device, for it has to know how much memory the result takes: nonzero, unique, bincount, repeat by an array, and
the one-argument form of where. test_strict_cupy.py compares all this with CuPy where it is installed.
"""


def _names(text):
    return frozenset(text.split())


UFUNCS = _names(
    """
    abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh
    bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
    cbrt ceil conj conjugate copysign cos cosh deg2rad degrees divide divmod equal exp exp2 expm1 fabs float_power floor
    floor_divide fmax fmin fmod frexp gcd greater greater_equal heaviside hypot invert isfinite isinf isnan lcm ldexp
    left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor
    maximum minimum mod modf multiply negative nextafter not_equal positive pow power rad2deg radians reciprocal
    remainder right_shift rint sign signbit sin sinh sqrt square subtract tan tanh true_divide trunc
    """
)
UFUNC_KEYWORDS = frozenset({"out", "dtype", "casting"})  # NumPy's `where` is not among them


def _keywords(table):
    """Return {name: keywords} of lines that give a name and its keywords."""
    return {name: frozenset(keywords) for name, *keywords in map(str.split, table.strip().splitlines())}


FUNCTIONS = _keywords(
    """
    all a axis out keepdims
    amax a axis out keepdims
    amin a axis out keepdims
    any a axis out keepdims
    arange stop step dtype
    argmax a axis out keepdims
    argmin a axis out keepdims
    argsort a axis kind
    broadcast_to array shape
    clip a a_min a_max out
    column_stack tup
    concat axis out dtype casting
    concatenate axis out dtype casting
    copy a order
    cumprod a axis dtype out
    cumsum a axis dtype out
    diff a n axis prepend append
    dot a b out
    einsum dtype optimize
    empty shape dtype order
    empty_like prototype dtype order shape
    expand_dims a axis
    eye N M k dtype order
    flip axis
    full shape fill_value dtype order
    full_like a fill_value dtype order shape
    hstack tup dtype casting
    inner a b
    isclose a b rtol atol equal_nan
    linspace start stop num endpoint retstep dtype axis
    matmul dtype out
    max a axis out keepdims
    mean a axis dtype out keepdims
    min a axis out keepdims
    moveaxis a source destination
    nan_to_num x copy nan posinf neginf
    ones shape dtype order
    ones_like a dtype order shape
    outer a b out
    prod a axis dtype out keepdims
    ravel a order
    reshape a order copy
    roll a shift axis
    round a decimals out
    searchsorted a v side sorter
    sort a axis kind
    squeeze a axis
    stack axis out dtype casting
    std a axis dtype out ddof keepdims
    sum a axis dtype out keepdims
    swapaxes a axis1 axis2
    take a indices axis out
    take_along_axis indices axis
    tensordot a b axes
    tile A reps
    transpose a axes
    tril m k
    triu m k
    var a axis dtype out ddof keepdims
    vdot a b
    vstack tup dtype casting
    zeros shape dtype order
    zeros_like a dtype order shape
    """
)

METHODS = _keywords(
    """
    all axis out keepdims
    any axis out keepdims
    argmax axis out keepdims
    argmin axis out keepdims
    argsort axis kind
    astype dtype order casting copy
    clip min max out
    copy order
    cumprod axis dtype out
    cumsum axis dtype out
    dot b out
    fill
    max axis out keepdims
    mean axis dtype out keepdims
    min axis out keepdims
    prod axis dtype out keepdims
    ravel order
    reshape order copy
    round decimals out
    squeeze axis
    std axis dtype out ddof keepdims
    sum axis dtype out keepdims
    swapaxes
    take indices axis out
    transpose
    var axis dtype out ddof keepdims
    """
)

DTYPES = _names("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128")
CONSTANTS = _names("bool_ dtype e floating inf integer nan newaxis number pi")
ADD_AT_DTYPES = _names("int32 int64 uint32 uint64 float16 float32 float64")

# Of cupy and cupy.cuda, what a launcher needs: not to be had by inspect.signature, so taken from CuPy's source.
CUDA = _names(
    """
    get_default_memory_pool RawModule RawModule.get_function RawKernel RawKernel.__call__ RawKernel.kernel
    RawKernel.local_size_bytes RawKernel.max_dynamic_shared_size_bytes RawKernel.name RawKernel.num_regs
    cuda.Device cuda.Device.attributes cuda.Device.compute_capability cuda.Device.id cuda.Device.mem_info
    cuda.Device.synchronize cuda.Event cuda.Event.done cuda.Event.record cuda.Event.synchronize
    cuda.compiler.CompileException cuda.driver.CUDADriverError cuda.driver.occupancyMaxActiveBlocksPerMultiprocessor
    cuda.nvrtc.getVersion cuda.runtime.CUDARuntimeError cuda.runtime.driverGetVersion cuda.runtime.getDeviceCount
    cuda.runtime.getDeviceProperties cuda.runtime.memGetInfo cuda.runtime.runtimeGetVersion
    """
)
CUDA_DEVICE_ATTRIBUTES = _names(
    """
    L2CacheSize MaxSharedMemoryPerBlockOptin MaxSharedMemoryPerMultiprocessor MaxThreadsPerMultiProcessor
    MultiProcessorCount
    """
)
