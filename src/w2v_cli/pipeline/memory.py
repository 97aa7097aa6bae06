"""The memory that a training will take, computed from settings and sizes, and compared with the limits.

Counted is the memory of the process itself (RssAnon on Linux); the word ids lie in files and do not count. The check
comes after the scan, before the matrices are made.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import Config
from w2v_cli.corpus.scan import ScannedCorpus
from w2v_cli.errors import StorageError, option
from w2v_cli.humanize import count
from w2v_cli.jit.njit import is_kept
from w2v_cli.kernels import Backend, keep_probabilities, objective_of
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES, SPAN_WORDS, shared_negatives
from w2v_cli.kernels.block.scratch import build_scratch, padded_dim
from w2v_cli.system.machine import MemoryLimit, anonymous_bytes, available_cores, read_limits

_FLOAT = _WORD_ID = 4
_PER_WORD = 40  # of the vocabulary, beside its words: keep probabilities, alias table and what they are made from
_DRAWING, _DRAWN = 85, 37  # for each kept word of an epoch: its windows while they are drawn and shuffled, and after
_LIST_CENTRES = 1 << 14  # of the batches that are built at a time, and how many such lists lie ready
_LISTS_AHEAD = 66
_COMPILING = 100_000_000
_CODE = 8_000_000  # compiled code that is loaded, and what Python itself needs on the way
_EVALUATION = 16_000_000  # blocks of rows and their products with the questions' words, and the questions
_ROUND_SPANS, _ROUND_SPAN_WORDS, _PER_KEPT = 8, 1 << 13, 24  # kernels/block: engine.py, spans_numba.KeptWords
_PER_THREAD = (
    80_000_000  # addresses that a thread's stack and its arena of the allocator reserve, hardly any of it used
)
_LEAST = 50_000_000  # to load compiled code, and to read with it
_READERS = 1  # threads beside those that the text is shared out to
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Sizes:
    """The sizes of a training: V words of the vocabulary, the occurrences that an epoch keeps, threads.

    Attributes:
        kept_words: after subsampling, held-out sentences included.
        has_snapshot: a copy of the state is made.
        is_compiled: no code needs compiling.
    """

    vocabulary: int
    kept_words: int
    threads: int
    has_snapshot: bool = False
    is_compiled: bool = True


@dataclass(frozen=True)
class MemoryNeed:
    """The bytes that a training adds to those of the process: its parts, and the peak while it is prepared."""

    parts: Mapping[str, int]
    building: int

    @property
    def total(self) -> int:
        """The largest sum at any time."""
        return max(sum(self.parts.values()), self.building)


def estimate(config: Config, backend: Backend, sizes: Sizes) -> MemoryNeed:
    """Return the memory that a training will take; `config` has its algorithm chosen."""
    matrix = _FLOAT * sizes.vocabulary * config.model.dim
    is_block = config.training.algorithm == "block"
    has_padding = is_block and backend is Backend.NUMBA and config.cluster.cluster is None
    row = padded_dim(config.model.dim) if has_padding else config.model.dim
    state = matrix * (6 if config.training.optimizer == "adam" else 2)
    parts = {
        "vectors": 2 * _FLOAT * sizes.vocabulary * row,
        "optimizer": 6 * matrix + 16 * sizes.vocabulary if config.training.optimizer == "adam" else 0,
        "snapshot": state if sizes.has_snapshot else 0,
        "best vectors": matrix * (1 + sizes.has_snapshot) if config.training.patience is not None else 0,
        "vocabulary": _PER_WORD * sizes.vocabulary,
        "work": _work(config, sizes, matrix, has_padding=has_padding),
        "evaluation": _EVALUATION if config.training.evaluate else 0,
        "compiling": _CODE + (0 if sizes.is_compiled else _COMPILING),
    }
    is_on_device = backend is Backend.CUPY and config.cluster.cluster is None  # on a cluster those of the workers
    if is_on_device:  # vectors, moments and gradients lie there
        parts |= {"vectors": 2 * matrix, "work": 0} if is_block else {"vectors": matrix, "optimizer": 0}
    on_its_way = matrix if is_block and is_on_device else 0  # to the device, padded
    building = max(parts["vectors"], 2 * matrix + on_its_way)
    return MemoryNeed(MappingProxyType({name: size for name, size in parts.items() if size}), building + _CODE)


def _work(config: Config, sizes: Sizes, matrix: int, *, has_padding: bool) -> int:
    """Return the bytes of work arrays: on a cluster, of the copy that is sent and the changes that come back."""
    if config.cluster.cluster is not None:
        levels = math.ceil(math.log2(config.cluster.shards)) + 2 if config.cluster.shards > 1 else 2
        return 2 * matrix * (1 + levels)
    return _block_work(config, sizes.threads) if has_padding else _minibatch_work(config, sizes)


def expected_occurrences(counts: NDArray[np.int64], keep_probability: NDArray[np.float32]) -> int:
    """Return how many occurrences subsampling will keep of words with these counts.

    Args:
        counts: (V,) int64, the occurrences of each word.
        keep_probability: (V,) float32, from `keep_probabilities`.

    >>> expected_occurrences(np.array([100, 10]), np.array([0.5, 1.0], np.float32))
    60
    """
    return round(float(counts @ keep_probability.astype(np.float64)))


def state_bytes(config: Config, vocabulary: int) -> int:
    """Return the bytes of a snapshot: both matrices and, with Adam, both moments of each."""
    matrices = 6 if config.training.optimizer == "adam" else 2
    if config.training.patience is not None:
        matrices += 1
    return matrices * _FLOAT * vocabulary * config.model.dim


def vectors_file_bytes(vocabulary_bytes: int, vocabulary: int, dim: int) -> int:
    """Return the estimated bytes of the vectors file; vocabulary_bytes: of all words in UTF-8."""
    return 2 * vocabulary * dim + vocabulary_bytes + 16 * vocabulary + 4096


def _block_work(config: Config, threads: int) -> int:
    """Return the bytes that the threads of the block algorithm work in (kernels/block: scratch.py, spans_numba.py)."""
    window, negatives = config.model.window, shared_negatives(config.sampling.negatives)
    scratch = build_scratch(config.model, negatives)
    scratch_bytes: int = sum(array.nbytes for name, array in scratch._asdict().items() if not name.startswith("flat_"))
    around = BLOCK_CENTRES + 2 * window
    if config.training.deterministic:
        gradients = _FLOAT * (around + BLOCK_CENTRES + negatives) * padded_dim(config.model.dim)
        return threads * scratch_bytes + _ROUND_SPANS * (_PER_KEPT * (_ROUND_SPAN_WORDS + around) + gradients)
    return threads * (scratch_bytes + _PER_KEPT * (SPAN_WORDS + around))


def _minibatch_work(config: Config, sizes: Sizes) -> int:
    """Return the bytes of the windows of an epoch, and of the batches that a second thread has ready."""
    per_centre = _WORD_ID * objective_of(config.model).ids_per_centre(config.model, config.sampling.negatives)
    is_ahead = sizes.threads > 1 and config.training.algorithm == "minibatch"
    ready = per_centre * min(sizes.kept_words, _LIST_CENTRES * (_LISTS_AHEAD if is_ahead else 2))
    still_ready = ready if config.training.epochs > 1 else 0  # of one epoch while the next is drawn
    return max(_DRAWING * sizes.kept_words + still_ready, _DRAWN * sizes.kept_words + ready)


@dataclass(frozen=True)
class MemoryFound:
    """The memory that a training needs, and the memory that there is.

    Attributes:
        need: the memory that the training adds.
        in_use: bytes of the process before it.
        limit: the tightest limit, None if none is known.
    """

    need: MemoryNeed
    in_use: int
    limit: MemoryLimit | None

    @property
    def peak(self) -> int:
        """The largest memory of the process."""
        return self.in_use + self.need.total


def check_least_memory(threads: int) -> None:
    """Raise StorageError if memory is too small to read a text with this many threads.

    Without memory for code LLVM ends the process, or retries forever.
    """
    limits = read_limits()
    wanted = {limit: _LEAST + _addresses(limit, threads + _READERS) for limit in limits}
    tightest = min(limits, key=lambda limit: limit.available - wanted[limit], default=None)
    if tightest is not None and tightest.available < wanted[tightest]:
        fewer = f"use fewer {option('threads')} ({threads}), " if tightest.is_of_addresses and threads > 1 else ""
        raise StorageError(
            f"there is room for {_shown(tightest.available)} of memory (limit: {tightest.name}), and training takes "
            f"{_shown(wanted[tightest])} at least: {fewer}end another program, or raise the limit."
        )


def check_memory(corpus: ScannedCorpus, config: Config, backend: Backend) -> MemoryFound:
    """Return the memory that a training on this corpus needs, held-out sentences included, and the memory found.

    Raises StorageError if a limit of the process, its control group or the machine leaves less.
    """
    threads = config.training.threads or available_cores()
    need = estimate(config, backend, _sizes(corpus, config, backend, threads))
    limits = read_limits()
    refuse_too_much(need, limits, config, vocabulary=len(corpus.vocabulary), threads=threads)
    return MemoryFound(need, anonymous_bytes(), _tightest(limits))


def refuse_too_much(
    need: MemoryNeed, limits: Iterable[MemoryLimit], config: Config, *, vocabulary: int, threads: int
) -> None:
    """Raise StorageError if a limit leaves less than is needed, naming the tightest one and what to change."""
    wanted = {limit: need.total + _addresses(limit, threads) for limit in limits}
    short = [limit for limit, size in wanted.items() if size > limit.available]
    if not short:
        return
    tightest = min(short, key=lambda limit: limit.available - wanted[limit])
    copies = need.parts.get("snapshot", 0)
    spare = f", or {option('snapshot_every', 'never')} (saves {_shown(copies)})" if copies else ""
    raise StorageError(
        f"training {count(vocabulary, 'word')} takes {_shown(wanted[tightest])} of memory more, and there is room for "
        f"{_shown(tightest.available)} (limit: {tightest.name}): lower {option('dim')} ({config.model.dim}), raise "
        f"{option('min_count')} ({config.corpus.min_count}){spare}."
    )


def _addresses(limit: MemoryLimit, threads: int) -> int:
    """Return the address space that this many threads reserve, 0 if the limit does not count them."""
    return threads * _PER_THREAD if limit.is_of_addresses else 0


def _tightest(limits: Iterable[MemoryLimit]) -> MemoryLimit | None:
    return min(limits, key=lambda limit: limit.available, default=None)


def _sizes(corpus: ScannedCorpus, config: Config, backend: Backend, threads: int) -> Sizes:
    counts = corpus.vocabulary.counts
    keep = keep_probabilities(counts, config.sampling.subsample)
    return Sizes(
        vocabulary=len(counts),
        kept_words=expected_occurrences(np.asarray(counts), keep),
        threads=threads,
        has_snapshot=config.output.has_snapshots,
        is_compiled=is_compiled(config, backend),
    )


def is_compiled(config: Config, backend: Backend) -> bool:
    """Return whether nothing has to be compiled; the minibatch algorithm compiles in next to no memory."""
    if config.training.algorithm != "block" or backend is not Backend.NUMBA:
        return True
    from w2v_cli.kernels.block.deterministic_numba import join_rounds  # noqa: PLC0415
    from w2v_cli.kernels.block.train_numba import train_span  # noqa: PLC0415  Numba takes a second to import

    is_in_rounds = config.training.deterministic and config.cluster.cluster is None
    return is_kept(join_rounds if is_in_rounds else train_span)


def _shown(size: int) -> str:
    """Return a size for people.

    >>> _shown(1_234_567_890), _shown(45_678_901)
    ('1.23 GB', '46 MB')
    """
    return f"{size / 1000 / _MEGABYTE:.2f} GB" if size >= 1000 * _MEGABYTE else f"{size / _MEGABYTE:.0f} MB"
