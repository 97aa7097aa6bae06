"""Counting and encoding in one pass, against the same thing in plain Python."""

import bz2
import codecs
import gzip
import hashlib
import lzma
import os
from itertools import pairwise
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plain_scanner import plain_scan
from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.corpus.sources import Source, known_bytes
from w2v_cli.errors import CorpusError, option
from w2v_cli.humanize import count
from w2v_cli.system import compression, file_types
from w2v_cli.system.compression import zstd

PTB = CorpusSettings(tokens="whitespace", sentences="stream", end_of_line="<eos>", min_count=1)


@pytest.fixture(scope="module")
def scan_text(tmp_path_factory):
    """Return a function that scans a text or bytes, or several, with some settings."""
    folder = tmp_path_factory.mktemp("scan")

    def scan_it(content, *, threads=1, **settings):
        contents = content if isinstance(content, list) else [content]
        sources = [Source(str(folder / f"{number or 'x'}.txt")) for number in range(len(contents))]
        for source, text in zip(sources, contents, strict=True):
            Path(source.place).write_bytes(text if isinstance(text, bytes) else text.encode())
        config = CorpusSettings.model_validate({"min_count": 1, "tokens": "whitespace"} | settings)
        return scan_corpus(sources, config, threads=threads)

    return scan_it


def sentences_of(scanned):
    """Return the words of each sentence."""
    words = [scanned.corpus.vocabulary.words[word_id] for word_id in scanned.text.word_ids]
    offsets = scanned.text.sentence_offsets
    return [words[first:last] for first, last in pairwise(offsets)]


# What is cut, folded, composed or replaced in odd ways, and what tells lines, words and runs apart.
PARTS = [
    *"aAbZzé東Σς_.-'’1 \n",
    *(" ", "\n", "the", "The's", "don’t", "''", "<eos>", "\r\n", "\f", "\v", "\x1c", "\0", "\xa0", "\u2003", "\u2028"),
    *("e\u0301", "\u0301", "ŉ", "İ", "ﬁ", "\ufffd", "\ufeff", "𝄞", "\x85", "\u0345", "Å", "\u1161"),
    *("\n\n", "\n \t\n", ".", "!?", ".” ", "J.", "Mr.", "(Dr. ", "isn't.", "。", "好。」我", "؟", "x" * 30),
]
content = st.lists(
    st.one_of(st.sampled_from(PARTS).map(str.encode), st.binary(max_size=3), st.text(max_size=3).map(str.encode))
).map(b"".join)
PACKERS = {"plain": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd.compress}
any_settings = st.fixed_dictionaries(
    {
        "tokens": st.sampled_from(["words", "whitespace", "regex"]),
        "token_pattern": st.sampled_from([r"\w+", r"[a-zA-Z]|[^\W\d]+", r"(\w)\1?\w*|[.,]", r"x*|[yz]+"]),
        "max_token_bytes": st.sampled_from([16, 25, 100_000]),
        "sentences": st.sampled_from(["line", "stream", "paragraph", "punctuation"]),
        "end_of_line": st.sampled_from([None, "<eos>", "the"]),
        "min_count": st.integers(1, 3),
    }
)


def is_refused(content):
    """Return whether a file with these bytes is no text, or a compressed one."""
    refusals = (file_types.refusal_of_other_encoding, file_types.refusal_of_other_data, compression.find_compression)
    return any(refuse(content) for refuse in refusals)


def check(scanned, expected):
    """Compare a scan with a plain one."""
    corpus = scanned.corpus
    assert corpus.vocabulary.words == expected.words
    assert corpus.vocabulary.counts.tolist() == expected.counts
    assert sentences_of(scanned) == expected.sentences
    assert corpus.distinct_words == expected.distinct_words
    report = corpus.report
    assert (report.words, report.sentences) == (expected.corpus_words, len(expected.sentences))
    assert report.rare_words == expected.distinct_words - len(expected.words)
    assert report.rare_occurrences == expected.corpus_words - sum(expected.counts)
    assert (report.invalid_characters, report.blank_lines) == (expected.invalid_characters, expected.blank_lines)
    assert (report.long_tokens, report.long_bytes) == (expected.long_tokens, expected.long_bytes)
    replaced = f"not UTF-8 in {count(expected.invalid_characters, 'place')}"
    assert any(replaced in warning for warning in corpus.warnings) == (expected.invalid_characters > 0)


