"""Numbers of bytes and of things, written for people."""

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size(number: float) -> str:
    """Return a number of bytes in a unit that suits it.

    >>> size(999), size(45_678_901), size(1_234_567_890)
    ('999 bytes', '45.7 MB', '1.2 GB')
    """
    power = 0
    while number >= 1000 and power < len(_UNITS) - 1:  # noqa: PLR2004  of one unit
        number /= 1000
        power += 1
    return f"{number:.1f} {_UNITS[power]}" if power else f"{number:.0f} {_UNITS[0]}"


def count(number: int, thing: str) -> str:
    """Return a number with its noun, in the plural unless it is 1.

    >>> count(1, "file"), count(1000, "word")
    ('1 file', '1,000 words')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a number of seconds as people read it.

    >>> duration(7.4), duration(75), duration(7300)
    ('7 s', '1:15 min', '2:01 h')
    """
    minutes, whole = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{whole} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02} h" if hours else f"{minutes}:{whole:02} min"
