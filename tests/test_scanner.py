"""Counting and encoding in one pass, against the same thing in plain Python."""

import hashlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from w2v_cli.errors import CorpusError
from w2v_cli.scanner import scan
from w2v_cli.settings import CorpusSettings

PTB = CorpusSettings(tokens="whitespace", sentences="stream", end_of_line="<eos>", min_count=1)


@pytest.fixture(scope="module")
def scan_text(tmp_path_factory):
    """Return a function that scans a text or bytes with some settings."""
    path = tmp_path_factory.mktemp("scan") / "x.txt"

    def scan_it(content, **settings):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return scan(path, CorpusSettings.model_validate({"min_count": 1, "tokens": "whitespace"} | settings))

    return scan_it


def sentences_of(corpus):
    """Return the words of each sentence."""
    words = [corpus.vocabulary.words[word_id] for word_id in corpus.word_ids]
    offsets = corpus.sentence_offsets
    return [words[first:last] for first, last in pairwise(offsets)]


lines = st.lists(st.lists(st.sampled_from(["a", "b", "é", "Zz", "<eos>"]), max_size=5), max_size=8)


@settings(deadline=None)  # every example is a file
@given(lines, st.integers(1, 3), st.sampled_from(["line", "stream"]), st.sampled_from([None, "<eos>"]), st.booleans())
def test_scan_is_the_plain_count(scan_text, words_of_lines, min_count, sentences, end_of_line, ends_with_newline):
    """Words, counts, sentences and sizes are those of a Counter, whatever the settings."""
    text = "\n".join(" ".join(words) for words in words_of_lines) + "\n" * ends_with_newline
    full = [line.split() + [end_of_line] * bool(end_of_line) for line in text.removesuffix("\n").split("\n") if text]
    full = full if sentences == "line" else [[word for line in full for word in line]]
    counts = Counter(word for sentence in full for word in sentence)
    kept = sorted((word for word in counts if counts[word] >= min_count), key=lambda word: (-counts[word], word))
    assume(len(kept) >= 2)

    corpus = scan_text(text, min_count=min_count, sentences=sentences, end_of_line=end_of_line)

    assert corpus.vocabulary.words == tuple(kept)
    assert corpus.vocabulary.counts.tolist() == [counts[word] for word in kept]
    kept_sentences = [[word for word in sentence if word in kept] for sentence in full]
    assert sentences_of(corpus) == [sentence for sentence in kept_sentences if sentence]
    assert corpus.corpus_words == counts.total()
    assert corpus.distinct_words == len(counts)
    assert corpus.size_bytes == len(text.encode())
    assert corpus.warnings == ()


def test_arrays_are_what_training_takes(scan_text):
    """Ids are int32, offsets and counts int64; the last offset is the number of kept words."""
    corpus = scan_text("b a a\nc a b\n", min_count=2)

    assert corpus.word_ids.dtype == np.int32
    assert corpus.sentence_offsets.dtype == corpus.vocabulary.counts.dtype == np.int64
    assert corpus.word_ids.tolist() == [1, 0, 0, 0, 1]
    assert corpus.sentence_offsets.tolist() == [0, 3, 5]


def test_prose_is_split_as_words(scan_text):
    """With tokens: words the text is prose."""
    corpus = scan_text("The sea’s THE sea, the sea's…\n", tokens="words")

    assert corpus.vocabulary.words == ("the", "sea's", "sea")


def test_fingerprint_is_that_of_the_file(scan_text):
    """The SHA-256 is of the bytes as they lie on disk, byte order mark and all."""
    content = b"\xef\xbb\xbfa b\r\na\xff b\r\n"

    assert scan_text(content).sha256 == hashlib.sha256(content).hexdigest()


def test_penn_treebank_has_its_known_size(shared_data):
    """PTB as the book takes it: 929,589 words, 10,000 types, one stream, the commonest words as published."""
    corpus = scan(shared_data / "ptb" / "ptb.train.txt", PTB)

    assert (corpus.corpus_words, corpus.vocabulary.kept_words, len(corpus.vocabulary)) == (929_589, 929_589, 10_000)
    assert corpus.sentence_offsets.tolist() == [0, 929_589]
    assert corpus.vocabulary.words[:4] == ("the", "<unk>", "<eos>", "N")
    assert corpus.vocabulary.counts[:4].tolist() == [50_770, 45_020, 42_068, 32_481]
    assert [corpus.vocabulary.words[word_id] for word_id in corpus.word_ids[:2]] == ["aer", "banknote"]


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
    warnings = scan_text(text, tokens=tokens).warnings

    assert len(warnings) == (marks is not None)
    assert all(f"holds {marks} the Penn Treebank does" in line for line in warnings)
    assert all("--set corpus.tokens=whitespace" in line for line in warnings)


def test_invalid_utf8_is_warned_of_with_its_number(scan_text):
    """Replaced bytes are counted in a warning that names the strict policy."""
    (warning,) = scan_text(b"a\xff b\xc3 \xe6\x9d\n").warnings

    assert "is not UTF-8 in 3 places" in warning
    assert "--set corpus.invalid_utf8=strict" in warning


def test_strict_utf8_stops_the_scan(scan_text):
    """With invalid_utf8: strict the first wrong byte is an error."""
    with pytest.raises(CorpusError, match="not UTF-8 at byte 5"):
        scan_text(b"a b c\xff\n", invalid_utf8="strict")
