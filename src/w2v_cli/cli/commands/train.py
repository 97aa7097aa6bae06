"""`w2v train`."""

import dataclasses
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import COMMON, DEFAULT_VECTORS, OUTPUT, JsonOption, QuietOption
from w2v_cli.cli.signals import SignalWatch, Stopped
from w2v_cli.cli.train_options import TrainOptions, with_train_options
from w2v_cli.errors import ConfigError
from w2v_cli.humanize import count, duration, size

if TYPE_CHECKING:
    from w2v_cli.config.resolve import ResolvedConfig
    from w2v_cli.config.schema import Config
    from w2v_cli.pipeline.dry_run import DryRunReport
    from w2v_cli.pipeline.memory import MemoryFound
    from w2v_cli.pipeline.train import TrainingResult


@with_train_options
def train(
    context: typer.Context,
    options: TrainOptions,
    *,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue from the snapshot beside the output, with the same corpus and settings; only --epochs may "
            "be raised.",
            rich_help_panel=COMMON,
        ),
    ] = False,
    discard_snapshot: Annotated[
        bool,
        typer.Option(
            "--discard-snapshot", help="Delete the snapshot once the training is complete.", rich_help_panel=OUTPUT
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='Save a plot of the loss (png, svg, pdf); needs the extra "plot".',
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check everything, estimate memory, disk space and time, and write no vectors."),
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train word vectors on CORPUS.

    \b
    Examples:
      w2v train
      w2v train novels.txt --model skipgram --output novels.safetensors
      w2v train ptb --config book-cbow --plot loss.png
      w2v train novels.txt --epochs 5 --dim 300
      w2v train novels.txt --resume              after Ctrl-C or a crash
      w2v train novels.txt --resume --epochs 30  if 15 were not enough
      w2v train new.txt --init-from w2v.safetensors -o new.safetensors
      w2v train speeches/ plays/*.txt.gz --set corpus.sentences=punctuation
      w2v train tokenised.txt --set corpus.tokens=whitespace
      zstdcat dump.zst | w2v train - --epochs 5 --dim 300
      w2v train novels.txt --evaluate wordsim353 --log run.jsonl
      w2v train novels.txt --dry-run
    """
    if resume and options.overwrites:
        raise ConfigError("--resume continues a training and --overwrite replaces it: use only one of them.")
    resolved = options.resolve(is_resumed=resume)
    if dry_run:
        _run_dry(resolved, plot, is_resumed=resume, is_quiet=quiet, as_json=as_json)
        return
    watch: SignalWatch = context.obj
    from w2v_cli.cli.training_display import TrainingDisplay
    from w2v_cli.datasets.registry import data_folder
    from w2v_cli.pipeline.train import train_vectors
    from w2v_cli.visual import check_plot, curve_of, save_plot

    if plot is not None:
        check_plot(plot, overwrite=resolved.config.output.overwrite or resume)
    with TrainingDisplay(is_quiet=quiet) as display, watch.heeding():
        saved = train_vectors(
            resolved.config,
            data_folder(os.environ),
            display.show,
            resume=resolved.given_keys if resume else None,
            discard_snapshot=discard_snapshot,
            is_stop_wanted=watch.is_stop_wanted,
        )
    if not saved.trained.is_complete:
        what_next = _explain_stop(saved, resolved.config)
        if watch.heeded is not None:
            raise Stopped(watch.heeded, what_next)
        if not quiet:
            console.note(f"Stopped at the time limit. {what_next}")
    if plot is not None:
        save_plot([curve_of(saved.path, saved.trained.reports)], plot, overwrite=True)
    if as_json:
        console.write_json("train", saved.as_json())


def _explain_stop(saved: "TrainingResult", config: "Config") -> str:
    """Return what a training that was stopped has written, and the command that continues it."""
    epochs, done = saved.trained.reports[-1].epochs, saved.trained.progress
    holds = f"{saved.path} holds the vectors after {done * epochs:.1f} of {count(epochs, 'epoch')} ({100 * done:.0f} %)"
    if saved.snapshot is None:
        return f"{holds}; there is no snapshot to resume from."
    source = config.corpus.source or ()
    corpus = [source] if isinstance(source, str) else source
    output = [] if saved.path == DEFAULT_VECTORS else ["--output", str(saved.path)]
    return f"{holds}. To continue: `{shlex.join(['w2v', 'train', *corpus, *output, '--resume'])}`"


def _run_dry(resolved: "ResolvedConfig", plot: Path | None, *, is_resumed: bool, is_quiet: bool, as_json: bool) -> None:
    """Show what the training would take, and what would stop it.

    Raises:
        Exit: with the code of a usage error, if an existing file would stop it.
    """
    from w2v_cli.cli.training_display import TrainingDisplay
    from w2v_cli.datasets.registry import data_folder
    from w2v_cli.pipeline.dry_run import plan_training
    from w2v_cli.system.files import OutputExistsError
    from w2v_cli.visual import check_plot

    refusals: tuple[str, ...] = ()
    if plot is not None:
        try:
            check_plot(plot, overwrite=resolved.config.output.overwrite or is_resumed)
        except OutputExistsError as error:
            refusals = (error.message,)
    with TrainingDisplay(is_quiet=is_quiet) as display:
        resume = resolved.given_keys if is_resumed else None
        report = plan_training(resolved.config, data_folder(os.environ), display.show, resume=resume)
    report = dataclasses.replace(report, refusals=report.refusals + refusals)
    if as_json:
        refusals = tuple(console.as_typed(refusal) for refusal in report.refusals)
        console.write_json("train", report.as_json() | {"refusals": list(refusals)})
    else:
        console.write_text(map(console.printable, _dry_run_lines(report)))
    for refusal in report.refusals:
        console.fail(refusal)
    if report.refusals:
        raise typer.Exit(ConfigError.exit_code)


def _dry_run_lines(report: "DryRunReport") -> list[str]:
    """Return what a training would take, a line per subject."""
    prepared, config, loaded = report.prepared, report.prepared.config, report.prepared.loaded
    corpus, model, training = prepared.identity.corpus, config.model, config.training
    snapshot = f", {size(report.snapshot_bytes)} for the snapshot" if report.snapshot_bytes else ""
    texts = corpus["source"] if isinstance(corpus["source"], str) else ", ".join(corpus["source"])
    done = f", {100 * report.progress:.0f} % of it done" if report.progress else ""
    workers = count(loaded.threads, "worker" if loaded.rounds else "thread")
    engine = f"{loaded.algorithm} algorithm on {loaded.backend}, {workers}"
    negatives = count(config.sampling.negatives, "negative")
    pace = f"estimated from a short trial at {report.speed.words_per_second:,.0f} words/s"
    return [
        f"corpus: {texts}; {count(corpus['files'], 'file')}, {count(corpus['words'], 'word')}",
        f"vocabulary: {count(len(prepared.corpus.vocabulary), 'word')}, which occur {corpus['kept_words']:,} times",
        f"model: {model.model}, {count(model.dim, 'dimension')}, window {model.window}, {negatives}",
        f"training: {count(training.epochs, 'epoch')}{done}, {engine}, learning rate {config.learning_rate:g}",
        f"files: {', '.join(report.files.values())}",
        _memory_line(prepared.memory),
        f"disk: {size(report.vectors_bytes)} for the vectors{snapshot}; {size(report.free_bytes)} free",
        f"time: about {duration(report.seconds)}{_measuring(report)}, {pace}",
    ]


def _memory_line(memory: "MemoryFound") -> str:
    parts = ", ".join(f"{name} {size(part)}" for name, part in memory.need.parts.items())
    available = "" if memory.limit is None else f"; {size(memory.limit.available)} available ({memory.limit.name})"
    return (
        f"memory: {size(memory.peak)} at most, of which training takes {size(memory.need.total)} ({parts}){available}"
    )


def _measuring(report: "DryRunReport") -> str:
    """Return how much of the time validation and evaluation take, if it is a second or more."""
    epochs = (1 - report.progress) * report.prepared.config.training.epochs
    seconds = epochs * report.speed.measure_seconds
    return f" ({duration(seconds)} of it for validation and evaluation)" if seconds >= 1 else ""
