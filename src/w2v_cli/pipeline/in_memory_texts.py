"""Texts that a program holds in memory → a file that training reads like any other."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from w2v_cli.corpus.tokenizer import split_whitespace
from w2v_cli.errors import CorpusError
from w2v_cli.system.files import disk_errors

Texts = Iterable[str] | Iterable[Sequence[str]]


def write_texts(texts: Texts, path: Path) -> bool:
    """Write texts to `path`, one after the other; return whether they come as words rather than as strings.

    A string is a text of one line or more; a list of words is a sentence, and takes a line. Raises CorpusError where
    both kinds are mixed, where something else is among them, and where what should be one word has white space in it.
    """
    if isinstance(texts, str):
        raise CorpusError("texts is one string, and would be read letter by letter: give a list of strings, [text].")
    kinds = set[bool]()
    with disk_errors(path), path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        for place, text in enumerate(texts):
            kinds.add(not isinstance(text, str))
            if len(kinds) > 1:
                raise CorpusError(f"texts[{place}]: strings and lists of words are mixed: give one kind.")
            file.write(text if isinstance(text, str) else _as_line(text, place))
            file.write("\n")
    return kinds == {True}


def _as_line(words: Sequence[str], place: int) -> str:
    """Return a sentence of words as a line that whitespace cuts into the same words."""
    try:
        line = " ".join(words)
    except TypeError as error:
        raise CorpusError(f"texts[{place}] is neither a string nor a list of words, but {words!r:.60}.") from error
    if split_whitespace(line) != list(words):
        wrong = next(word for word in words if split_whitespace(word) != [word])
        raise CorpusError(f"texts[{place}] holds {wrong!r:.60}, which is not one word without white space.")
    return line
