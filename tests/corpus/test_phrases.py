"""Collocations: known answers, plain Python, gensim and word2phrase's own rules."""

import contextlib
import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.phrases import collocations, phrases, write
from w2v_cli.corpus.phrases import join as join_module
from w2v_cli.corpus.phrases.collocations import (
    ORDINARY,
    PairCounter,
    PairText,
    npmi_scores,
    number_connectors,
    word2phrase_scores,
)
from w2v_cli.corpus.phrases.phrases import ENGLISH_CONNECTORS, PhraseRules, corpus_settings, join_phrases
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.datasets import demo

CITY = "new york is big\nin new york i see the bank of america\nthe bank of america is new\nyork new\n"


@pytest.fixture(scope="module")
def join(tmp_path_factory):
    """Return a function that joins the phrases of a text on some threads: lines of words, and the result."""
    path = tmp_path_factory.mktemp("join") / "text.txt"

    def join_it(text, threads=1, **rules):
        path.write_text(text, encoding="utf-8")
        scanned = scan_corpus(path, corpus_settings(CorpusSettings(tokens="whitespace")))
        given = {"score": "word2phrase", "threshold": 0.0, "min_count": 1} | rules
        joined = join_phrases(scanned, PhraseRules(**given), threads=threads)
        return b"".join(joined.iterate_blocks(threads=threads)).decode(), joined

    return join_it


@contextlib.contextmanager
def steps_of(words):
    """Let everything be done in steps of so many words; None: as it is."""
    with pytest.MonkeyPatch.context() as patch:
        if words is not None:
            patch.setattr(collocations, "_IDS_AT_ONCE", words)
            patch.setattr(join_module, "_IDS_AT_ONCE", words)
            patch.setattr(write, "_WORDS_AT_ONCE", words)
            patch.setattr(phrases, "_COUNTED_AT_ONCE", words)
        yield


def plain_join(lines, *, score, threshold, min_count, connectors=()):
    """Return lines with their phrases joined, and the phrases with scores and counts: the rules, word for word."""
    counts, pairs = {}, {}
    for line in lines:
        for word in line:
            counts[word] = counts.get(word, 0) + 1
        for pair in candidates(line, connectors):
            pairs[pair] = pairs.get(pair, 0) + 1
    words = sum(counts.values())
    found = {}
    for pair, count in pairs.items():
        first, last = counts[pair[0]], counts[pair[-1]]
        if count < min_count:
            continue
        if score == "npmi":
            together = count / words
            value = math.log(together / (first / words * (last / words))) / -math.log(together)
        else:
            value = (count - min_count) / first / last * words
        if value > threshold:
            found[pair] = (value, count, first, last)
    return [join_line(line, found, connectors) for line in lines], found


def candidates(line, connectors):
    """Yield each pair of a line as the words from its first to its last."""
    places = [place for place, word in enumerate(line) if word not in connectors]
    for first, last in pairwise(places):
        yield tuple(line[first : last + 1])


def join_line(line, found, connectors):
    """Return a line with the pairs joined from left to right."""
    joined, place = [], 0
    while place < len(line):
        end = place + 1
        while end < len(line) and line[end] in connectors:
            end += 1
        phrase = tuple(line[place : end + 1])
        if line[place] not in connectors and end < len(line) and phrase in found:
            joined.append("_".join(phrase))
            place = end + 1
        else:
            joined.append(line[place])
            place += 1
    return joined


def test_a_known_answer(join):
    """`new york` of a small text is joined, with the score that eq. 6 gives by hand; sentences keep their lines."""
    text, joined = join(CITY, min_count=1, threshold=1.5)

    assert text.startswith("new_york is big\nin new_york i see ")
    [phrase] = [phrase for phrase in joined.phrases if phrase.text == "new_york"]
    assert (phrase.count, phrase.first_count, phrase.last_count) == (2, 4, 3)
    assert phrase.score == pytest.approx((2 - 1) / (4 * 3) * 21)
    assert text.endswith("york new\n")


def test_connectors_stay_inside_phrases(join):
    """With connectors a phrase runs across them, and neither begins nor ends with one."""
    text, _ = join(CITY, connectors={"of", "the", "in", "is"})

    assert "see the bank_of_america\nthe bank_of_america is new\n" in text


