"""Cases for the importer of the book's pickle: opcodes exchanged, calls put in, lengths and memos that lie."""

import builtins
import functools
import os
import pickle
import pickletools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import chance, mutate
from fuzzing.reading import Case, Reader
from fuzzing.tensors import use_vectors

_WORDS = ("you", "i", "naïve", "x" * 40)
_LONG_WORD = "y" * 5000
_TRACE = "ran"  # a file that a pickle makes if anything of it runs
_NAMES = (
    *("os system", "posix system", "builtins eval", "builtins exec", "builtins getattr", "numpy load", "numpy ndarray"),
    *(
        "numpy dtype",
        "numpy.core.multiarray _reconstruct",
        "numpy._core.numeric _frombuffer",
        "numpy ",
        " ",
        "copyreg __newobj__",
    ),
    *(
        "pathlib Path.touch",
        "w2v_cli.vectors.formats.book_pickle _Recorded",
        "subprocess Popen",
        "numpy.ndarray __class__",
        "é x",
    ),
)


class _Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


_EVIL = (
    _Calls(os.mkdir, _TRACE),
    _Calls(os.system, f"touch {_TRACE}"),
    _Calls(builtins.exec, f"open('{_TRACE}', 'w')"),
    _Calls(builtins.eval, f"open('{_TRACE}', 'w')"),
    _Calls(np.zeros, (1 << 20, 1 << 20)),
    _Calls(bytearray, 1 << 40),
)


def _checkpoint(rows: Any, words: Any, ids: Any) -> dict[str, Any]:
    return {"word_vecs": rows, "word_to_id": words, "id_to_word": ids}


@functools.cache
def _seeds() -> tuple[bytes, ...]:
    """Return checkpoints as the book writes them, in every protocol, and some that hold what they should not."""
    rows = np.arange(2 * len(_WORDS)).reshape(len(_WORDS), 2)
    words, ids = {word: i for i, word in enumerate(_WORDS)}, dict(enumerate(_WORDS))
    good = [_checkpoint(rows.astype(dtype), words, ids) for dtype in (np.float16, np.float32)]
    odd = [
        *(_checkpoint(rows.astype(dtype), words, ids) for dtype in (np.float64, np.int64, ">f2", "S3", object)),
        _checkpoint(np.asfortranarray(rows.astype(np.float16)), words, ids),
        _checkpoint(np.full((len(_WORDS), 2), 3e38, np.float32), words, ids),
        _checkpoint(np.full((len(_WORDS), 2), np.nan, np.float16), words, ids),
        _checkpoint(np.full((1, 2), np.nan, np.float16), {_LONG_WORD: 0}, {0: _LONG_WORD}),
        _checkpoint(rows.astype(np.float16), words, {**ids, 1: "\ud800"}),
        _checkpoint(rows.astype(np.float16), words, {True: "x", 0: "you"}),
        _checkpoint(np.zeros((0, 2), np.float16), {}, {}),
        *(_checkpoint(evil, words, ids) for evil in _EVIL),
        *(_checkpoint(rows.astype(np.float16), words, {0: evil}) for evil in _EVIL),
        *_EVIL,
    ]
    seeds = [pickle.dumps(content, protocol) for content in good for protocol in (3, 4, 5)]
    seeds += [pickle.dumps(content, protocol) for content in odd for protocol in (0, 2, 4, 5)]
    return tuple(seeds)


def _make_pickle(rng: random.Random) -> Case:
    """Draw a pickle: a good one or an evil one, changed as bytes or by opcodes, or opcodes alone."""
    seeds = _seeds()
    data = rng.choice(seeds[:6] if chance(rng, 0.6) else seeds)
    match rng.randrange(6):
        case 0:
            data = b"\x80\x04" + b"".join(_random_opcode(rng) for _ in range(rng.randrange(40))) + b"."
        case 1:
            data = mutate(rng, data, [_random_opcode(rng) for _ in range(4)])
        case 2:
            data = _deep(rng, data)
        case 3:
            pass
        case _:
            data = _changed_opcodes(rng, data)
    return Case(data if data[:1] == b"\x80" else b"\x80\x04" + data)


