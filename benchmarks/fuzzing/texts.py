"""Cases for what reads text: the corpus, in all its settings and packings, and evaluation sets."""

import bz2
import functools
import gzip
import lzma
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import TOKENS, chance, mutate, random_bytes, random_text
from fuzzing.reading import Case, Reader
from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus import reader
from w2v_cli.corpus.scan import ScanResult, scan_corpus
from w2v_cli.corpus.sources import find_sources
from w2v_cli.evaluation.per_epoch import Evaluator
from w2v_cli.evaluation.sets import read_sets
from w2v_cli.system import compression

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_WORDS = tuple(
    word.encode()
    for word in (
        *(
            "the",
            "The",
            "sea",
            "sea's",
            "sea.",
            "Mr.",
            "U.S.",
            "1,000",
            "<unk>",
            "N",
            "a-b",
            "don't",
            "I.",
            "“Tis”",
            "é",
        ),
        *(
            "e\u0301",
            "Straße",
            "ΣΊΣΥΦΟΣ",
            "हिन्दी।",
            "好。我们走！",
            "한국어",
            "مرحبا؟",
            "co\u00adop",
            "😀",
            "x" * 70,
            "z" * 3000,
            "İstanbul",
            "ﬁn",
        ),
    )
)
_BOMB_BYTES = 70_000_000  # a little more than what any text may unpack to
_PACKERS = {
    "gz": lambda data: gzip.compress(data, 6, mtime=0),
    "bz2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zst": zstd.compress,
}
_MAGICS = tuple(magic for form in compression.COMPRESSIONS for magic in form.magics)


def _make_corpus(rng: random.Random) -> Case:
    """Draw a text, plain or packed, damaged before or after, and settings for it."""
    data = random_bytes(rng) if chance(rng, 0.1) else random_text(rng, _WORDS)
    if chance(rng, 0.5):
        data = mutate(rng, data)
    if chance(rng, 0.1):
        data = rng.choice(
            (
                data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-16-le", "utf-32"))),
                b"\xef\xbb\xbf" + data,
            )
        )
    if chance(rng, 0.4):
        data = _pack(rng, data)
    size = _BOMB_BYTES if data in map(_bomb, _PACKERS) else len(data)
    return Case(data, _draw_corpus_settings(rng, size))


def _pack(rng: random.Random, data: bytes) -> bytes:
    """Return packed text: one stream or several, sometimes packed twice or huge, mostly damaged."""
    form = rng.choice(list(_PACKERS))
    if chance(rng, 0.001):
        return _bomb(form)
    packed = _PACKERS[form](data)
    if chance(rng, 0.2):
        between = rng.choice((b"", b"", bytes(8), b"\x50\x2a\x4d\x18\x03\0\0\0abc", b"junk", rng.choice(_MAGICS)))
        packed += between + rng.choice((packed, _PACKERS[form](b""), _PACKERS[rng.choice(list(_PACKERS))](data)))
    if chance(rng, 0.05):
        packed = _PACKERS[rng.choice(list(_PACKERS))](packed)
    if chance(rng, 0.02):
        packed *= rng.randrange(1000)
    return packed if chance(rng, 0.2) else mutate(rng, packed, (*TOKENS, *_MAGICS))


@functools.cache
def _bomb(form: str) -> bytes:
    return _PACKERS[form](bytes(_BOMB_BYTES))


