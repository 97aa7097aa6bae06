"""Sums, choices of words, threads, pairs, odd words and several files agree with plain NumPy, and with gensim."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose

from w2v_cli.errors import ConfigError, UnknownWordError
from w2v_cli.queries import rows as row_reader
from w2v_cli.queries import search as searching
from w2v_cli.queries import top_k
from w2v_cli.queries.compare import ask_files, measure_files, shared_words
from w2v_cli.queries.expression import Sum, Term, parse_sum
from w2v_cli.queries.search import Search, answer_all, odd_one_out, plain_vector, similarity, unit_vector
from w2v_cli.vectors.keyed_vectors import KeyedVectors
from w2v_cli.vectors.load import open_vectors

METHODS = ["add", "mul", "dot"]
WORDS = [f"w{word_id}" for word_id in range(9)]


@st.composite
def word_vectors(draw):
    """Draw small integer vectors: rows of zeros and equal rows are frequent; counts in any order, or none."""
    V, D = draw(st.integers(2, 9)), draw(st.integers(1, 4))  # noqa: N806 - the glossary's shape letters
    rows = draw(arrays.arrays(np.float16, (V, D), elements=st.integers(-3, 3).map(float)))
    counts = draw(st.none() | arrays.arrays(np.int64, V, elements=st.integers(0, 4)))
    return KeyedVectors(rows, WORDS[:V], counts)


def sums_of(vectors):
    terms = st.builds(Term, st.sampled_from(list(vectors.words)), st.sampled_from([1, -1]))
    found = st.lists(terms, min_size=1, max_size=4, unique_by=lambda term: term.word)
    return found.map(lambda terms: Sum("?", tuple(terms))).filter(lambda one: not is_cancelled(vectors, one))


def unit(rows):
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def is_cancelled(vectors, question):
    """Return whether nothing but rounding may be left of a sum of some vectors: it has no direction then."""
    rows = unit(vectors.vectors.astype(np.float64)[[vectors.word_id(term.word) for term in question.terms]])
    return rows.any() and np.linalg.norm(np.array([term.sign for term in question.terms]) @ rows) < 0.01


def plain_scores(vectors, question, method):
    """Return the scores of all rows in float64, from the definitions of the papers."""
    x = vectors.vectors.astype(np.float64)
    rows = x[[vectors.words.index(term.word) for term in question.terms]]
    signs = np.array([term.sign for term in question.terms])
    match method:
        case "add":
            return unit(x) @ unit(signs @ unit(rows))
        case "dot":
            return x @ unit(signs @ rows)
        case "mul":
            shifted = (unit(x) @ unit(rows).T + 1) / 2
            divisor = shifted[:, signs < 0].prod(axis=1) + 0.001 if (signs < 0).any() else 1
            return shifted[:, signs > 0].prod(axis=1) / divisor


def plain_choice(vectors, question, search):
    """Return the ids of the rows that may answer, by a look at each."""
    V = len(vectors)  # noqa: N806  as above
    counts = vectors.counts
    ranked = sorted(range(V), key=lambda word_id: 0 if counts is None else -counts[word_id])
    return [
        word_id
        for word_id in range(V)
        if vectors.words[word_id] not in {term.word for term in question.terms}
        and (search.min_count is None or counts[word_id] >= search.min_count)
        and (search.restrict is None or word_id in ranked[: search.restrict])
    ]


@given(data=st.data(), vectors=word_vectors(), block_rows=st.integers(1, 5), threads=st.integers(1, 3))
@pytest.mark.parametrize("method", METHODS)
def test_answers_to_sums_are_those_of_plain_numpy(method, data, vectors, block_rows, threads):
    """For one question or many, any signs, any choice of words, blocks of any size and any number of threads."""
    questions = data.draw(st.lists(sums_of(vectors), min_size=1, max_size=7))
    search = Search(
        top=data.draw(st.integers(1, 6)),
        method=method,
        min_count=None if vectors.counts is None else data.draw(st.none() | st.integers(1, 4)),
        restrict=data.draw(st.none() | st.integers(1, 10)),
        threads=threads,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_reader, "BLOCK_ROWS", block_rows)
        patch.setattr(top_k, "LEAST_ROWS", 1)
        patch.setattr(searching, "QUESTIONS_AT_ONCE", data.draw(st.integers(1, 8)))
        found = answer_all(vectors, questions, search)

    tolerance = {"rtol": 3e-4, "atol": 3e-4} if method == "mul" else {"rtol": 2e-6, "atol": 4e-6}
    for question, answers in zip(questions, found, strict=True):
        scores, choice = plain_scores(vectors, question, method), plain_choice(vectors, question, search)
        ids = [vectors.word_id(neighbour.word) for neighbour in answers]
        assert set(ids) <= set(choice)
        assert len(ids) == min(search.top, len(choice))
        assert_allclose([neighbour.score for neighbour in answers], scores[ids], **tolerance)
        assert_allclose(scores[ids], np.sort(scores[choice])[::-1][: len(ids)], **tolerance)


@given(data=st.data(), top=st.integers(1, 8), threads=st.integers(1, 4), block_rows=st.integers(1, 30))
def test_the_nearest_are_those_of_a_full_sort(data, top, threads, block_rows):
    """Scores with many ties, blocks of any size, rows struck out: the highest come first, ties by id."""
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 60)))
    scores = data.draw(arrays.arrays(np.float32, shape, elements=st.integers(0, 5).map(float)))
    excluded = data.draw(arrays.arrays(np.int64, (shape[0], 2), elements=st.integers(-1, shape[1] - 1)))
    rows = np.arange(shape[1], dtype=np.float32).reshape(-1, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_reader, "BLOCK_ROWS", block_rows)
        patch.setattr(top_k, "LEAST_ROWS", 1)
        found = top_k.nearest(rows, lambda block: scores[:, block[:, 0].astype(int)], excluded, top, threads=threads)

    for query, (ids, best) in enumerate(found):
        allowed = [row for row in range(shape[1]) if row not in excluded[query]]
        expected = sorted(allowed, key=lambda row, of=scores[query]: (-of[row], row))[:top]
        assert (ids.tolist(), best.tolist()) == (expected, scores[query][expected].tolist())


@given(data=st.data(), vectors=word_vectors())
def test_a_pair_s_similarity_is_the_cosine_of_its_sums(data, vectors):
    """The same from either side, and never beyond [-1, 1]."""
    a, b = data.draw(sums_of(vectors)), data.draw(sums_of(vectors))

    def plain(question):
        rows = unit(vectors.vectors.astype(np.float64)[[vectors.word_id(term.word) for term in question.terms]])
        return unit(np.array([term.sign for term in question.terms]) @ rows)

    found = similarity(vectors, a, b)

    assert -1 <= found <= 1
    assert found == similarity(vectors, b, a)
    assert_allclose(found, plain(a) @ plain(b), atol=4e-6)
    assert_allclose(unit_vector(vectors, a), plain(a), atol=4e-6)


def test_a_word_s_vector_is_the_file_s():
    """A word's vector is its row, bit for bit; a sum's is the sum of rows."""
    vectors = KeyedVectors(np.array([[0.1, 2], [3, 4]], np.float16), ["a", "b"])

    assert plain_vector(vectors, Sum("a", (Term("a", 1),))).tobytes() == vectors.vectors[0].tobytes()
    assert_allclose(plain_vector(vectors, parse_sum("b - a", lambda _: False)), [2.9, 2], rtol=1e-3)


@given(vectors=word_vectors(), data=st.data())
def test_the_odd_word_is_farthest_from_the_mean(vectors, data):
    """The words stand by rising cosine with the mean of all at length 1."""
    words = data.draw(st.lists(st.sampled_from(list(vectors.words)), min_size=1, max_size=6))
    different = list(dict.fromkeys(words))
    if len(different) < 3:
        with pytest.raises(ConfigError, match="at least three different words; you gave only"):
            odd_one_out(vectors, words)
        return

    found = odd_one_out(vectors, words)

    rows = unit(vectors.vectors.astype(np.float64)[[vectors.word_id(word) for word in different]])
    cosines = dict(zip(different, rows @ unit(rows.mean(axis=0)), strict=True))
    assert sorted(neighbour.word for neighbour in found) == sorted(different)
    assert [n.score for n in found] == sorted(n.score for n in found)
    assert_allclose([n.score for n in found], [cosines[n.word] for n in found], atol=4e-6)


def test_files_are_asked_side_by_side():
    """A file that lacks a word has its error in place of answers; where all lack one, the first file's error."""
    first = KeyedVectors(np.eye(4, dtype=np.float16), ["a", "b", "c", "d"])
    second = KeyedVectors(np.eye(3, dtype=np.float16)[::-1], ["a", "d", "x"])

    both, one, none = ask_files([first, second], [Sum(word, (Term(word, 1),)) for word in ("a", "x", "y")], Search())

    assert [neighbour.word for neighbour in both[0]] == ["b", "c", "d"]
    assert [neighbour.word for neighbour in both[1]] == ["d", "x"]
    assert shared_words(both) == ["d"]
    assert isinstance(one[0], UnknownWordError)
    assert shared_words(one) == []
    assert isinstance(none, UnknownWordError)
    assert "(4 words)" in str(none)
    assert measure_files([first, second], lambda file: file.word_id("d")) == [3, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top": 0}, "top must be at least 1, was 0"),
        ({"restrict": 0}, "restrict must be at least 1, was 0"),
        ({"min_count": -1}, "min_count must be at least 1, was -1"),
        ({"method": "sum"}, "unknown analogy method 'sum'; choose one of add, mul, dot"),
    ],
)
def test_a_search_that_means_nothing_is_refused(changes, message):
    """With the option and the value."""
    with pytest.raises(ConfigError, match=message):
        Search(**changes)


