"""Phrases as rows, as a table on a terminal, and as JSON."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2v_cli.cli import console

if TYPE_CHECKING:
    from w2v_cli.corpus.phrases.phrases import JoinedText, Phrase, PhraseRules
    from w2v_cli.corpus.scan import ScannedCorpus


def iterate_rows(found: list["Phrase"]) -> Iterator[str]:
    """Yield phrase, score, count and the counts of its first and last word, tab-separated."""
    for phrase in found:
        yield console.tabbed(phrase.text, f"{phrase.score:.4f}", phrase.count, phrase.first_count, phrase.last_count)


def show(found: list["Phrase"]) -> None:
    """Write the phrases to stdout: aligned under a heading on a terminal, tab-separated otherwise."""
    if not found:
        console.note("no pair scores above the threshold: lower --threshold or --min-count.")
    elif not sys.stdout.isatty():
        console.write("\n".join(iterate_rows(found)))
    else:
        rows = [(phrase.text, f"{phrase.score:12.4f}  {phrase.count:9,}") for phrase in found]
        longest = max(console.width(console.printable(text)) for text, _ in rows)
        console.note(f"{'phrase':<{longest}}  {'score':>12}  {'count':>9}")
        console.write("\n".join(console.aligned(rows)))


def summary(scanned: "ScannedCorpus", joined: "JoinedText", rules: "PhraseRules", path: Path | None) -> dict[str, Any]:
    """Return what --json says."""
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
