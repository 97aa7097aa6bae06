"""Progress on stderr: a bar where one can be redrawn, a line every few seconds elsewhere, nothing when quiet."""

from w2v_cli.cli import console
from w2v_cli.cli.bars import Display
from w2v_cli.cluster.pool import ClusterJoined, WorkerLost
from w2v_cli.corpus.find import CorpusFound
from w2v_cli.corpus.report import ScanReport
from w2v_cli.datasets import registry
from w2v_cli.evaluation import SetScore
from w2v_cli.humanize import count as _count
from w2v_cli.pipeline.events import (
    CorpusRead,
    CorpusScanned,
    Event,
    TrainingResumed,
    VectorsSaved,
    WordsInitialised,
)
from w2v_cli.training.factory import EngineLoaded
from w2v_cli.training.progress import Progress

_MOST_FILES = 3  # that are named
_DOINGS = {
    registry.Action.KEEP: "kept",
    registry.Action.FETCH: "downloading",
    registry.Action.COPY: "copying",
    registry.Action.WRITE: "taking it out of the installed packages",
    registry.Action.MISS: "left out",
}


class TrainingDisplay(Display):
    """Shows what the pipeline tells; warnings also when quiet."""

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case ClusterJoined() | WorkerLost():
                self.say(_cluster_line(event))
            case CorpusFound():
                self.say(_found_line(event))
            case CorpusRead():
                self.show_bytes_of("reading", event.done_bytes, event.total_bytes)
            case CorpusScanned():
                self.close_bar()
                self._show_corpus(event)
            case EngineLoaded():
                self.say(_engine_line(event))
                if not event.is_compiled:
                    self.say("compiling, once on this machine; this takes some twenty seconds")
            case TrainingResumed() | WordsInitialised():
                self.say(_start_line(event))
            case Progress():
                self._show_progress(event)
            case VectorsSaved():
                self._show_saved(event)

    def _show_corpus(self, event: CorpusScanned) -> None:
        for warning in event.warnings:
            console.warn(warning)
        self.say(_scanned_line(event))
        self.say(_report_line(event.report))

    def _show_saved(self, event: VectorsSaved) -> None:
        self.close_bar()
        if event.epoch < event.last_epoch:
            self.say(f"kept the vectors of epoch {event.epoch}, where the held-out loss was lowest")
        words = _count(event.vocabulary_size, "word")
        self.say(f"wrote {event.path}: {words}, trained in {event.training_seconds:.1f} s")

    def _show_progress(self, progress: Progress) -> None:
        can_redraw = console.can_redraw()
        if can_redraw and not self.is_quiet:
            bar_format = "{percentage:3.0f} % |{bar}| {desc}"
            loss = progress.mean_loss if progress.epoch_mean_loss is None else progress.epoch_mean_loss
            text = f"loss {loss:.3f}, {_pace(progress)}"
            self.move_bar(100 * progress.progress, 100, text, bar_format=bar_format)
        if progress.epoch_mean_loss is not None:
            done = f"epoch {progress.epoch} of {progress.epochs}: mean loss {progress.epoch_mean_loss:.4f}"
            held_out = "" if progress.validation_loss is None else f", held out {progress.validation_loss:.4f}"
            scores = "".join(f", {_score(score)}" for score in progress.scores)
            self.say(f"{done}{held_out}{scores}, {_pace(progress)}")
        elif not can_redraw and self.is_line_due():
            done = f"{100 * progress.progress:.0f} %: epoch {progress.epoch} of {progress.epochs}"
            self.say(f"{done}, loss {progress.mean_loss:.4f}, {_pace(progress)}")


class DownloadDisplay(Display):
    """Shows what a download does, file by file; `missing` are the files that it had to leave out."""

    def __init__(self, *, is_quiet: bool) -> None:
        super().__init__(is_quiet=is_quiet)
        self.missing: list[str] = []
        self._name = ""

    def show_step(self, step: registry.Step) -> None:
        """Say what will be done about a file, and why."""
        self.close_bar()
        self._name = step.name
        if step.action is registry.Action.MISS:
            self.missing.append(step.name)
        origin = step.origin[0] if isinstance(step.origin, tuple) else step.origin
        self.say(f"{step.name}: {step.reason}; {_DOINGS[step.action]}{f' {origin}' if origin else ''}")

    def show_bytes(self, done: int, total: int | None) -> None:
        """Move the bar of the file in hand, or write a line now and then."""
        self.show_bytes_of(self._name, done, total)


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


def _found_line(event: CorpusFound) -> str:
    labels = [source.label for source in event.sources]
    files = ", ".join(labels[:_MOST_FILES]) + (
        f" and {len(labels) - _MOST_FILES:,} more files" * (len(labels) > _MOST_FILES)
    )
    if event.name is None:
        return f"corpus: {files}"
    return f"corpus: {event.name}{' (no corpus was given)' if event.is_default else ''}, {files}"


def _scanned_line(event: CorpusScanned) -> str:
    return (
        f"{_count(event.words, 'word')}, {event.different_words:,} different; "
        f"kept {_count(event.vocabulary_size, 'word')} with {_count(event.kept_words, 'occurrence')}, "
        f"in {event.seconds:.1f} s"
    )


def _cluster_line(event: ClusterJoined | WorkerLost) -> str:
    if isinstance(event, ClusterJoined):
        return f"cluster: {event.label}, {_count(len(event.workers), 'worker')}"
    works = f", which was at {'; '.join(event.works)}: done again" if event.works else ""
    return f"lost the worker {event.worker}{works}"


def _start_line(event: TrainingResumed | WordsInitialised) -> str:
    if isinstance(event, TrainingResumed):
        return f"going on from {event.path}: {100 * event.progress:.0f} % of {_count(event.epochs, 'epoch')} is done"
    return f"{event.matched:,} of {_count(event.words, 'word')} begin with their vectors of {event.name}"


def _report_line(report: ScanReport) -> str:
    parts = ((report.files, "file"), (report.size_bytes, "byte"), (report.sentences, "sentence"))
    read = f"read {', '.join(_count(number, thing) for number, thing in parts if number is not None)}"
    return f"{read}; dropped or odd: {', '.join(report.dropped)}" if report.dropped else read


def _engine_line(event: EngineLoaded) -> str:
    at_work = "" if event.backend == "cupy" else f", {_count(event.threads, 'thread')}"
    if event.blocks_in_flight is not None:
        at_work = f", {_count(event.blocks_in_flight, 'block')} in flight"
    if event.rounds:
        at_work = f", {_count(event.rounds, 'round')} an epoch"
    cure = " (not with --deterministic)" if event.algorithm == "block" and event.backend != "cupy" else ""
    caveat = "" if event.is_reproducible else f"; another run may give slightly other vectors{cure}"
    return f"algorithm: {event.algorithm} on {event.backend}{at_work}{caveat}"


def _score(score: SetScore) -> str:
    """Return a set's score, and what share of the set that is of."""
    value = "no score" if score.score is None else f"{score.score:.3f}"
    return f"{score.name} {value} ({100 * score.coverage:.0f} %)"


def _pace(progress: Progress) -> str:
    if progress.round is not None:
        where = f"round {progress.round} of {progress.rounds} on {_count(progress.workers or 0, 'worker')}, "
    else:
        where = ""
    return where + f"{progress.words_per_second:,.0f} words/s, {duration(progress.seconds_left)} left"