def _draw_corpus_settings(rng: random.Random, size: int) -> dict[str, Any]:
    """Return settings, and how to read: in small blocks only what is small, for each costs a change of threads."""
    settings = {
        "tokens": rng.choice(("words", "whitespace", "regex")),
        "token_pattern": rng.choice(
            (r"\w+", r"#?(\w)+", r"", r"\S", r".+", r"(?=.)", r"[^\W\d_]+|\d|.", r"\b", r"(a)|(b)|")
        ),
        "max_token_bytes": rng.choice((16, 17, 60, 100_000)),
        "sentences": rng.choice(("line", "paragraph", "punctuation", "stream")),
        "end_of_line": rng.choice((None, None, "<eos>", "é", "the")),
        "min_count": rng.choice((1, 1, 2, 5)),
        "max_vocab": rng.choice((1000, 4_000_000)),
        "invalid_utf8": rng.choice(("replace", "strict")),
        "max_unpacked": rng.choice((1, 1000, 10**12, 10**12)),
    }
    block_bytes = max(size // 200, rng.choice((reader.BLOCK_BYTES, reader.BLOCK_BYTES, 1, 2, 16, 100, 4096)))
    return {
        "corpus": settings,
        "threads": rng.choice((1, 1, 2)),
        "block_bytes": block_bytes,
        "folder": chance(rng, 0.2),
    }


def _read_corpus(case: Case, folder: Path) -> None:
    """Scan the text in blocks of a size, and look at what came out; of a folder it is one of two files."""
    places = [folder / "text"]
    if case.settings["folder"]:
        (folder / "texts").mkdir()
        places = [folder / "texts" / "other", folder / "texts" / "text"]
        places[0].write_bytes(b"the sea the sea\n")
    places[-1].write_bytes(case.data)
    usual, reader.BLOCK_BYTES = reader.BLOCK_BYTES, case.settings["block_bytes"]
    try:
        config = CorpusSettings.model_validate(case.settings["corpus"])
        sources = find_sources([str(places[0].parent if case.settings["folder"] else places[0])])
        _check_scanned(scan_corpus(sources, config, threads=case.settings["threads"], beside=folder / "output"))
    finally:
        reader.BLOCK_BYTES = usual
        for place in places:
            place.unlink()
        if case.settings["folder"]:
            places[0].parent.rmdir()


def _check_scanned(scanned: ScanResult) -> None:
    """Assert what every scan promises."""
    found, text = scanned
    ids, offsets, words = text.word_ids, text.sentence_offsets, found.vocabulary.words
    assert offsets[0] == 0  # noqa: S101  a finding
    assert offsets[-1] == len(ids) == found.vocabulary.kept_words <= found.report.words  # noqa: S101
    assert (np.diff(offsets) > 0).all()  # noqa: S101
    assert (np.bincount(ids, minlength=len(words)) == found.vocabulary.counts).all()  # noqa: S101
    assert len(set(words)) == len(words)  # noqa: S101
    assert all(words)  # noqa: S101
    for warning in found.warnings:
        assert warning.strip() and "\n" not in warning and len(warning) < 2000, warning  # noqa: PT018, PLR2004, S101


_QUESTIONS = b": capital-common\nathens greece oslo norway\nOslo norway athens greece\n: plurals\nsea seas sky skies\n"
_PAIRS = b"# pairs\nsea\tsky\t7.35\nathens\tgreece\t8.1\noslo\tsea\t0\nseas\tsky\t-1e3\n"
_EVALUATED = ("athens", "greece", "oslo", "norway", "sea", "seas", "sky", "skies", "é", "straße")
_EVALUATION_WORDS = (
    *tuple(word.encode() for word in _EVALUATED),
    *(
        b":",
        b": x",
        b"#",
        b"\t",
        b"\n",
        b"\n:",
        b"7.5",
        b"nan",
        b"inf",
        b"1e400",
        b"1_0",
        b"0x1",
        b"-",
        b"a b c d\n",
        b"1 2 3\n",
    ),
)


def _make_evaluation(rng: random.Random) -> Case:
    """Draw the lines of an evaluation set, in the wrong number, order, shape or encoding."""
    data = rng.choice((_QUESTIONS, _PAIRS, b""))
    if chance(rng, 0.3) or not data:
        data += random_text(rng, _EVALUATION_WORDS, 30)
    if chance(rng, 0.1):
        data = data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-8-sig", "utf-16-be")))
    if chance(rng, 0.05):
        data = random_bytes(rng)
    return Case(mutate(rng, data, (*TOKENS, *_EVALUATION_WORDS)))


def _read_evaluation(case: Case, folder: Path) -> None:
    """Read the set and score vectors on it."""
    path = folder / "set.txt"
    path.write_bytes(case.data)
    try:
        sets = read_sets([str(path)], folder / "none")
    finally:
        path.unlink()
    for score in Evaluator(sets, _EVALUATED).score(_vectors()):
        assert score.score is None or -1.001 <= score.score <= 1.001, score  # noqa: PLR2004, S101
        assert 0 <= score.coverage <= 1, score  # noqa: S101


@functools.cache
def _vectors() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(1).normal(size=(len(_EVALUATED), 4)).astype(np.float32)


READERS = (
    Reader("corpus", _make_corpus, _read_corpus, memory_bytes=400 << 20),
    Reader("evaluation", _make_evaluation, _read_evaluation),
)
