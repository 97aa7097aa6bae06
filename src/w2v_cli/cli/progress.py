"""Progress on stderr: a bar on a terminal, a line every few seconds elsewhere, nothing when quiet."""

import logging
import sys
import time
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from w2v_cli import datasets, pipeline
from w2v_cli.cli import console
from w2v_cli.training import Progress

_SECONDS_BETWEEN_LINES = 5.0


class TrainingDisplay:
    """Shows what the pipeline tells; warnings also when quiet."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._bar: Any = None
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        logging.basicConfig(stream=sys.stderr, format="warning: %(message)s", level=logging.WARNING)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close_bar()

    def show(self, event: pipeline.Event) -> None:
        """Show one event."""
        match event:
            case pipeline.CorpusScanned(corpus=corpus):
                for warning in corpus.warnings:
                    console.note(f"warning: {warning}")
        if self._is_quiet:
            return
        match event:
            case pipeline.CorpusFound(path=path, name=None):
                console.note(f"corpus: {path}")
            case pipeline.CorpusFound(path=path, name=name, is_default=is_default):
                why = " (no corpus was given)" if is_default else ""
                console.note(f"corpus: {name}{why}, {path}")
            case pipeline.CorpusScanned(corpus=corpus, seconds=seconds):
                vocabulary = corpus.vocabulary
                console.note(
                    f"{corpus.corpus_words:,} words, {corpus.distinct_words:,} different; kept {len(vocabulary):,} words "
                    f"with {vocabulary.kept_words:,} occurrences, in {seconds:.1f} s"
                )
            case pipeline.EngineLoaded(backend=backend, threads=threads):
                console.note(f"backend: {backend}" + ("" if backend == "cupy" else f", {threads} threads"))
            case Progress():
                self._show_progress(event)
            case pipeline.VectorsSaved(path=path, vocabulary_size=size, trained=trained):
                self._close_bar()
                console.note(f"wrote {path}: {size:,} words, trained in {trained.seconds:.1f} s")

    def _show_progress(self, progress: Progress) -> None:
        if sys.stderr.isatty():
            self._move_bar(progress)
        if progress.epoch_mean_loss is not None:
            self._write_line(_epoch_line(progress))
        elif not sys.stderr.isatty() and time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._write_line(_progress_line(progress))

    def _move_bar(self, progress: Progress) -> None:
        if self._bar is None:
            self._bar = tqdm(total=100, unit="%", bar_format="{percentage:3.0f}% |{bar}| {desc}", dynamic_ncols=True)
        self._bar.n = 100 * progress.progress
        self._bar.set_description_str(
            f"{progress.words_per_second:,.0f} words/s, loss {progress.mean_loss:.3f}, "
            f"{duration(progress.seconds_left)} left"
        )

    def _write_line(self, line: str) -> None:
        self._last_line = time.monotonic()
        tqdm.write(line, file=sys.stderr)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class DownloadDisplay:
    """Shows what a download does, file by file."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._bar: Any = None
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close_bar()

    def show_step(self, step: datasets.Step) -> None:
        """Say what will be done about a file, and why."""
        self._close_bar()
        self._name = step.name
        if not self._is_quiet:
            console.note(f"{step.name}: {step.reason}")

    def show_bytes(self, done: int, total: int | None) -> None:
        """Move the bar of the file in hand; on a terminal only."""
        if self._is_quiet or not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = tqdm(total=total, unit="B", unit_scale=True, desc=self._name, dynamic_ncols=True)
        self._bar.total = total
        self._bar.n = done
        self._bar.refresh()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def duration(seconds: float) -> str:
    """Return seconds as people read them.

    >>> duration(7.4), duration(75), duration(7300)
    ('7 s', '1:15 min', '2:01 h')
    """
    minutes, whole = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{whole} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02} h" if hours else f"{minutes}:{whole:02} min"


def _epoch_line(progress: Progress) -> str:
    return (
        f"epoch {progress.epoch} of {progress.epochs}: mean loss {progress.epoch_mean_loss:.4f}, "
        f"{progress.words_per_second:,.0f} words/s, {duration(progress.seconds_left)} left"
    )


def _progress_line(progress: Progress) -> str:
    return (
        f"{100 * progress.progress:.0f} %: epoch {progress.epoch} of {progress.epochs}, loss {progress.mean_loss:.4f}, "
        f"{progress.words_per_second:,.0f} words/s, {duration(progress.seconds_left)} left"
    )