def test_min_count_needs_counts():
    """A file without them cannot choose."""
    vectors = KeyedVectors(np.eye(2, dtype=np.float16), ["a", "b"])

    with pytest.raises(ConfigError, match="min_count needs"):
        answer_all(vectors, [Sum("a", (Term("a", 1),))], Search(min_count=2))


@pytest.fixture(scope="module")
def book_vectors(shared_data):
    """Return the vectors that the book's authors publish."""
    return open_vectors(shared_data / "book" / "cbow_params.pkl")


@pytest.fixture(scope="module")
def keyed_vectors(book_vectors):
    """Return the same vectors in gensim; skip without it."""
    models = pytest.importorskip("gensim.models", reason="gensim (extra bench) is not installed: NOT compared")
    keyed = models.KeyedVectors(book_vectors.vectors.shape[1])
    keyed.add_vectors(list(book_vectors.words), book_vectors.vectors.astype(np.float32))
    return keyed


@pytest.mark.parametrize("text", ["you", "king - man + woman", "took - take + go", "- war", "car + cars - child"])
@pytest.mark.parametrize("restrict", [None, 3000])
def test_sums_are_answered_as_by_gensim(book_vectors, keyed_vectors, text, restrict):
    """The words and cosines of most_similar."""
    question = parse_sum(text, book_vectors.__contains__)
    positive = [term.word for term in question.terms if term.sign > 0]
    negative = [term.word for term in question.terms if term.sign < 0]

    [found] = answer_all(book_vectors, [question], Search(top=10, restrict=restrict))

    expected = keyed_vectors.most_similar(positive, negative, topn=10, restrict_vocab=restrict)
    assert [neighbour.word for neighbour in found] == [word for word, _ in expected]
    assert_allclose([neighbour.score for neighbour in found], [score for _, score in expected], atol=2e-6)


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")  # gensim calls its own
@pytest.mark.parametrize("text", ["king - man + woman", "took - take + go", "you + we"])
def test_mul_is_gensim_s(book_vectors, keyed_vectors, text):
    """The scores of most_similar_cosmul, but for its smaller epsilon: 0.001 in our divisor is less than 1 % of it."""
    question = parse_sum(text, book_vectors.__contains__)
    positive = [term.word for term in question.terms if term.sign > 0]
    negative = [term.word for term in question.terms if term.sign < 0]

    [found] = answer_all(book_vectors, [question], Search(top=10, method="mul"))

    expected = keyed_vectors.most_similar_cosmul(positive, negative, topn=10)
    assert found[0].word == expected[0][0]
    assert_allclose([neighbour.score for neighbour in found], [score for _, score in expected], rtol=0.01)


@pytest.mark.parametrize("text", ["breakfast dinner lunch war", "year month week toyota", "king queen man car"])
def test_the_odd_word_is_gensim_s(book_vectors, keyed_vectors, text):
    """The word of doesnt_match."""
    known = [word for word in text.split() if word in book_vectors]

    assert odd_one_out(book_vectors, known)[0].word == keyed_vectors.doesnt_match(known)
