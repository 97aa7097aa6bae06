"""More different words than there is room for: what is forgotten, and that nothing else changes."""

import os
import threading
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.corpus.sources import Source


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return where to write a text."""
    return tmp_path_factory.mktemp("marking") / "x.txt"


def sentences_of(scanned):
    """Return the words of each sentence."""
    corpus, text = scanned
    words = [corpus.vocabulary.words[word_id] for word_id in text.word_ids]
    return [words[first:last] for first, last in pairwise(text.sentence_offsets)]


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**32 - 1),
    tokens=st.sampled_from(["words", "whitespace", "regex"]),
    most_runs=st.sampled_from([50, 1 << 20]),
    odd=st.sampled_from(["", "é"]),
)
def test_words_that_are_kept_are_counted_and_placed_exactly(path, seed, tokens, most_runs, odd):
    """Words all over the text survive with every occurrence; what is lost is told; threads change nothing."""
    rng = np.random.default_rng(seed)
    lines = [f"often{odd} {odd}w{rng.integers(0, 50_000)} steady w{rng.integers(0, 3000)}{odd}" for _ in range(1600)]
    path.write_text("\n".join(lines), encoding="utf-8")
    config = CorpusSettings(tokens=tokens, max_vocab=1000, min_count=300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("w2v_cli.corpus.reader.BLOCK_BYTES", 2048)
        patch.setattr("w2v_cli.corpus.encode.MOST_DEFERRED", most_runs)
        one, three = (scan_corpus(path, config, threads=threads) for threads in (1, 3))

    assert one.corpus.vocabulary.words == ("often" + odd, "steady")
    assert one.corpus.vocabulary.counts.tolist() == [1600, 1600]
    assert sentences_of(one) == [["often" + odd, "steady"]] * 1600
    assert one.corpus.report.words == 6400
    assert one.corpus.report.forgotten_occurrences + one.corpus.report.rare_occurrences == 3200
    assert one.corpus.report.forgotten_occurrences >= one.corpus.report.forgotten_words > 0
    assert "more than 1,000 different words: rare ones" in one.corpus.warnings[0]
    assert one.corpus.report == three.corpus.report
    assert (one.text.word_ids == three.text.word_ids).all()


@given(max_vocab=st.integers(1000, 1400))
@settings(max_examples=15)
def test_ids_and_counts_agree_after_forgetting(path, max_vocab):
    """Of a word that was forgotten and came again, only what came since is counted, and only that is in the text."""
    rng = np.random.default_rng(max_vocab)
    lines = [" ".join(f"w{number}" for number in rng.zipf(1.2, 9) if number < 10**6) for _ in range(3000)]
    path.write_text("\n".join(lines), encoding="utf-8")
    whole = scan_corpus(path, CorpusSettings(min_count=1)).corpus
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("w2v_cli.corpus.reader.BLOCK_BYTES", 4096)
        corpus, text = scan_corpus(path, CorpusSettings(min_count=1, max_vocab=max_vocab), threads=2)

    counted = Counter(text.word_ids.tolist())
    assert [counted[word_id] for word_id in range(len(corpus.vocabulary))] == corpus.vocabulary.counts.tolist()
    in_whole = dict(zip(whole.vocabulary.words, whole.vocabulary.counts.tolist(), strict=True))
    in_pruned = dict(zip(corpus.vocabulary.words, corpus.vocabulary.counts.tolist(), strict=True))
    assert all(count <= in_whole[word] for word, count in in_pruned.items())
    assert [in_pruned[f"w{number}"] for number in (1, 2, 3)] == [in_whole[f"w{number}"] for number in (1, 2, 3)]
    assert corpus.report.words == whole.report.words
    assert corpus.vocabulary.kept_words + corpus.report.forgotten_occurrences == whole.report.words


def test_a_text_that_can_be_read_once_is_pruned_all_the_same(path, monkeypatch):
    """From a pipe come the same ids as from a file, whatever portions the pipe gives."""
    monkeypatch.setattr("w2v_cli.corpus.reader.BLOCK_BYTES", 1 << 13)
    content = "\n".join(f"often steady w{number}" for number in range(20_000)).encode()
    receiver, sender = os.pipe()

    def send():
        with os.fdopen(sender, "wb", buffering=0) as pipe:
            for begin in range(0, len(content), 999):
                pipe.write(content[begin : begin + 999])

    thread = threading.Thread(target=send)
    thread.start()
    corpus, text = scan_corpus([Source(f"/dev/fd/{receiver}")], CorpusSettings(max_vocab=1000, min_count=1))
    thread.join()
    os.close(receiver)

    assert corpus.vocabulary.words[:2] == ("often", "steady")
    assert corpus.vocabulary.counts[:2].tolist() == [20_000, 20_000]
    path.write_bytes(content)
    of_file = scan_corpus(path, CorpusSettings(max_vocab=1000, min_count=1))
    assert of_file.corpus.vocabulary.words == corpus.vocabulary.words
    assert (of_file.text.word_ids == text.word_ids).all()


def test_long_tokens_do_not_fill_the_memory(path):
    """Tokens that are no words are forgotten by their size, long before there are max_vocab of them."""
    path.write_text("\n".join(f"often {number:09d}{'x' * 9000} steady" for number in range(300)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("w2v_cli.corpus.reader.BLOCK_BYTES", 1 << 15)
        corpus = scan_corpus(path, CorpusSettings(max_vocab=1000, min_count=100)).corpus

    assert corpus.vocabulary.words == ("often", "steady")
    assert corpus.report.forgotten_words > 200