def _changed_opcodes(rng: random.Random, data: bytes) -> bytes:
    """Return the pickle with opcodes left out, doubled, moved, put in, or with another argument."""
    places = [place for _, _, place in pickletools.genops(data)]
    opcodes = [data[begin:end] for begin, end in zip(places, [*places[1:], len(data)], strict=True)]
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(opcodes))
        match rng.randrange(5):
            case 0:
                del opcodes[at]
            case 1:
                opcodes[at:at] = opcodes[rng.randrange(len(opcodes)) :][: rng.choice((1, 3, 30))]
            case 2:
                opcodes[at], opcodes[-at] = opcodes[-at], opcodes[at]
            case 3:
                opcodes.insert(at, _random_opcode(rng))
            case _:
                opcodes[at] = mutate(rng, opcodes[at])
        opcodes = opcodes or [b"."]
    return b"".join(opcodes)


def _random_opcode(rng: random.Random) -> bytes:
    """Return an opcode with a small or a lying argument."""
    names = rng.choice(_NAMES).split(" ", 1)
    length = rng.choice((0, 1, 3, 255, 2**31 - 1, 2**32 - 1, 2**62, 2**64 - 1))
    text = rng.choice((b"f2", b"<", b"word_vecs", b"you", b"\xff", "é".encode(), b"x" * 3000, b""))
    return rng.choice(
        (
            f"c{names[0]}\n{names[1]}\n".encode(),
            *(_text(name.encode()) for name in names),
            *(
                b"\x93",
                b"R",
                b"b",
                b"s",
                b"u",
                b"(",
                b"t",
                b")",
                b"}",
                b"\x85",
                b"\x86",
                b"\x87",
                b"N",
                b"\x88",
                b"\x89",
                b".",
            ),
            *(
                b"\x94",
                b"0",
                b"2",
                b"o",
                b"\x81",
                b"]",
                b"a",
                b"e",
                b"Q",
                b"\x97",
                b"\x98",
                b"\x8f",
                b"\x82\x01",
                b"P1\n",
            ),
            *(
                b"q\0",
                b"q\xff",
                b"h\0",
                b"h\x05",
                b"r\xff\xff\xff\x7f",
                b"j\0\0\0\0",
                b"K\x02",
                b"M\xff\xff",
                b"J\xff\xff\xff\xff",
            ),
            *(
                _text(text),
                b"C" + bytes((len(text) % 256,)) + text,
                b"B" + (length % 2**32).to_bytes(4, "little") + text,
            ),
            *(b"\x96" + length.to_bytes(8, "little") + text, b"\x95" + length.to_bytes(8, "little"), b"\x8a\x01\x05"),
            *(b"X" + (length % 2**32).to_bytes(4, "little") + text, b"\x80" + bytes((length % 256,)), b"G" + bytes(8)),
        )
    )


def _text(text: bytes) -> bytes:
    return b"\x8c" + bytes((len(text) % 256,)) + text[:255]


def _deep(rng: random.Random, data: bytes) -> bytes:
    """Return a pickle with a thing in it that is deep, wide, or holds itself."""
    depth = rng.choice((5, 40, 1000, 30_000))
    thing = rng.choice(
        (
            b"}K\x01" * depth + b"N" + b"s" * depth,  # a dict in a dict in a dict
            b")\x85" + b"\x85" * depth,
            b"(" * depth + b"t" * depth,
            b"}\x94K\x01h\x00s" * 3,
            b"(" + b"K\x01" * depth + b"t",
            b"}(" + b"".join(b"J" + i.to_bytes(4, "little") + b"N" for i in range(depth)) + b"u",
        )
    )
    if chance(rng, 0.4):
        return b"\x80\x04" + thing + b"."
    if chance(rng, 0.3):  # in the place of the name of a type
        return data.replace(b"X\x02\0\0\0f2", thing).replace(b"\x8c\x02f2", thing)
    places = [place for _, _, place in pickletools.genops(data)]
    begin = rng.randrange(1, len(places) - 1)
    end = rng.choice((begin, begin + 1))  # in between, or in place of something
    return data[: places[begin]] + thing + data[places[end] :]


def _read_pickle(case: Case, folder: Path) -> None:
    """Open the pickle and do with it what the commands do."""
    path = folder / "x.pkl"
    path.write_bytes(case.data)
    try:
        use_vectors(path)
    finally:
        path.unlink()


READERS = (Reader("pickle", _make_pickle, _read_pickle, prepare=lambda: _seeds() and None, memory_bytes=100 << 20),)
