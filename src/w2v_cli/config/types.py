"""What a section of the config is, and what a text in it may be: a file name, a word, a pattern, a time, a cluster."""

import os
import re
import warnings
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from w2v_cli.config.cluster_address import parse_address
from w2v_cli.config.durations import parse_interval, parse_seconds


class Section(BaseModel):
    """What all sections share: exact types, no unknown key, no infinity, no change afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


def _check_path(value: str) -> str:
    """Return `value`; refuse what no file system takes, for open() would fail on it with a traceback."""
    try:
        usable = bool(value) and "\0" not in value and bool(os.fsencode(value))
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise ValueError("must be a usable file name")
    return value


def _check_word(value: str) -> str:
    """Return `value`; refuse what could not stand in a text as one word."""
    if value.split() != [value] or not value.isprintable():
        raise ValueError("must be one word without spaces")
    return value


def _check_sources(value: object) -> object:
    """Return a text, or a tuple of texts; a list of one is that one."""
    texts = [text for text in (value if isinstance(value, list | tuple) else [value]) if isinstance(text, str)]
    if not texts or (isinstance(value, list | tuple) and len(texts) < len(value)):
        raise ValueError("must be text or a list of texts")
    checked = tuple(map(_check_path, texts))
    return checked[0] if len(checked) == 1 else checked


def _check_pattern(value: str) -> str:
    """Return `value`; refuse what is no regular expression of Python's, or cannot be written, with the reason."""
    try:
        value.encode()  # half a surrogate pair, which an argument that is no UTF-8 brings
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of what a later Python will read otherwise
            re.compile(value)
    except (re.error, UnicodeEncodeError, OverflowError, RecursionError, Warning) as error:
        raise ValueError(f"must be a regular expression ({error})") from error
    return value


def _as_names(value: object) -> object:
    """Return a tuple for a list, as YAML and JSON have it, and for text with commas between names, as in a shell."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return tuple(value) if isinstance(value, list) else value


def _check_interval(value: object) -> object:
    """Return `value`; refuse what is neither a time nor a number of words nor `never`, a bare number included."""
    try:
        parse_interval(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be a time such as 90s, 10m or 2h, or words such as 5000000w, or never") from None
    return value


def _check_time(value: object) -> object:
    """Return `value`; refuse what is no time, a number without its unit included."""
    try:
        parse_seconds(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be a time such as 90s, 30m or 2h") from None
    return value


def _check_cluster(value: object) -> object:
    """Return `value`; refuse what names no cluster."""
    try:
        parse_address(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            "must be local:N (workers here), tcp://HOST:PORT, tls://HOST:PORT or a scheduler's file.json"
        ) from None
    return value


FileName = Annotated[str, AfterValidator(_check_path)]
FileNames = Annotated[tuple[FileName, ...], BeforeValidator(_as_names)]
Word = Annotated[str, AfterValidator(_check_word)]
TextSources = Annotated[str | tuple[str, ...], BeforeValidator(_check_sources)]
Pattern = Annotated[str, AfterValidator(_check_pattern)]
Interval = Annotated[str, BeforeValidator(_check_interval)]
Time = Annotated[str, BeforeValidator(_check_time)]
Cluster = Annotated[str, BeforeValidator(_check_cluster)]
