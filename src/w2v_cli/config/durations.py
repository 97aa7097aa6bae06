"""Times and numbers of words as people write them: `90s`, `10m`, `2h`, `5000000w`."""

import math
import re
from dataclasses import dataclass

NEVER = "never"
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)([smhw])", re.ASCII)


@dataclass(frozen=True)
class Interval:
    """How often something is to happen: after so many seconds, or after so many words; infinity: never."""

    seconds: float = math.inf
    words: float = math.inf


def parse_interval(text: str) -> Interval:
    """Return the interval that `text` means; raise ValueError where it means none.

    >>> parse_interval("10m"), parse_interval("5000000w").words, parse_interval("never").seconds
    (Interval(seconds=600.0, words=inf), 5000000.0, inf)
    """
    if text == NEVER:
        return Interval()
    amount, unit = _parse(text)
    return Interval(words=amount) if unit == "w" else Interval(seconds=amount * _SECONDS[unit])


def parse_seconds(text: str) -> float:
    """Return the seconds that `text` means; raise ValueError where it means none.

    >>> parse_seconds("1.5h")
    5400.0
    """
    amount, unit = _parse(text)
    if unit == "w":
        raise ValueError(f"{text!r} is a number of words, not a time")
    return amount * _SECONDS[unit]


def _parse(text: str) -> tuple[float, str]:
    """Return an amount above zero and its unit."""
    found = _AMOUNT.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ValueError(f"{text!r} is no time")
    return float(found[1]), found[2]