def test_a_joined_word_is_not_joined_again_in_its_pass(join):
    """From left to right, as word2phrase.c: `a b c` becomes a_b c, and a_b_c in a second pass alone."""
    line = "a b c\n" * 20

    assert join(line, passes=1)[0] == "a_b c\n" * 20
    assert join(line, passes=2)[0] == "a_b_c\n" * 20


def test_npmi_is_one_for_words_that_stand_together_only(join):
    """Bouma's NPMI is 1 where two words never stand apart, and 0 where they meet as chance has it."""
    _, joined = join("a b\nc d\n" * 8, score="npmi", threshold=0.9)

    assert [(phrase.text, phrase.score) for phrase in joined.phrases] == [("a_b", 1.0), ("c_d", 1.0)]
    assert npmi_scores(np.array([10]), np.array([100]), np.array([100]), words=1000)[0] == pytest.approx(0)


def test_word2phrase_takes_min_count_off():
    """A pair that occurs no oftener than min_count scores 0, which no threshold lets through."""
    assert word2phrase_scores(np.array([5]), np.array([5]), np.array([5]), words=100, min_count=5) == [0]


WORDS = st.sampled_from(["a", "b", "c", "of", "the", "a_b", "é", "d"])
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=12), min_size=1, max_size=12)


@settings(deadline=None, max_examples=150)
@given(
    lines=LINES,
    score=st.sampled_from(["word2phrase", "npmi"]),
    threshold=st.sampled_from([0.0, 0.3, 1.0, 4.0]),
    min_count=st.integers(1, 4),
    connectors=st.sampled_from([frozenset(), frozenset({"of", "the"})]),
    most_pairs=st.sampled_from([1, 1 << 23]),
    threads=st.integers(1, 3),
    step=st.sampled_from([None, 1, 2, 7]),
)
def test_it_is_what_plain_python_does(join, lines, score, threshold, min_count, connectors, most_pairs, threads, step):
    """Lines, phrases, scores and counts are those of the plain rules, on few threads or many, with room or without."""
    lines = [["zz", "z"], *lines]  # two different words, at least
    rules = {"score": score, "threshold": threshold, "min_count": min_count, "connectors": connectors}
    expected, found = plain_join(lines, **rules)

    with steps_of(step), pytest.MonkeyPatch.context() as patch:
        patch.setattr(collocations, "MOST_PAIRS", most_pairs)
        text, joined = join("\n".join(map(" ".join, lines)), threads, **rules)

    assert text == "".join(f"{' '.join(line)}\n" for line in expected)
    rows = sorted((p.text, round(p.score, 9), p.count, p.first_count, p.last_count) for p in joined.phrases)
    assert rows == sorted(("_".join(pair), round(value, 9), *rest) for pair, (value, *rest) in found.items())
    assert joined.words.count("a_b") <= 1


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_and_room_change_nothing(join, monkeypatch, threads):
    """Any number of threads, also with a table of a few thousand pairs, gives the text that one gives with room."""
    draws = np.random.default_rng(1).zipf(1.3, 60_000) % 3000
    text = "\n".join(" ".join(f"w{word}" for word in line) for line in draws.reshape(-1, 20))
    rules = {"min_count": 2, "threshold": 1, "connectors": {"w1", "w7"}, "passes": 2}
    expected, of_one = join(text, **rules)

    with steps_of(1000):
        assert join(text, threads, **rules)[0] == expected
        monkeypatch.setattr(collocations, "MOST_PAIRS", 3000)
        few, joined = join(text, threads, **rules)

    assert few == expected
    assert joined.phrases == of_one.phrases
    assert joined.joins == of_one.joins > 0


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("step", [1000, 1 << 16])
def test_each_pair_is_counted_once_in_parts_of_parts(monkeypatch, threads, step):
    """A table that is split in the middle of a step leaves no pair to two parts, and none out."""
    ids = (np.random.default_rng(2).zipf(1.3, 60_000) % 3000).astype(np.int32)
    links = number_connectors(ids, np.array([0, len(ids)]), np.full(3000, ORDINARY, np.uint8))
    text = PairText(ids, np.array([0, len(ids)]), np.full(3000, ORDINARY, np.uint8), links.arrays)
    monkeypatch.setattr(collocations, "MOST_PAIRS", 3000)

    with steps_of(step):
        parts = PairCounter(text, 1).map(lambda pairs: pairs, threads=threads)

    assert len(parts) > 2 * threads
    found = [pair for part in parts for pair in zip(*(column.tolist() for column in part), strict=True)]
    expected = Counter(pairwise(ids.tolist()))
    assert sorted(found) == sorted((left, 0, right, count) for (left, right), count in expected.items())


