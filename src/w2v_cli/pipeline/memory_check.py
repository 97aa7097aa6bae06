"""Is there enough memory for a training? Asked after the scan, before the matrices are made."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from w2v_cli.config.schema import Config
from w2v_cli.config.types import Interval, parse_interval
from w2v_cli.corpus.scan import ScannedCorpus
from w2v_cli.errors import StorageError, option
from w2v_cli.humanize import count
from w2v_cli.jit.njit import is_kept
from w2v_cli.kernels.protocols import Backend
from w2v_cli.kernels.sampling import keep_probabilities
from w2v_cli.pipeline.memory import MemoryNeed, Sizes, estimate, expected_occurrences
from w2v_cli.system.machine import MemoryLimit, anonymous_bytes, available_cores, read_limits

_PER_THREAD = (
    80_000_000  # addresses that a thread's stack and its arena of the allocator reserve, hardly any of it used
)
_LEAST = 50_000_000  # to load compiled code, and to read with it
_READERS = 1  # threads beside those that the text is shared out to
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class MemoryFound:
    """What a training needs beside the bytes `in_use` before it, and the tightest limit, None where none is known."""

    need: MemoryNeed
    in_use: int
    limit: MemoryLimit | None

    @property
    def peak(self) -> int:
        """The most that the process will have."""
        return self.in_use + self.need.total


def check_least_memory(threads: int) -> None:
    """Raise StorageError where there is no room to read a text with so many threads.

    LLVM ends a process that lacks memory for code, or tries for ever.
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
    """Return what a training on this corpus, held-out sentences included, will take, and what there is.

    Raises StorageError where a limit of the process, its control group or the machine leaves less.
    """
    threads = config.training.threads or available_cores()
    need = estimate(config, backend, _sizes(corpus, config, backend, threads))
    limits = read_limits()
    refuse_too_much(need, limits, config, vocabulary=len(corpus.vocabulary), threads=threads)
    return MemoryFound(need, anonymous_bytes(), _tightest(limits))


def refuse_too_much(
    need: MemoryNeed, limits: Iterable[MemoryLimit], config: Config, *, vocabulary: int, threads: int
) -> None:
    """Raise StorageError where a limit leaves less than is needed, naming the tightest and what would help."""
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
    """Return the addresses that so many threads reserve, where a limit counts them."""
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
        has_snapshot=parse_interval(config.output.snapshot_every) != Interval(),
        is_compiled=is_compiled(config, backend),
    )


def is_compiled(config: Config, backend: Backend) -> bool:
    """Return whether nothing is to be compiled; the minibatch algorithm compiles in next to no memory."""
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
