"""The ends of sentences, by punctuation.

A sentence ends with a stretch whose last character, closing quotes and brackets aside, is one of ENDS. It does not end
after the full stop of an initial or a title: a single letter, or one of TITLES, at the start of the stretch or after a
full stop or an opening bracket or quote (J. e.g. U.S. Mr. (Dr.). In writing without spaces, 。！？｡ end it anywhere.
"""

import re
import unicodedata
from collections.abc import Iterator

# Unicode's Sentence_Terminal of living scripts, and the ellipsis.
ENDS = (
    ".!?…‼‽⁇⁈⁉。．｡！？﹒﹖﹗"  # Latin, Greek, Cyrillic; Chinese, Japanese, Korean
    "؟۔܀܁܂"  # Arabic, Urdu, Syriac
    "।॥၊။።፧፨។៕։᙮᠃᠉"  # scripts of India; Burmese, Ethiopic, Khmer, Armenian, Canadian, Mongolian
)
TITLES = (
    *("mr", "mrs", "ms", "dr", "st", "messrs", "mme", "mlle", "prof", "rev", "hon", "vs"),
    *("capt", "col", "gen", "lt", "sgt", "gov", "sen"),
)
_WIDE_ENDS = re.compile("[。！？｡]+")


def is_closer(character: str) -> bool:
    """Return whether a character may stand between a sentence's end and the white space: quotes, brackets, * and _."""
    return character in "\"'*_" or unicodedata.category(character) in {"Pe", "Pf", "Pi"}


def is_opener(character: str) -> bool:
    """Return whether an abbreviation may follow a character."""
    return character in '."' or unicodedata.category(character) in {"Ps", "Pi"}


def ends_sentence(stretch: str) -> bool:
    """Return whether a sentence ends with a stretch.

    >>> [ends_sentence(stretch) for stretch in ("sea.”", "sea,", "Mr.", "U.S.", "(?!)")]
    [True, False, False, False, True]
    """
    end = len(stretch)
    if stretch[-1:].isalnum():  # as most end
        return False
    while end and is_closer(stretch[end - 1]):
        end -= 1
    if end == 0 or stretch[end - 1] not in ENDS:
        return False
    return stretch[end - 1] != "." or not _is_abbreviation(stretch[: end - 1])


def _is_abbreviation(text: str) -> bool:
    """Return whether a full stop after this text belongs to its last word."""
    begin = len(text)
    while begin and text[begin - 1].isalpha():
        begin -= 1
    if begin and not is_opener(text[begin - 1]):
        return False
    word = text[begin:].lower()
    return len(text) - begin == 1 or word in TITLES


def cut_sentences(stretch: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a stretch, and whether a sentence ends with each.

    >>> list(cut_sentences("好。我们走！x"))
    [('好。', True), ('我们走！', True), ('x', False)]
    """
    begin = 0
    for match in _WIDE_ENDS.finditer(stretch):
        end = match.end()
        while end < len(stretch) and is_closer(stretch[end]):
            end += 1
        yield stretch[begin:end], True
        begin = end
    if begin < len(stretch):
        yield stretch[begin:], ends_sentence(stretch[begin:])