@settings(max_examples=300)
@given(
    words=st.integers(2, 10**12),
    counts=st.tuples(*[st.integers(1, 10**9)] * 2),
    pair=st.integers(1, 10**9),
    min_count=st.integers(1, 10**9),
    score=st.sampled_from(["word2phrase", "npmi"]),
)
@example(10**12, (560_022_832, 560_022_831), 560_022_831, 1, "word2phrase")  # where rounding counts
def test_no_word_is_passed_over_that_a_phrase_may_hold(words, counts, pair, min_count, score):
    """A pair just above the threshold is of two words that may be joined, by either score and however it is rounded."""
    of_words = np.minimum(np.array(counts), words - 1)
    of_pair = np.minimum(pair, of_words.min(keepdims=True))
    rules = PhraseRules(score, 0.0, min(min_count, int(of_pair[0])))
    value = rules.scores(of_pair, of_words[:1], of_words[1:], words=words)[0]

    rules = replace(rules, threshold=float(np.nextafter(value, -np.inf)))

    assert rules.may_join(of_words, words=words).all()


def test_words_too_frequent_for_any_phrase_are_passed_over():
    """Above one of a hundred words, no word can score over 100."""
    rules = PhraseRules("word2phrase", 100.0, 5)

    assert rules.may_join(np.array([4, 5, 6, 900, 1100]), words=100_000).tolist() == [False, False, True, True, False]


@settings(deadline=None, max_examples=40)
@given(lines=LINES)
def test_two_passes_are_one_after_the_other(join, lines):
    """`--passes 2` gives what joining the joined text again gives."""
    text = "zz z\n" + "\n".join(map(" ".join, lines)) + "\n"
    once, _ = join(text)

    assert join(text, passes=2)[0] == join(once)[0]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("step", [1, 3])
def test_sentences_longer_than_a_step_are_joined_as_any_other(join, threads, step):
    """A pass that is left and taken up again amid a phrase gives the same text."""
    text = "new york of the bank of america in " * 40
    rules = {"connectors": {"of", "the"}, "min_count": 2}
    whole, _ = join(text, **rules)

    with steps_of(step):
        assert join(text, threads, **rules)[0] == whole

    assert "bank_of_america" in whole


@pytest.fixture(scope="module")
def real_text(tmp_path_factory):
    """Return a real text, of lower-case words and lines, or skip."""
    if not demo.is_installed():
        pytest.skip('the extra "demo" is not installed: NOT run')
    path = tmp_path_factory.mktemp("real") / "real.txt"
    demo.write_demo_text(path)
    lines = path.read_text(encoding="utf-8").lower().replace("_", " ").splitlines()[:15_000]
    path.write_text("\n".join(" ".join(line.split()) for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("connectors", [frozenset(), ENGLISH_CONNECTORS], ids=["plain", "connectors"])
@pytest.mark.parametrize(("score", "threshold"), [("word2phrase", 10.0), ("npmi", 0.5)])
def test_it_finds_what_gensim_finds(real_text: Path, score, threshold, connectors):
    """On a real text gensim's Phrases has the same phrases, scores and joined lines.

    gensim multiplies by the number of its entries, where word2phrase.c does by that of words.
    """
    gensim = pytest.importorskip("gensim.models.phrases", reason="gensim is not installed: NOT run")
    sentences = [line.split() for line in real_text.read_text(encoding="utf-8").split("\n") if line.strip()]
    peer = gensim.Phrases(
        sentences,
        min_count=5,
        threshold=threshold,
        scoring="npmi" if score == "npmi" else "default",
        connector_words=connectors,
        max_vocab_size=40_000_000,
    )
    scanned = scan_corpus(real_text, corpus_settings(CorpusSettings(tokens="whitespace")))
    factor = 1.0 if score == "npmi" else len(scanned.text.word_ids) / len(peer.vocab)

    joined = join_phrases(scanned, PhraseRules(score, threshold * factor, 5, connectors=connectors))

    expected = peer.export_phrases()
    assert len(expected) > 100
    assert {phrase.text: phrase.score for phrase in joined.phrases} == pytest.approx(
        {text: value * factor for text, value in expected.items()}
    )
    lines = b"".join(joined.iterate_blocks()).decode().splitlines()
    assert lines == [" ".join(peer[sentence]) for sentence in sentences]