@settings(deadline=None, max_examples=500)  # every example is a file, or some
@given(
    parts=st.lists(content, min_size=1, max_size=3),
    tail=st.sampled_from([b"", b"\n", b" ", b"\xc3\xa9"]),
    chosen=any_settings,
    packer=st.sampled_from(sorted(PACKERS)),
    block_bytes=st.integers(1, 64),
    threads=st.integers(1, 3),
    most_runs=st.sampled_from([1, 1 << 20]),
)
def test_scan_is_the_plain_one(scan_text, parts, tail, chosen, packer, block_bytes, threads, most_runs):
    """Words, counts, sentences and totals are those of split, dict and unicodedata, wherever pieces and files end.

    The fingerprint is that of the bytes before they were compressed.
    """
    contents = [*parts, b"\nyy zz yy zz yy zz yy zz" + tail]  # never too few words
    assume(not any(map(is_refused, contents)))
    expected = plain_scan(contents, CorpusSettings.model_validate(chosen))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("w2v_cli.corpus.reader.BLOCK_BYTES", block_bytes)
        patch.setattr("w2v_cli.corpus.encode.MOST_DEFERRED", most_runs)
        scanned = scan_text([PACKERS[packer](part) for part in contents], threads=threads, **chosen)

    check(scanned, expected)
    corpus = scanned.corpus
    assert corpus.report.size_bytes == sum(map(len, contents))
    assert corpus.report.nul_bytes == b"".join(contents).count(0)
    digests = [hashlib.sha256(part) for part in contents if part]
    assert corpus.report.files == len(digests)
    joined = hashlib.sha256(b"".join(digest.digest() for digest in digests))
    assert corpus.sha256 == (joined if len(digests) > 1 else digests[0]).hexdigest()


@given(parts=st.lists(content, min_size=1, max_size=5), chosen=any_settings)
def test_many_files_are_their_concatenation(scan_text, parts, chosen):
    """By line and as a stream it does not matter whether lines lie in one file or in several."""
    chosen["sentences"] = {"paragraph": "line", "punctuation": "stream"}.get(chosen["sentences"], chosen["sentences"])
    contents = [b"yy zz yy zz yy zz ", *(part.removeprefix(codecs.BOM_UTF8) for part in parts)]
    assume(not any(map(is_refused, contents)))
    lines = b"".join(part if part.endswith(b"\n") else part + b"\n" for part in contents if part)
    one, several = scan_text(lines, **chosen), scan_text(contents, **chosen)

    assert one.corpus.vocabulary.words == several.corpus.vocabulary.words
    assert sentences_of(one) == sentences_of(several)


@pytest.mark.slow
@pytest.mark.parametrize("tokens", ["words", "whitespace"])
def test_tables_grow(scan_text, tokens):
    """Fifty thousand different words, long and short, ASCII and not, are all found again."""
    words = [f"{'é' * (number % 3)}w{number}{'x' * (number % 50)}" for number in range(50_000)]
    text = "\n".join(" ".join(words[first : first + 7]) for first in range(0, len(words), 7)).encode()

    for threads in (1, 2):
        check(scan_text(text * 2, tokens=tokens, threads=threads), plain_scan(text * 2, CorpusSettings(min_count=1)))


@pytest.mark.parametrize("tokens", ["words", "whitespace", "regex"])
@pytest.mark.parametrize("block_bytes", [1 << 10, 1 << 21])
def test_titles_and_initials_end_no_sentence_in_any_table(scan_text, tokens, block_bytes, monkeypatch):
    """Where a table grows in the middle of a stretch, the stretch is still seen whole."""
    monkeypatch.setattr("w2v_cli.corpus.reader.BLOCK_BYTES", block_bytes)
    content = " ".join(f"a{number}-J. a{number}. J. b{number}.c." for number in range(20_000)).encode()
    expected = plain_scan(content, CorpusSettings(min_count=1, tokens=tokens, sentences="punctuation"))

    check(scan_text(content, tokens=tokens, sentences="punctuation"), expected)


def test_a_full_table_forgets_rare_words(scan_text, monkeypatch):
    """Over max_vocab the rarest words are forgotten, the frequent ones counted exactly, on any number of threads."""
    monkeypatch.setattr("w2v_cli.corpus.reader.BLOCK_BYTES", 1 << 12)
    lines = [f"often é-often once{number} rare{number % 400}" for number in range(3000)]
    results = [scan_text("\n".join(lines), max_vocab=1000, min_count=9, threads=threads) for threads in (1, 2)]

    for corpus, text in results:
        counts = dict(zip(corpus.vocabulary.words, corpus.vocabulary.counts.tolist(), strict=True))
        assert counts["often"] == counts["é-often"] == 3000
        assert set(counts) == {"often", "é-often"}
        assert text.word_ids.tolist() == [0, 1] * 3000
        assert (corpus.report.words, len(text.sentence_offsets)) == (12_000, 3001)
        assert "more than 1,000 different words: rare ones" in corpus.warnings[0]
    assert results[0].corpus.distinct_words == results[1].corpus.distinct_words


def test_arrays_are_what_training_takes(scan_text):
    """Ids are int32, offsets and counts int64; the last offset is the number of kept words."""
    text = scan_text("b a a\nc a b\n", min_count=2).text

    assert text.word_ids.dtype == np.int32
    assert text.sentence_offsets.dtype == text.word_counts.dtype == np.int64
    assert text.word_ids.tolist() == [1, 0, 0, 0, 1]
    assert text.sentence_offsets.tolist() == [0, 3, 5]


