"""`w2v phrases`."""

import contextlib
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from w2v_cli.cli import console
from w2v_cli.cli.completion import complete_config, complete_corpus, complete_setting
from w2v_cli.cli.options import JsonOption, QuietOption
from w2v_cli.cli.phrase_display import iterate_rows, show, summary
from w2v_cli.cli.train_options import resolve
from w2v_cli.errors import ConfigError
from w2v_cli.humanize import count
from w2v_cli.system.machine import available_cores

if TYPE_CHECKING:
    from w2v_cli.config.schema import Config
    from w2v_cli.corpus.phrases.phrases import JoinedText, PhraseRules
    from w2v_cli.corpus.scan import ScanResult

_STDOUT = "-"
_ENGLISH = "english"


def phrases(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts as for `w2v train`: files, folders, patterns, URLs, - for stdin; or a corpus name.",
            autocompletion=complete_corpus,
        ),
    ] = None,
    *,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where the joined text goes; -: to stdout.  [default: none, the phrases are shown]",
        ),
    ] = None,
    score: Annotated[
        Literal["word2phrase", "npmi"],
        typer.Option(
            help="word2phrase: (pair - min_count) / (first * last) * words (Mikolov et al. 2013); npmi: normalised "
            "pointwise mutual information, -1 to 1 (Bouma 2009)."
        ),
    ] = "word2phrase",
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="Pairs that score above it are joined.  [default: 100; npmi: 0.5]", show_default=False
        ),
    ] = None,
    min_count: Annotated[
        str | None, typer.Option(metavar="N", help="Pairs that occur less often are not joined. [5]")
    ] = None,
    passes: Annotated[
        int, typer.Option(min=1, max=100, metavar="N", help="2 joins up to four words, 3 up to eight, …")
    ] = 1,
    delimiter: Annotated[str, typer.Option(metavar="TEXT", help="Stands between joined words.")] = "_",
    connectors: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help='Words that a phrase may hold inside, as bank_of_america: "of,the,and"; english: fifteen of them.',
        ),
    ] = None,
    list_: Annotated[
        Path | None,
        typer.Option("--list", metavar="FILE", help="Write the phrases, their scores and counts, tab-separated."),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="A YAML config; its section corpus counts.", autocompletion=complete_config
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting, as corpus.tokens=whitespace.",
            autocompletion=complete_setting,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Join words of CORPUS that belong together: new york becomes new_york.

    \b
    Examples:
      w2v phrases novels.txt                          shows them, the best first
      w2v phrases novels.txt -o joined.txt
      w2v train joined.txt --set corpus.tokens=whitespace --output joined.safetensors
      w2v phrases novels.txt -o joined.txt --passes 2 --connectors english
      w2v phrases novels.txt --score npmi --threshold 0.7 > phrases.tsv
      zstdcat dump.zst | w2v phrases - -o - --list phrases.tsv | zstd > joined.zst
    """
    if output == _STDOUT and as_json:
        raise ConfigError("--output - and --json both want stdout: name a file with --output.")
    from w2v_cli.config.layers import read_value  # noqa: PLC0415  pydantic is not needed for --help

    least = None if min_count is None else read_value(min_count)
    given = {"corpus.source": ("CORPUS", corpus or None), "corpus.min_count": ("--min-count", least)}
    settings = resolve(given, set_, config).config
    rules = _rules(score, threshold, settings.corpus.min_count, passes, delimiter, connectors)
    path = None if output in {None, _STDOUT} else Path(str(output))
    files = [file for file in (path, list_) if file is not None]
    _check_files(files, overwrite=overwrite)
    scanned = _scan(settings, files, is_quiet=quiet)
    threads = settings.training.threads or available_cores()
    joined = _join(scanned, rules, threads, is_quiet=quiet)
    _write(joined, path, list_, threads, overwrite=overwrite)
    if output == _STDOUT:
        for block in joined.iterate_blocks(threads=threads):
            console.write_bytes(block)
    if path is not None and not quiet:
        console.note(f"wrote {path}; train on it with: w2v train {path} --set corpus.tokens=whitespace --output …")
    if as_json:
        console.write_json("phrases", summary(scanned.corpus, joined, rules, path))
    elif output is None:
        show(joined.phrases)


def _rules(
    score: Literal["word2phrase", "npmi"],
    threshold: float | None,
    min_count: int,
    passes: int,
    delimiter: str,
    connectors: str | None,
) -> "PhraseRules":
    """Return what is to be joined; raise ConfigError for a number or a delimiter that makes no sense."""
    from w2v_cli.corpus.phrases.phrases import DEFAULT_THRESHOLDS, ENGLISH_CONNECTORS, PhraseRules  # noqa: PLC0415  as above

    if threshold is None:
        threshold = DEFAULT_THRESHOLDS[score]
    least, most = (-1.0, 1.0) if score == "npmi" else (0.0, math.inf)
    if not least <= threshold <= most or math.isinf(threshold):
        allowed = "from -1 to 1" if score == "npmi" else "0 or more"
        raise ConfigError(f"--threshold {threshold:g} is no threshold for {score}: give a number {allowed}.")
    if not delimiter or delimiter != "".join(delimiter.split()):
        raise ConfigError(f"--delimiter {delimiter!r} would not keep words together: give characters without spaces.")
    if connectors == _ENGLISH:
        return PhraseRules(score, threshold, min_count, passes, delimiter, ENGLISH_CONNECTORS)
    words = frozenset(word.strip() for word in (connectors or "").split(",")) - {""}
    return PhraseRules(score, threshold, min_count, passes, delimiter, words)


def _check_files(files: list[Path], *, overwrite: bool) -> None:
    """Raise what stands against writing the files, before the text is read."""
    from w2v_cli.system import files as files_module  # noqa: PLC0415  as above

    if len(files) != len({file.absolute() for file in files}):
        raise ConfigError(f"--output and --list are one file, {files[0]}: name two.")
    for file in files:
        files_module.check_output(file, overwrite=overwrite)


def _scan(config: "Config", files: list[Path], *, is_quiet: bool) -> "ScanResult":
    """Return the text, telling what was read."""
    from w2v_cli.cli.progress import TrainingDisplay  # noqa: PLC0415
    from w2v_cli.corpus.find import find_corpus  # noqa: PLC0415
    from w2v_cli.corpus.phrases.phrases import corpus_settings  # noqa: PLC0415
    from w2v_cli.datasets import registry  # noqa: PLC0415  as above
    from w2v_cli.pipeline.prepare import scan_found  # noqa: PLC0415
    from w2v_cli.system import files as files_module  # noqa: PLC0415  as above

    with TrainingDisplay(is_quiet=is_quiet) as display:
        found = find_corpus(config.corpus.source, registry.data_folder(os.environ))
        for file in files:
            files_module.refuse_input(file, (source.place for source in found.sources))
        display.show(found)
        beside = files[0] if files else None
        settings, threads = corpus_settings(config.corpus), config.training.threads
        return scan_found(found, settings, threads, display.show, beside=beside)


def _join(scanned: "ScanResult", rules: "PhraseRules", threads: int, *, is_quiet: bool) -> "JoinedText":
    """Return the joined text, telling of each pass."""
    from w2v_cli.corpus.phrases.phrases import PassDone, join_phrases  # noqa: PLC0415  as above

    def tell(done: PassDone) -> None:
        if not is_quiet:
            console.note(
                f"pass {done.number_of_pass} of {rules.passes}: {count(done.phrases, 'phrase')} with {rules.score} "
                f"over {rules.threshold:g}, joined in {count(done.joins, 'place')}; {count(done.words, 'word')} left"
            )

    return join_phrases(scanned, rules, tell, threads=threads)


def _write(joined: "JoinedText", path: Path | None, list_: Path | None, threads: int, *, overwrite: bool) -> None:
    """Write the text and the list, whole or not at all."""
    from w2v_cli.system.compression import compressed_write  # noqa: PLC0415  as above

    with contextlib.ExitStack() as files:
        if list_ is not None:
            file = files.enter_context(compressed_write(list_, overwrite=overwrite))
            for line in iterate_rows(joined.phrases):
                file.write(f"{line}\n".encode())
        if path is not None:
            file = files.enter_context(compressed_write(path, overwrite=overwrite))
            for block in joined.iterate_blocks(threads=threads):
                file.write(block)
