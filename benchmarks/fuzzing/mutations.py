"""Bytes, JSON values and lines, changed at random as a damaged disk, a bad copy or an attacker would."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

MOST_BYTES = 1 << 20
_BLOWN_UP_BYTES = 1 << 18
_BORDERS = (0, 1, 2, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, *(2**31 + i for i in (-1, 0, 1)))
_WIDE_BORDERS = (2**32 - 1, 2**32, 2**40, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
_CHARACTERS = (
    *("\0", "\r", "\r\n", "\n", "\n\n", "\t", "\x0b", "\x0c", "\x1a", "\x1c", "\x7f", "\x85", "\xa0", "\xad"),
    *("\u0300", "\u0345", "\u0316\u0300" * 9, "\u1100\u1161\u11a8", "\u200b", "\u2028", "\u202e", "\ufb01", "\u0130"),
    *("\ufeff", "\ufffd", "\uffff", "\U0001f469\u200d\U0001f680", "\U000e0001", "\U0010ffff", "ß", "İ", "ﷺ", "’", "'"),
    *(
        "。",
        "!?",
        "...",
        "Mr.",
        "U.S.",
        "<eos>",
        "<unk>",
        "#",
        ":",
        ": ",
        "{",
        "}",
        "[",
        "]",
        '"',
        "&a",
        "*a",
        "!!",
        "%",
    ),
    *("NaN", "-0", "1e400", "0x7fffffffffffffff", "9" * 30, "9" * 5000, "1_000", "٣", "²", "½", "\ud800"),
)
TOKENS = (
    *tuple(text.encode("utf-8", "surrogatepass") for text in _CHARACTERS),
    *(b"\xff\xfe", b"\xfe\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8", b"\xe2\x82", b"\x80"),
)
_DEEP = "in place of this text dump_json writes something deep"
_NESTS = (
    "[" * 400 + "]" * 400,
    '{"a":' * 400 + "0" + "}" * 400,
    '[{"a":' * 30 + "[]" + "}]" * 30,
    "[" * 100_000,
    "9" * 5000,
)
JSON_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 0.0, 1.0, -0.5, 2**31, 2**63, -(2**63) - 1, 10**30, 1e308, 5e-324),
    *(float("nan"), float("inf"), "", "x", "1", "é", "\0", "\n", "\ud800", "a" * 5000, [], {}, [[]], [0], {"": 0}),
    *(_DEEP, _DEEP, [1, 2, 3], ["a", "b"], {"a": {"b": {"c": []}}}, "F16", "I64", "../../x", "/", "-", "never", "3s"),
)


def mutate(rng: random.Random, data: bytes, tokens: Sequence[bytes] = TOKENS) -> bytes:
    """Return `data` after one or a few changes, at most MOST_BYTES of it; tokens: what may be put in."""
    changed = bytearray(data)
    for _ in range(_few(rng)):
        rng.choice(_CHANGES)(rng, changed, tokens)
        del changed[MOST_BYTES:]
    return bytes(changed)


def chance(rng: random.Random, share: float) -> bool:
    """Return True in a share of the calls."""
    return rng.random() < share


def random_bytes(rng: random.Random, most: int = 300) -> bytes:
    """Return bytes of no meaning: evenly drawn, or of few different values."""
    size = rng.randrange(most)
    if chance(rng, 0.5):
        return rng.randbytes(size)
    return bytes(rng.choices(rng.randbytes(4), k=size))


def random_text(rng: random.Random, words: Sequence[bytes], most: int = 60) -> bytes:
    """Return words, with odd tokens among them, and whatever may stand between words."""
    spaces = (b" ", b" ", b" ", b"\n", b"\n\n", b"\r\n", b"\t", b"", b"\n\n\n")
    oddness = rng.choice((0, 0.02, 0.2))
    parts = []
    for _ in range(rng.randrange(most)):
        parts.append(rng.choice(TOKENS if chance(rng, oddness) else words))
        parts.append(rng.choice(spaces))
    return b"".join(parts)


def mutate_json(rng: random.Random, value: Any) -> Any:
    """Return a copy of a JSON value in which one or a few things are other ones."""
    holder = [copy.deepcopy(value)]
    for _ in range(_few(rng)):
        container, key = _choose_place(rng, holder)
        _change_item(rng, container, key)
    return holder[0]


def dump_json(rng: random.Random, value: Any) -> bytes:
    """Return JSON of a value, sometimes with its own kind of damage: nested too deep, a number too long, cut off."""
    written = json.dumps(value, ensure_ascii=chance(rng, 0.8)).replace(f'"{_DEEP}"', rng.choice(_NESTS))
    text = written.encode("utf-8", "surrogatepass")
    if chance(rng, 0.05):
        odd = rng.choice(
            (b"[" * 100_000, b"[" * 900 + b"]" * 900, b'{"a":' * 5000, b"9" * 5000, b"-", b"1e999", b"\xff")
        )
        at = rng.choice([place for place, byte in enumerate(text) if byte in b":,["] or [0])
        text = text[: at + 1] + odd + text[at + 1 :]
    return text


def _few(rng: random.Random) -> int:
    """Return 1 mostly, sometimes more."""
    return 1 + min(int(rng.expovariate(0.9)), 8)


def _place(rng: random.Random, data: bytearray) -> int:
    """Return a place in `data`, often near its start, where headers are."""
    return rng.randrange(min(len(data), 64) if chance(rng, 0.3) else len(data)) if data else 0


def _part(rng: random.Random, data: bytearray) -> slice:
    begin = _place(rng, data)
    return slice(begin, begin + 1 + int(rng.expovariate(1 / max(1, rng.choice((4, 40, len(data) // 2))))))


def _flip_bits(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    for _ in range(rng.choice((1, 1, 1, 4, 20)) if data else 0):
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _set_byte(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_place(rng, data)] = rng.choice((0, 1, 9, 10, 13, 32, 127, 128, 255, rng.randrange(256)))


def _insert(rng: random.Random, data: bytearray, tokens: Sequence[bytes]) -> None:
    at = _place(rng, data)
    data[at:at] = rng.choice(tokens) * rng.choice((1, 1, 2, 50)) if chance(rng, 0.7) else random_bytes(rng, 40)


def _overwrite(rng: random.Random, data: bytearray, tokens: Sequence[bytes]) -> None:
    at, token = _place(rng, data), rng.choice(tokens)
    data[at : at + len(token)] = token


def _delete(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_part(rng, data)]


def _duplicate(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    part, at = data[_part(rng, data)], _place(rng, data)
    data[at:at] = part


def _blow_up(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    part, at = data[_part(rng, data)], _place(rng, data)
    if part and chance(rng, 0.1):
        data[at:at] = part * (rng.randrange(_BLOWN_UP_BYTES) // len(part))


def _truncate(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_place(rng, data) :]


def _move(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    where = _part(rng, data)
    part = data[where]
    del data[where]
    at = _place(rng, data)
    data[at:at] = part


def _set_number(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    width = rng.choice((2, 4, 8))
    number = rng.choice((*_BORDERS, *_WIDE_BORDERS, len(data), len(data) - 8, rng.getrandbits(64)))
    at = 0 if chance(rng, 0.2) else _place(rng, data)
    data[at : at + width] = (number % 256**width).to_bytes(width, rng.choice(("little", "big")))


_CHANGES: tuple[Callable[[random.Random, bytearray, Sequence[bytes]], None], ...] = (
    *(_flip_bits, _flip_bits, _set_byte, _insert, _insert, _overwrite, _delete, _duplicate, _blow_up, _truncate, _move),
    _set_number,
)


def _choose_place(rng: random.Random, holder: list[Any]) -> tuple[Any, Any]:
    """Return a container below `holder` and one of its keys: any depth may come."""
    container: Any = holder
    key: Any = 0
    while isinstance(inner := container[key], dict | list) and inner and chance(rng, 0.75):
        container = inner
        key = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
    return container, key


def _change_item(rng: random.Random, container: Any, key: Any) -> None:
    """Replace, retype, remove, rename, double or swap what is at `key`."""
    old = container[key]
    match rng.randrange(7):
        case 0 if isinstance(container, dict):
            del container[key]
        case 1 if isinstance(container, dict):
            renamed = rng.choice(("", "x", key.upper(), f"{key}\0", "__metadata__", *map(str, container)))
            items = [(renamed if name == key else name, item) for name, item in container.items()]
            container.clear()
            container.update(items)  # in the same order
        case 2 if isinstance(container, dict):
            container[rng.choice(("x", "extra", *map(str, container)))] = old
        case 3 if isinstance(container, list) and len(container) < 1000:  # noqa: PLR2004
            container.insert(rng.randrange(len(container) + 1), copy.deepcopy(old))
        case 4 if isinstance(old, int | float):
            container[key] = rng.choice((float(old) if abs(old) < 2**60 else 1.5, str(old), -old, [old], bool(old)))
        case 5 if isinstance(old, int | float):
            container[key] = old + rng.choice((-1, 1, 2, 0.5, 2**31, 2**63))
        case _:
            container[key] = copy.deepcopy(rng.choice(JSON_VALUES))
