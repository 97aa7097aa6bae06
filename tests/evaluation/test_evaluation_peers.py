"""gensim's evaluators give the same numbers: random vectors with equal rows, words in several cases, restrictions."""

import numpy as np
import pytest

from w2v_cli.evaluation import analogies_numba, metrics, sets
from w2v_cli.vectors.keyed_vectors import KeyedVectors

gensim = pytest.importorskip("gensim.models", reason="gensim (extra dev) is not installed: NOT compared")

STEMS = [f"{first}{second}" for first in ("sea", "sky", "war", "ship", "king") for second in "abcdefgh"]
EQUAL_ROWS = 6  # words, each of which has the row of another
QUESTIONS = 2000


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture(params=["lower case", "mixed case"])
def words(request, rng):
    """Return words by falling frequency, of which some differ in capitals alone."""
    if request.param == "lower case":
        return STEMS
    mixed = [*STEMS, *(stem.capitalize() for stem in STEMS[::2]), *(stem.upper() for stem in STEMS[::3])]
    return [mixed[place] for place in rng.permutation(len(mixed))]


@pytest.fixture
def files(words, rng, tmp_path):
    """Return the vectors for w2v and for gensim, and a file of questions and one of pairs."""
    rows = rng.standard_normal((len(words), 5)).astype(np.float32)
    rows[-EQUAL_ROWS:] = rows[:EQUAL_ROWS]
    peer = gensim.KeyedVectors(5)
    peer.add_vectors(words, rows)
    pool = [*words, *STEMS, "unknown"]
    draw = [[pool[place] for place in rng.integers(0, len(pool), 4)] for _ in range(QUESTIONS)]
    lines = [": first", *map(" ".join, draw[:700]), ": second", *map(" ".join, draw[700:])]
    (tmp_path / "questions.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    row_of = dict(zip(words, rows.tolist(), strict=True))
    pairs = [
        (first, second, rating)
        for (first, second, *_), rating in zip(draw, rng.integers(0, 10, QUESTIONS), strict=True)
        if first.upper() != second.upper() and row_of.get(first) != row_of.get(second)  # 1 but for rounding
    ][:300]
    pairs += [(second, first, rating) for first, second, rating in pairs[:50]]
    (tmp_path / "pairs.tsv").write_text("\n".join("\t".join(map(str, pair)) for pair in pairs) + "\n", encoding="utf-8")
    return KeyedVectors(rows, words), peer, tmp_path


CASES = [
    pytest.param({"ignore_case": True}, {}, id="as gensim does"),
    pytest.param({"ignore_case": True, "restrict": 30}, {"restrict_vocab": 30}, id="30 words"),
]


@pytest.mark.parametrize(("ours", "theirs"), CASES)
def test_analogies_are_gensims(files, ours, theirs):
    """Section by section, with the same questions left out."""
    word_vectors, peer, folder = files
    questions = folder / "questions.txt"
    accuracy, sections = peer.evaluate_word_analogies(str(questions), **theirs)

    found = metrics.analogy_accuracy(word_vectors, sets.read_analogy_questions(questions), **ours)

    assert found.total.accuracy == pytest.approx(accuracy, abs=1e-6)
    assert [(section.name, section.correct, section.asked) for section in found.sections] == [
        (section["section"], len(section["correct"]), len(section["correct"]) + len(section["incorrect"]))
        for section in sections[:-1]  # the last one is their sum
    ]
    assert found.total.correct > 0


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")  # gensim calls itself so
def test_3cosmul_is_gensims(files, monkeypatch):
    """Its evaluator knows the sum alone; with its own product in the sum's place, and its ε, the answers are ours."""
    word_vectors, peer, folder = files
    monkeypatch.setattr(analogies_numba, "MUL_EPSILON", 1e-6)
    monkeypatch.setattr(peer, "most_similar", lambda restrict_vocab, **asked: peer.most_similar_cosmul(**asked))  # noqa: ARG005  gensim names it
    accuracy, _ = peer.evaluate_word_analogies(str(folder / "questions.txt"))

    found = metrics.analogy_accuracy(
        word_vectors,
        sets.read_analogy_questions(folder / "questions.txt"),
        method="mul",
        ignore_case=True,
    )

    assert found.total.accuracy == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.parametrize(("ours", "theirs"), CASES)
def test_correlations_are_gensims(files, ours, theirs):
    """Spearman's ρ over the same pairs, ties included."""
    word_vectors, peer, folder = files
    _, spearman, percent_skipped = peer.evaluate_word_pairs(str(folder / "pairs.tsv"), **theirs)

    found = metrics.similarity_correlation(word_vectors, sets.read_word_pairs(folder / "pairs.tsv"), **ours)

    assert found.correlation == pytest.approx(spearman.statistic, abs=1e-6)
    assert found.coverage == pytest.approx(1 - percent_skipped / 100)


def test_lower_case_words_score_the_same_with_case_and_without(files, words):
    """Where no word has a capital, gensim's way and ours are one."""
    if words is not STEMS:
        pytest.skip("these words have capitals")
    word_vectors, _, folder = files
    sections = sets.read_analogy_questions(folder / "questions.txt")

    assert metrics.analogy_accuracy(word_vectors, sections) == metrics.analogy_accuracy(
        word_vectors, sections, ignore_case=True
    )
