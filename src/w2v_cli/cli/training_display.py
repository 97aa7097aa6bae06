"""The progress of a training on stderr: a bar on a terminal, a line every few seconds elsewhere, nothing if quiet."""

from w2v_cli.cli import console
from w2v_cli.cli.progress import PERCENTAGE_BAR, Display
from w2v_cli.cluster.pool import ClusterJoined, WorkerLost
from w2v_cli.corpus.find import CorpusFound
from w2v_cli.corpus.report import ScanReport
from w2v_cli.evaluation import SetScore
from w2v_cli.humanize import count, duration, size
from w2v_cli.pipeline.events import CorpusRead, CorpusScanned, Event, TrainingResumed, VectorsSaved, WordsInitialised
from w2v_cli.training.factory import EngineLoaded
from w2v_cli.training.progress import Progress

_MOST_FILES = 3  # named in a line


class TrainingDisplay(Display):
    """Shows the events of a training; warnings also if quiet."""

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case ClusterJoined() | WorkerLost():
                self.say(_cluster_line(event))
            case CorpusFound():
                self.say(_found_line(event))
            case CorpusRead():
                self.show_bytes_of("Reading", event.done_bytes, event.total_bytes)
            case CorpusScanned():
                self.close_bar()
                self._show_corpus(event)
            case EngineLoaded():
                self.say(_engine_line(event))
                if not event.is_compiled:
                    self.say("Compiling for this machine (first run only, about 30 s)")
            case TrainingResumed() | WordsInitialised():
                self.say(_start_line(event))
            case Progress():
                self._show_progress(event)
            case VectorsSaved():
                self._show_saved(event)

    def _show_corpus(self, event: CorpusScanned) -> None:
        for notice in event.notices:
            console.warn(notice)
        self.say(_scanned_line(event))
        self.say(_report_line(event.report))

    def _show_saved(self, event: VectorsSaved) -> None:
        self.close_bar()
        if event.epoch < event.last_epoch:
            self.say(f"Kept the vectors of epoch {event.epoch}, which has the lowest held-out loss")
        words = count(event.vocabulary_size, "word")
        self.say(f"Wrote {event.path}: {words}, trained in {_elapsed(event.training_seconds)}")
        if event.is_complete and event.snapshot is not None:
            self.say(f"Kept {event.snapshot} for --resume with more epochs; delete it if you do not need it")

    def _show_progress(self, progress: Progress) -> None:
        can_redraw = console.can_redraw()
        if can_redraw and not self.is_quiet:
            loss = progress.mean_loss if progress.epoch_mean_loss is None else progress.epoch_mean_loss
            text = f"loss {loss:.3f}, {_pace(progress)}"
            self.move_bar(100 * progress.progress, 100, text, bar_format=PERCENTAGE_BAR)
        if progress.epoch_mean_loss is not None:
            done = f"Epoch {progress.epoch} of {progress.epochs}: loss {progress.epoch_mean_loss:.4f}"
            held_out = "" if progress.validation_loss is None else f", held out {progress.validation_loss:.4f}"
            scores = "".join(f", {_score(score)}" for score in progress.scores)
            self.say(f"{done}{held_out}{scores}, {_pace(progress)}")
        elif not can_redraw and self.is_line_due():
            done = f"{100 * progress.progress:.0f} %: epoch {progress.epoch} of {progress.epochs}"
            self.say(f"{done}, loss {progress.mean_loss:.4f}, {_pace(progress)}")


def _found_line(event: CorpusFound) -> str:
    labels = [source.label for source in event.sources]
    more = f" and {len(labels) - _MOST_FILES:,} more files" if len(labels) > _MOST_FILES else ""
    files = ", ".join(labels[:_MOST_FILES]) + more
    if event.name is None:
        return f"Corpus: {files}"
    return f"Corpus: {event.name}{' (the default)' if event.is_default else ''}, {files}"


def _scanned_line(event: CorpusScanned) -> str:
    share = 100 * event.kept_words / max(1, event.words)
    rare = event.report.rare_words
    dropped = f"; {rare:,} rarer than {event.min_count:,} dropped" if rare else ""
    return (
        f"Read {count(event.words, 'word')} in {_elapsed(event.seconds)}. "
        f"Vocabulary: {count(event.vocabulary_size, 'word')} ({share:.1f} % of the text){dropped}"
    )


def _report_line(report: ScanReport) -> str:
    sentences = "" if report.sentences is None else f", {count(report.sentences, 'sentence')}"
    skipped = f"; also: {', '.join(report.dropped)}" if report.dropped else ""
    return f"{count(report.files, 'file')}, {size(report.size_bytes)}{sentences}{skipped}"


def _cluster_line(event: ClusterJoined | WorkerLost) -> str:
    if isinstance(event, ClusterJoined):
        return f"Cluster: {event.label}, {count(len(event.workers), 'worker')}"
    works = f"; repeating its work: {'; '.join(event.works)}" if event.works else ""
    return f"Lost worker {event.worker}{works}"


def _start_line(event: TrainingResumed | WordsInitialised) -> str:
    if isinstance(event, TrainingResumed):
        return f"Resuming from {event.path}: {100 * event.progress:.0f} % of {count(event.epochs, 'epoch')} done"
    return f"Initialised {event.matched:,} of {count(event.words, 'word')} from {event.name}"


def _engine_line(event: EngineLoaded) -> str:
    parallel = "" if event.backend == "cupy" else f", {count(event.threads, 'thread')}"
    if event.blocks_in_flight is not None:
        parallel = f", {count(event.blocks_in_flight, 'block')} in flight"
    if event.rounds:
        parallel = f", {count(event.rounds, 'round')} per epoch"
    cure = "; --deterministic makes them identical" if event.algorithm == "block" and event.backend != "cupy" else ""
    caveat = "" if event.is_reproducible else f". Results vary slightly between runs{cure}"
    return f"Training: {event.algorithm} algorithm on {event.backend}{parallel}{caveat}"


def _elapsed(seconds: float) -> str:
    """Return a time that has passed, with a tenth of a second if it is short."""
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)  # noqa: PLR2004  seconds


def _score(score: SetScore) -> str:
    """Return a set's score, and the share of the set that was asked."""
    value = "no score" if score.score is None else f"{score.score:.3f}"
    return f"{score.name} {value} ({100 * score.coverage:.0f} %)"


def _pace(progress: Progress) -> str:
    where = ""
    if progress.round is not None:
        where = f"round {progress.round} of {progress.rounds} on {count(progress.workers or 0, 'worker')}, "
    return where + f"{progress.words_per_second:,.0f} words/s, {duration(progress.seconds_left)} left"
