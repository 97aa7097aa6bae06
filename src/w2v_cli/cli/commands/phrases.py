"""`w2v phrases`."""

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.completion import complete_config, complete_corpus, complete_setting
from w2v_cli.cli.options import JsonOption, QuietOption
from w2v_cli.cli.train_options import resolve
from w2v_cli.errors import ConfigError
from w2v_cli.humanize import count
from w2v_cli.system.machine import available_cores

if TYPE_CHECKING:
    from w2v_cli.config.schema import Config
    from w2v_cli.corpus.phrases.phrases import JoinedText, Phrase, PhraseRules
    from w2v_cli.corpus.scan import ScannedCorpus, ScanResult

_STDOUT = "-"
_ENGLISH = "english"


def phrases(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CORPUS",
            help="Texts, as for `w2v train`: files, folders, patterns or URLs; - for stdin; or a corpus name.",
            show_default="ptb if downloaded, else demo",
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
            help="Write the text with joined phrases; - for stdout. Without it, the phrases are shown.",
        ),
    ] = None,
    score: Annotated[
        Literal["word2phrase", "npmi"],
        typer.Option(
            metavar="word2phrase|npmi",
            help="word2phrase: (pair - min_count) / (first * last) * words (Mikolov et al. 2013); npmi: normalised "
            "pointwise mutual information, -1 to 1 (Bouma 2009).",
        ),
    ] = "word2phrase",
    threshold: Annotated[
        float | None,
        typer.Option(metavar="X", help="Join pairs with a higher score.", show_default="100, or 0.5 for npmi"),
    ] = None,
    min_count: Annotated[
        str | None, typer.Option(metavar="N", help="Join only pairs that occur at least N times.", show_default="5")
    ] = None,
    passes: Annotated[
        int, typer.Option(min=1, max=100, metavar="N", help="Number of passes: 2 join up to four words, 3 up to eight.")
    ] = 1,
    delimiter: Annotated[str, typer.Option(metavar="TEXT", help="Text between joined words.")] = "_",
    connectors: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help='Words allowed inside a phrase, as "of,the,and" for bank_of_america; english: fifteen common ones.',
        ),
    ] = None,
    list_: Annotated[
        Path | None,
        typer.Option("--list", metavar="FILE", help="Write the phrases with scores and counts, tab-separated."),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="A YAML config; only its corpus section is used.", autocompletion=complete_config
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set any corpus setting, for example corpus.tokens=whitespace; repeat for several.",
            autocompletion=complete_setting,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find phrases and join their words: new york to new_york.

    \b
    Examples:
      w2v phrases novels.txt                          shows the phrases, best first
      w2v phrases novels.txt -o joined.txt
      w2v train joined.txt --set corpus.tokens=whitespace --output joined.safetensors
      w2v phrases novels.txt -o joined.txt --passes 2 --connectors english
      w2v phrases novels.txt --score npmi --threshold 0.7 > phrases.tsv
      zstdcat dump.zst | w2v phrases - -o - --list phrases.tsv | zstd > joined.zst
    """
    if output == _STDOUT and as_json:
        raise ConfigError("--output - and --json both write to stdout: pass a file with --output.")
    from w2v_cli.config.layers import read_value

    least = None if min_count is None else read_value(min_count)
    options = {"corpus.source": ("CORPUS", corpus or None), "corpus.min_count": ("--min-count", least)}
    given = {key: option for key, option in options.items() if option[1] is not None}
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
        console.note(f"Wrote {path}. To train on it: `w2v train {path} --set corpus.tokens=whitespace`")
    if as_json:
        console.write_json("phrases", _summary(scanned.corpus, joined, rules, path))
    elif output is None:
        _show(joined.phrases)


def _rules(
    score: Literal["word2phrase", "npmi"],
    threshold: float | None,
    min_count: int,
    passes: int,
    delimiter: str,
    connectors: str | None,
) -> "PhraseRules":
    """Return the rules that the options give; raise ConfigError for a wrong threshold or delimiter."""
    from w2v_cli.corpus.phrases.phrases import DEFAULT_THRESHOLDS, ENGLISH_CONNECTORS, PhraseRules

    if threshold is None:
        threshold = DEFAULT_THRESHOLDS[score]
    least, most = (-1.0, 1.0) if score == "npmi" else (0.0, math.inf)
    if not least <= threshold <= most or math.isinf(threshold):
        allowed = "from -1 to 1" if score == "npmi" else "0 or more"
        raise ConfigError(f"--threshold must be {allowed} for {score}, was {threshold:g}.")
    if not delimiter or delimiter != "".join(delimiter.split()):
        raise ConfigError(f"--delimiter must be characters without spaces, was {delimiter!r}.")
    if connectors == _ENGLISH:
        return PhraseRules(score, threshold, min_count, passes, delimiter, ENGLISH_CONNECTORS)
    words = frozenset(word.strip() for word in (connectors or "").split(",")) - {""}
    return PhraseRules(score, threshold, min_count, passes, delimiter, words)


def _check_files(files: list[Path], *, overwrite: bool) -> None:
    """Raise what prevents writing the files, before the text is read."""
    from w2v_cli.system.files import check_output

    if len(files) != len({file.absolute() for file in files}):
        raise ConfigError(f"--output and --list are the same file, {files[0]}: pass two files.")
    for file in files:
        check_output(file, overwrite=overwrite)


def _scan(config: "Config", files: list[Path], *, is_quiet: bool) -> "ScanResult":
    """Read the text and return it, with progress on stderr."""
    from w2v_cli.cli.training_display import TrainingDisplay
    from w2v_cli.corpus.find import find_corpus
    from w2v_cli.corpus.phrases.phrases import corpus_settings
    from w2v_cli.datasets.registry import data_folder
    from w2v_cli.pipeline.prepare import scan_found
    from w2v_cli.system.files import refuse_input

    with TrainingDisplay(is_quiet=is_quiet) as display:
        found = find_corpus(config.corpus.source, data_folder(os.environ))
        for file in files:
            refuse_input(file, (source.place for source in found.sources))
        display.show(found)
        beside = files[0] if files else None
        settings, threads = corpus_settings(config.corpus), config.training.threads
        return scan_found(found, settings, threads, display.show, beside=beside)


def _join(scanned: "ScanResult", rules: "PhraseRules", threads: int, *, is_quiet: bool) -> "JoinedText":
    """Join the text and return it, with a line on stderr for each pass."""
    from w2v_cli.corpus.phrases.phrases import PassDone, join_phrases

    def show(done: PassDone) -> None:
        if not is_quiet:
            console.note(
                f"Pass {done.number_of_pass} of {rules.passes}: {count(done.phrases, 'phrase')} above {rules.score} "
                f"{rules.threshold:g}, joined in {count(done.joins, 'place')}; {count(done.words, 'word')} remain"
            )

    return join_phrases(scanned, rules, show, threads=threads)


def _write(joined: "JoinedText", path: Path | None, list_: Path | None, threads: int, *, overwrite: bool) -> None:
    """Write the text and the list, each completely or not at all."""
    from w2v_cli.system.compression import compressed_write

    with contextlib.ExitStack() as files:
        if list_ is not None:
            file = files.enter_context(compressed_write(list_, overwrite=overwrite))
            for line in _iterate_rows(joined.phrases):
                file.write(f"{line}\n".encode())
        if path is not None:
            file = files.enter_context(compressed_write(path, overwrite=overwrite))
            for block in joined.iterate_blocks(threads=threads):
                file.write(block)


def _iterate_rows(found: list["Phrase"]) -> Iterator[str]:
    """Yield phrase, score, count and the counts of its first and last word, tab-separated."""
    for phrase in found:
        yield tables.tabbed(phrase.text, f"{phrase.score:.4f}", phrase.count, phrase.first_count, phrase.last_count)


def _show(found: list["Phrase"]) -> None:
    """Write the phrases to stdout: aligned under a heading on a terminal, tab-separated otherwise."""
    if not found:
        console.note("No pair scores above the threshold: lower --threshold or --min-count.")
    elif not sys.stdout.isatty():
        console.write("\n".join(_iterate_rows(found)))
    else:
        rows = [(phrase.text, f"{phrase.score:12.4f}  {phrase.count:9,}") for phrase in found]
        longest = max(console.cell_width(console.printable(text)) for text, _ in rows)
        console.note(f"{'phrase':<{longest}}  {'score':>12}  {'count':>9}")
        console.write("\n".join(tables.aligned(rows)))


def _summary(scanned: "ScannedCorpus", joined: "JoinedText", rules: "PhraseRules", path: Path | None) -> dict[str, Any]:
    """Return the JSON of a run."""
    return {
        "output": None if path is None else str(path),
        "score": rules.score,
        "threshold": rules.threshold,
        "min_count": rules.min_count,
        "corpus": scanned.report.as_json(),
        "joins": joined.joins,
        "words": len(joined.word_ids),
        "phrases": [phrase.as_json() for phrase in joined.phrases],
    }