def test_prose_is_split_as_words(scan_text):
    """With tokens: words the text is prose."""
    corpus = scan_text("The sea’s THE sea, the sea's…\n", tokens="words").corpus

    assert corpus.vocabulary.words == ("the", "sea's", "sea")


def test_fingerprint_is_that_of_the_file(scan_text):
    """The SHA-256 is of the bytes as they lie on disk, byte order mark and all."""
    content = b"\xef\xbb\xbfa b\r\na\xff b\r\n"

    assert scan_text(content).corpus.sha256 == hashlib.sha256(content).hexdigest()


def test_penn_treebank_has_its_known_size(shared_data):
    """PTB as the book takes it: 929,589 words, 10,000 types, one stream, the commonest words as published."""
    corpus, text = scan_corpus(shared_data / "ptb" / "ptb.train.txt", PTB)

    assert (corpus.report.words, corpus.vocabulary.kept_words, len(corpus.vocabulary)) == (929_589, 929_589, 10_000)
    assert text.sentence_offsets.tolist() == [0, 929_589]
    assert corpus.vocabulary.words[:4] == ("the", "<unk>", "<eos>", "N")
    assert corpus.vocabulary.counts[:4].tolist() == [50_770, 45_020, 42_068, 32_481]
    assert [corpus.vocabulary.words[word_id] for word_id in text.word_ids[:2]] == ["aer", "banknote"]


NOTHING = [
    ("", "the corpus holds no words"),
    (" \n\n\t", "the corpus holds no words"),
    ("one one one\n", "the corpus holds one word only, 'one'"),
    ("a b b c c c d\n", r"0 of 4 different words occur at least min_count = 5 times .*'c', occurs 3 times"),
    ("a b b b b b\n", r"1 of 2 different words occur at least min_count = 5 times and 2 are needed"),
]


@pytest.mark.parametrize(("text", "cause"), NOTHING)
def test_too_few_words_are_refused(scan_text, text, cause):
    """No word, one word, or all words but one under min_count: exit 3, the reason and the largest count."""
    with pytest.raises(CorpusError, match=cause) as refusal:
        scan_text(text, min_count=5)

    assert refusal.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "tokens", "marks"),
    [
        ("aer <unk> b\n", "words", "<unk> as"),
        ("a <eos> <unk> b", "words", "<eos> and <unk> as"),
        ("aer <unk> b\n", "whitespace", None),
        ("unk b\n", "words", None),
    ],
)
def test_a_treebank_read_as_prose_is_warned_of(scan_text, text, tokens, marks):
    """Where brackets of <unk> or <eos> would be lost, a warning names them and the setting that keeps them."""
    warnings = scan_text(text, tokens=tokens).corpus.warnings

    assert len(warnings) == (marks is not None)
    assert all(f"holds {marks} the Penn Treebank does" in line for line in warnings)
    assert all(option("tokens", "whitespace") in line for line in warnings)


def test_invalid_utf8_is_warned_of_with_its_number(scan_text):
    """Replaced bytes are counted in a warning that names the strict policy."""
    (warning,) = scan_text(b"a\xff b\xc3 \xe6\x9d\n").corpus.warnings

    assert "is not UTF-8 in 3 places" in warning
    assert "`iconv -f LATIN1 -t UTF-8` converts" in warning
    assert option("invalid_utf8", "strict") in warning


def test_strict_utf8_stops_the_scan(scan_text):
    """With invalid_utf8: strict the first wrong byte is an error."""
    with pytest.raises(CorpusError, match="not UTF-8 at byte 5"):
        scan_text(b"a b c\xff\n", invalid_utf8="strict")


def test_what_is_read_is_told(tmp_path):
    """Packed bytes, rising to the whole; where a source is no file on a disk, nobody knows the whole."""
    packed = gzip.compress(b"the sea and the ship\n" * 200_000, compresslevel=1)
    files = [tmp_path / "a.gz", tmp_path / "b.txt"]
    files[0].write_bytes(packed)
    files[1].write_bytes(b"a wind and a wave\n")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    Thread(target=pipe.write_bytes, args=(b"one more\n",), daemon=True).start()

    heard = {}
    for paths in (files, [files[1], pipe]):
        heard[len(heard)] = told = []
        sources = [Source(str(path)) for path in paths]
        scan_corpus(
            sources, CorpusSettings(min_count=1), on_read=lambda done, total, told=told: told.append((done, total))
        )

    whole = len(packed) + files[1].stat().st_size
    assert [total for _, total in heard[0]] == [whole] * len(heard[0])
    assert [done for done, _ in heard[0]] == sorted(done for done, _ in heard[0])
    assert heard[0][-1][0] == whole
    assert heard[1][-1] == (files[1].stat().st_size + 9, None)


def test_nobody_knows_how_long_stdin_is(tmp_path, monkeypatch):
    """Also where there is a file of its name."""
    (tmp_path / "-").write_bytes(b"a b\n")
    monkeypatch.chdir(tmp_path)

    assert known_bytes([Source("-")]) is None
    assert known_bytes([Source("./-")]) == 4
