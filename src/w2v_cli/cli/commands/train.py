"""`w2v train`."""

import dataclasses
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonOption, QuietOption, with_setting_options
from w2v_cli.cli.signals import SignalWatch, Stopped
from w2v_cli.cli.train_options import (
    ConfigOption,
    CorpusArgument,
    DeterministicOption,
    EvaluateOption,
    GpuOption,
    LogOption,
    OutputOption,
    OverwriteOption,
    SetOption,
    resolve_training,
)
from w2v_cli.errors import ConfigError
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from w2v_cli.config.resolve import ResolvedConfig
    from w2v_cli.config.schema import Config
    from w2v_cli.pipeline.train import TrainingResult


@with_setting_options
def train(
    context: typer.Context,
    corpus: CorpusArgument = None,
    *,
    gpu: GpuOption = False,
    deterministic: DeterministicOption = False,
    config: ConfigOption = None,
    set_: SetOption = None,
    output: OutputOption = None,
    overwrite: OverwriteOption = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from the snapshot beside the output, with its settings. --epochs is the one that may be given "
            "anew, and larger: the learning rate then follows the new total. Another corpus, or any other setting that "
            "differs, is refused.",
        ),
    ] = False,
    discard_snapshot: Annotated[
        bool, typer.Option("--discard-snapshot", help="Remove the snapshot when the training is complete.")
    ] = False,
    evaluate: EvaluateOption = None,
    log: LogOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check everything, say what memory, disk and time it takes, and write nothing."),
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help='Draw the loss (png, svg, pdf); needs the extra "plot".')
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    **settings: str | None,
) -> None:
    """Train word vectors on CORPUS.

    \b
    Examples:
      w2v train
      w2v train novels.txt --model skipgram --output novels.safetensors
      w2v train ptb --config book-cbow --plot loss.png
      w2v train novels.txt --epochs 5 --dim 300 --set training.batch_size=256
      w2v train novels.txt --resume                   after Ctrl-C, a crash or --time-limit
      w2v train novels.txt --resume --epochs 30       when 15 were not enough
      w2v train new.txt --init-from w2v.safetensors --output new.safetensors
      w2v train speeches/ plays/*.txt.gz --set corpus.sentences=punctuation
      zstdcat dump.zst | w2v train - --epochs 5 --dim 300
      w2v train novels.txt --evaluate wordsim353 --log run.jsonl
      w2v train novels.txt --dry-run
    """
    if resume and overwrite:
        raise ConfigError("--resume goes on with a training and --overwrite begins anew: give one of them.")
    resolved = resolve_training(
        settings,
        set_,
        config,
        corpus=corpus,
        gpu=gpu,
        deterministic=deterministic,
        output=output,
        overwrite=overwrite,
        evaluate=evaluate,
        log=log,
        is_resumed=resume,
    )
    if dry_run:
        _rehearse(resolved, plot, is_resumed=resume, is_quiet=quiet, as_json=as_json)
        return
    watch: SignalWatch = context.obj
    from w2v_cli.cli.progress import TrainingDisplay  # noqa: PLC0415
    from w2v_cli.datasets import registry  # noqa: PLC0415  NumPy and Numba are not needed for --help
    from w2v_cli.pipeline import train as train_module  # noqa: PLC0415  NumPy and Numba are not needed for --help
    from w2v_cli.visual import check_plot, curve_of, save_plot  # noqa: PLC0415  NumPy is not needed for --help

    if plot is not None:
        check_plot(plot, overwrite=resolved.config.output.overwrite or resume)
    with TrainingDisplay(is_quiet=quiet) as display, watch.heeding():
        saved = train_module.train_vectors(
            resolved.config,
            registry.data_folder(os.environ),
            display.show,
            resume=resolved.given_keys if resume else None,
            discard_snapshot=discard_snapshot,
            is_stop_wanted=watch.is_stop_wanted,
        )
    if not saved.trained.is_complete:
        how_to_go_on = _explain_stop(saved, resolved.config)
        if watch.heeded is not None:
            raise Stopped(watch.heeded, how_to_go_on)
        if not quiet:
            console.note(f"stopped at the time limit. {how_to_go_on}")
    if plot is not None:
        save_plot([curve_of(saved.path, saved.trained.reports)], plot, overwrite=True)
    if as_json:
        console.write_json("train", saved.as_json())


def _rehearse(
    resolved: "ResolvedConfig", plot: Path | None, *, is_resumed: bool, is_quiet: bool, as_json: bool
) -> None:
    """Do what comes before a training, and show the plan of it; an output that exists is told, with exit code 2."""
    from w2v_cli.cli.plan import show_plan  # noqa: PLC0415
    from w2v_cli.cli.progress import TrainingDisplay  # noqa: PLC0415
    from w2v_cli.datasets import registry  # noqa: PLC0415  NumPy is not needed for --help
    from w2v_cli.pipeline import dry_run as dry_run_module  # noqa: PLC0415  NumPy is not needed for --help
    from w2v_cli.system import files  # noqa: PLC0415  NumPy is not needed for --help
    from w2v_cli.visual import check_plot  # noqa: PLC0415  NumPy is not needed for --help

    refusals: tuple[str, ...] = ()
    if plot is not None:
        try:
            check_plot(plot, overwrite=resolved.config.output.overwrite or is_resumed)
        except files.OutputExistsError as error:
            refusals = (error.message,)
    with TrainingDisplay(is_quiet=is_quiet) as display:
        folder, given = registry.data_folder(os.environ), resolved.given_keys
        plan = dry_run_module.plan_training(resolved.config, folder, display.show, resume=given if is_resumed else None)
    plan = dataclasses.replace(plan, refusals=plan.refusals + refusals)
    show_plan(plan, as_json=as_json)
    if plan.refusals:
        raise typer.Exit(ConfigError.exit_code)


def _explain_stop(saved: "TrainingResult", config: "Config") -> str:
    """Return what there is of a training that was stopped, and the command that goes on with it."""
    epochs, done = saved.trained.reports[-1].epochs, saved.trained.progress
    holds = f"{saved.path} holds the vectors after {done * epochs:.1f} of {count(epochs, 'epoch')} ({100 * done:.0f} %)"
    if saved.snapshot is None:
        return f"{holds}; there is no snapshot to go on from."
    source = config.corpus.source or ()
    corpus = [source] if isinstance(source, str) else source
    output = [] if saved.path == DEFAULT_VECTORS else ["--output", str(saved.path)]
    return f"{holds}. Go on with: {shlex.join(['w2v', 'train', *corpus, *output, '--resume'])}"
