"""Scores agree with gensim's on the book's vectors, with SciPy's ranks, and with questions counted by hand."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from w2v_cli.errors import CorpusError
from w2v_cli.evaluation import analogies_numba, metrics, sets
from w2v_cli.evaluation.metrics import AnalogySectionScore
from w2v_cli.evaluation.sets import AnalogySection
from w2v_cli.vectors.keyed_vectors import KeyedVectors
from w2v_cli.vectors.load import open_vectors

# Unit vectors on a circle, degrees: man and woman stand as king and queen do; mouse and mice stand alone.
DEGREES = {"man": 0, "woman": 30, "king": 60, "queen": 90, "mouse": 180, "mice": 250, "Paris": 300}
QUESTION = ("man", "woman", "king", "queen")


@pytest.fixture(scope="module")
def book_vectors(shared_data):
    return open_vectors(shared_data / "book" / "cbow_params.pkl")


@pytest.fixture(scope="module")
def gensim_vectors(book_vectors):
    keyedvectors = pytest.importorskip("gensim.models.keyedvectors", reason="gensim (extra dev) is not installed")
    vectors = keyedvectors.KeyedVectors(book_vectors.vectors.shape[1])
    vectors.add_vectors(list(book_vectors.words), book_vectors.vectors.astype(np.float32))
    return vectors


def circle():
    angles = np.radians(list(DEGREES.values()))
    return KeyedVectors(np.column_stack((np.cos(angles), np.sin(angles))).astype(np.float32), list(DEGREES))


def score(*questions, **options):
    [section] = metrics.analogy_accuracy(circle(), [AnalogySection("x", questions)], **options).sections
    return section.correct, section.asked, section.skipped


def test_the_books_vectors_answer_as_many_analogies_as_in_gensim_and_in_the_book(book_vectors, shared_data):
    """77 of the 4,716 questions whose words are known: the number that gensim 4.4 gives."""
    sections = sets.read_analogy_questions(shared_data / "eval" / "questions-words.txt")

    result = metrics.analogy_accuracy(book_vectors, sections).total

    assert (result.correct, result.asked, result.skipped) == (77, 4716, 14828)


@pytest.mark.parametrize(
    ("name", "correlation", "counts"),
    [("wordsim353.tsv", 0.146515, (237, 116)), ("simlex999.txt", 0.074830, (575, 424))],
)
def test_the_books_vectors_correlate_as_published(book_vectors, shared_data, name, correlation, counts):
    """The values that gensim 4.4 gives: .147 and .075."""
    result = metrics.similarity_correlation(book_vectors, sets.read_word_pairs(shared_data / "eval" / name))

    assert result.correlation == pytest.approx(correlation, abs=2e-5)
    assert (result.asked, result.skipped) == counts


@pytest.mark.slow
def test_each_section_scores_as_in_gensim(book_vectors, gensim_vectors, shared_data):
    """Gensim upper-cases both sides and stops at 300,000 words: no difference for 10,000 lower-case words."""
    path = shared_data / "eval" / "questions-words.txt"
    _, expected = gensim_vectors.evaluate_word_analogies(str(path))

    result = metrics.analogy_accuracy(book_vectors, sets.read_analogy_questions(path))

    assert [(section.name, section.correct, section.asked) for section in result.sections] == [
        (section["section"], len(section["correct"]), len(section["correct"]) + len(section["incorrect"]))
        for section in expected[:-1]  # the last one is their sum
    ]


@pytest.mark.parametrize("name", ["wordsim353.tsv", "simlex999.txt"])
def test_correlation_is_gensims(book_vectors, gensim_vectors, shared_data, name):
    """The same rho over the same pairs."""
    path = shared_data / "eval" / name
    _, spearman, percent_skipped = gensim_vectors.evaluate_word_pairs(str(path))

    result = metrics.similarity_correlation(book_vectors, sets.read_word_pairs(path))

    assert result.correlation == pytest.approx(spearman.statistic, abs=1e-6)
    assert result.coverage == pytest.approx(1 - percent_skipped / 100)


def test_sections_are_counted_apart_and_summed():
    """Correct, wrong and skipped questions are told apart in each section."""
    sections = [
        AnalogySection("people", (QUESTION, ("man", "woman", "king", "mice"), ("man", "woman", "king", "emperor"))),
        AnalogySection("none known", (("a", "b", "c", "d"),)),
        AnalogySection("empty", ()),
    ]

    result = metrics.analogy_accuracy(circle(), sections)

    assert result.sections == (
        AnalogySectionScore("people", correct=1, asked=2, skipped=1),
        AnalogySectionScore("none known", correct=0, asked=0, skipped=1),
        AnalogySectionScore("empty", correct=0, asked=0, skipped=0),
    )
    assert (result.total.accuracy, result.total.coverage) == (0.5, 0.5)


def test_no_questions_have_no_accuracy():
    """A share of nothing is None, not 0."""
    result = metrics.analogy_accuracy(circle(), []).total

    assert (result.accuracy, result.interval, result.coverage) == (None, None, None)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (("Man", "WOMAN", "king", "Queen"), (1, 1, 0)),
        (("paris", "man", "king", "woman"), (0, 0, 1)),
        (("Paris", "man", "king", "mice"), (0, 1, 0)),
    ],
    ids=["casefolded", "not capitalised", "as it is"],
)
def test_a_word_is_looked_up_as_it_is_or_else_casefolded(question, expected):
    """Capitals in a question find lower-case words; the other way round nothing is guessed."""
    assert score(question) == expected


def test_a_question_that_expects_one_of_its_words_cannot_be_answered():
    """Query words are left out of the answers, as in the peers, and the question counts."""
    assert score(("man", "woman", "man", "woman")) == (0, 1, 0)


def test_restrict_leaves_out_rare_words_as_questions_and_as_answers():
    """With the first three words alone, questions with the fourth are skipped."""
    assert score(QUESTION, restrict=3) == (0, 0, 1)
    assert score(QUESTION, restrict=4) == (1, 1, 0)


def test_a_vocabulary_without_another_word_answers_nothing():
    """With V = 3 nothing is left to answer, and nothing breaks."""
    assert score(("man", "woman", "king", "man"), restrict=3) == (0, 1, 0)


@pytest.mark.parametrize("method", ["add", "mul", "dot"])
@pytest.mark.parametrize("most_words", [1, 3, 5])
def test_scores_do_not_depend_on_how_many_words_are_asked_at_once(monkeypatch, method, most_words):
    """Batches are a matter of memory, not of results."""
    questions = [(a, b, c, d) for a in DEGREES for b in DEGREES for c in ("king", "mice") for d in ("queen", "man")]
    expected = score(*questions, method=method)
    monkeypatch.setattr(analogies_numba, "MOST_WORDS", most_words)

    assert score(*questions, method=method) == expected


TIED_VALUES = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=30)


@settings(deadline=None)
@given(pairs=TIED_VALUES)
def test_rank_correlation_is_scipys(pairs):
    """Equal values share their average rank; constants have no correlation."""
    stats = pytest.importorskip("scipy.stats", reason="SciPy (extra dev) is not installed")
    first, second = np.array(pairs, float).T

    result = metrics.rank_correlation(first, second)

    if len(set(first)) == 1 or len(set(second)) == 1:
        assert result is None
    else:
        assert_allclose(result, stats.spearmanr(first, second).statistic, atol=1e-12)


def test_pairs_are_compared_by_cosine():
    """On a circle the order of similarity is that of the angles; an unknown word skips its pair."""
    pairs = [
        ("man", "Woman", 9.0),
        ("man", "king", 7.0),
        ("man", "queen", 5.0),
        ("man", "mouse", 1.0),
        ("x", "man", 0.0),
    ]

    result = metrics.similarity_correlation(circle(), pairs)

    assert (result.correlation, result.asked, result.skipped, result.coverage) == (pytest.approx(1), 4, 1, 0.8)


@pytest.mark.parametrize("pairs", [[], [("man", "king", 1.0)], [("x", "y", 1.0)] * 3, [("man", "king", 1.0)] * 2])
def test_too_few_pairs_have_no_correlation(pairs):
    """None rather than a number without meaning, or NaN."""
    assert metrics.similarity_correlation(circle(), pairs).correlation is None


def test_the_shared_sets_are_read_whole(shared_data):
    """19,544 questions in 14 sections, 353 and 999 pairs."""
    sections = sets.read_analogy_questions(shared_data / "eval" / "questions-words.txt")
    pairs = [sets.read_word_pairs(shared_data / "eval" / name) for name in ("wordsim353.tsv", "simlex999.txt")]

    assert (len(sections), sum(len(section.questions) for section in sections)) == (14, 19_544)
    assert [len(part) for part in pairs] == [353, 999]
    assert (sections[0].name, pairs[0][0]) == ("capital-common-countries", ("love", "sex", 6.77))


@pytest.mark.parametrize(
    ("read", "content", "cause"),
    [
        ("read_analogy_questions", "a b c d\n", "set.txt:1: a question before the first section"),
        ("read_analogy_questions", ": x\n\na b c d\na b c\n", "set.txt:4: a question has 4 words, found 3"),
        ("read_analogy_questions", ": x\n", "set.txt holds no analogy questions"),
        ("read_word_pairs", "# x\na b 1\na b\n", "set.txt:3: expected two words and a finite number"),
        ("read_word_pairs", "a b one\n", "set.txt:1: expected two words and a finite number"),
        ("read_word_pairs", "a b nan\n", "set.txt:1: expected two words and a finite number"),
        ("read_word_pairs", "# nothing\n", "set.txt holds no word pairs"),
        ("read_word_pairs", "\udcff b 1\n", "set.txt:1 is not UTF-8 text"),
    ],
)
def test_a_malformed_set_is_refused_by_line(tmp_path, read, content, cause):
    """The message names the file, the line and what belongs there."""
    (tmp_path / "set.txt").write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(CorpusError, match=re.escape(cause)):
        getattr(sets, read)(tmp_path / "set.txt")


@pytest.mark.parametrize("read", ["read_analogy_questions", "read_word_pairs"])
def test_a_missing_set_is_refused(tmp_path, read):
    """The message names the file."""
    with pytest.raises(CorpusError, match=r"cannot read the evaluation set .*none\.txt"):
        getattr(sets, read)(tmp_path / "none.txt")
