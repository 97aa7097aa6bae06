"""Words with characters that a format cannot hold, written as escapes and read back."""

import re

_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


def escape(word: str, separators: str) -> str:
    r"""Return `word` with each of `separators` (ASCII) as \xHH, and backslashes doubled, so that `unescape` is exact.

    >>> print(escape("new york", " "), escape("C:\\", " "))
    new\x20york C:\\
    """
    for character in ("\\", *separators):
        word = word.replace(character, "\\\\" if character == "\\" else f"\\x{ord(character):02x}")
    return word


def unescape(word: str) -> str:
    r"""Return the word that `escape` was given; a backslash that begins no escape stays.

    >>> unescape("new\\x20york")
    'new york'
    """
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", word)
