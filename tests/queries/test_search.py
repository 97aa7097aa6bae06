"""Queries agree with the book's answers and with brute force, in one block or many, without a copy of all rows."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose, assert_array_equal

from factories import analogy, similar
from w2v_cli.errors import ConfigError, UnknownWordError
from w2v_cli.queries import rows as row_reader
from w2v_cli.queries import search
from w2v_cli.queries.top_k import nearest
from w2v_cli.vectors.keyed_vectors import KeyedVectors
from w2v_cli.vectors.load import open_vectors

# What the book's own code answers from its published checkpoint, printed to 4 and to 2 decimals (design, section 4).
BOOK_SIMILAR = {
    "you": "we 0.6104, someone 0.5913, i 0.554, something 0.4897, anyone 0.4731",
    "year": "month 0.7188, week 0.6523, spring 0.6274, summer 0.626, decade 0.6035",
    "toyota": "ford 0.551, instrumentation 0.51, mazda 0.4937, bethlehem 0.475, nissan 0.4749",
}
BOOK_ANALOGIES = {
    "king man queen": "woman 5.16, veto 4.93, ounce 4.69, earthquake 4.63, successor 4.61",
    "take took go": "went 4.55, points 4.25, began 4.09, comes 3.98, oct. 3.91",
    "car cars child": "children 5.22, average 4.73, yield 4.21, cattle 4.19, priced 4.18",
    "good better bad": "more 6.65, less 6.06, rather 5.22, slower 4.73, greater 4.67",
}
METHODS = ["add", "mul", "dot"]
# float32 rounds a cosine by some 1e-7, which mul may divide by 0.001.
TOLERANCE = {
    "similar": {"rtol": 0, "atol": 2e-6},
    "add": {"rtol": 0, "atol": 2e-6},
    "mul": {"rtol": 3e-4, "atol": 3e-4},
    "dot": {"rtol": 2e-6, "atol": 2e-6},
}


@pytest.fixture(scope="module")
def book_vectors(shared_data):
    return open_vectors(shared_data / "book" / "cbow_params.pkl")


def assert_answers(neighbours, table, *, rounding):
    expected = [(word, float(score)) for word, score in (entry.split() for entry in table.split(", "))]
    assert [neighbour.word for neighbour in neighbours] == [word for word, _ in expected]
    for neighbour, (_, score) in zip(neighbours, expected, strict=True):
        assert abs(neighbour.score - score) <= 0.001 * score + rounding


@pytest.mark.parametrize(("word", "table"), BOOK_SIMILAR.items())
def test_similar_words_are_the_books(book_vectors, word, table):
    """The same words in the same order, within 0.001 of the score's size: the book computes in float16."""
    assert_answers(similar(book_vectors, word, top=5), table, rounding=0.00005)


@pytest.mark.parametrize(("question", "table"), BOOK_ANALOGIES.items())
def test_analogies_by_dot_are_the_books(book_vectors, question, table):
    """The same words in the same order, within 0.001 of the score's size."""
    assert_answers(analogy(book_vectors, *question.split(), method="dot"), table, rounding=0.005)


@st.composite
def word_vectors(draw, min_size=1):
    """Draw small integer vectors in float16 or float32: rows of zeros and equal rows are frequent."""
    V, D = draw(st.integers(min_size, 9)), draw(st.integers(1, 4))  # noqa: N806 - the glossary's shape letters
    rows = draw(arrays.arrays(np.float32, (V, D), elements=st.integers(-3, 3).map(float)))
    dtype = draw(st.sampled_from([np.float16, np.float32]))
    return KeyedVectors(rows.astype(dtype), [f"w{word_id}" for word_id in range(V)])


def unit(rows):
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def brute_force(vectors, a, b, c, method):
    """Return the scores of all rows in float64, from the definitions of the papers."""
    x = vectors.vectors.astype(np.float64)
    match method:
        case "similar":
            return unit(x) @ unit(x)[a]
        case "add":
            return unit(x) @ unit(unit(x)[b] - unit(x)[a] + unit(x)[c])
        case "mul":
            cosines = (unit(x) @ unit(x)[[a, b, c]].T + 1) / 2
            return cosines[:, 1] * cosines[:, 2] / (cosines[:, 0] + 0.001)
        case "dot":
            return x @ unit(x[b] - x[a] + x[c])


def assert_best(neighbours, scores, excluded, vectors, tolerance):
    """Check answers against all `scores`: the best in order, equal rows by rising id."""
    ids = [vectors.word_id(neighbour.word) for neighbour in neighbours]
    candidates = np.delete(scores, list(excluded))
    assert not excluded & set(ids)
    assert_allclose([n.score for n in neighbours], scores[ids], **tolerance)
    assert_allclose(scores[ids], np.sort(candidates)[::-1][: len(ids)], **tolerance)
    for word_id in ids:
        same = [other for other in range(len(vectors)) if np.array_equal(*vectors.vectors[[word_id, other]])]
        answered = [other for other in ids if other in same]
        assert answered == [other for other in same if other not in excluded][: len(answered)]


@settings(deadline=None, max_examples=150)
@given(data=st.data(), vectors=word_vectors(), top=st.integers(1, 12), block_rows=st.integers(1, 5))
@pytest.mark.parametrize("method", ["similar", *METHODS])
def test_answers_agree_with_brute_force(method, data, vectors, top, block_rows):
    """Every method gives the best rows, best first, ties by word id, whatever the size of a block."""
    a, b, c = data.draw(st.tuples(*[st.integers(0, len(vectors) - 1)] * 3))
    words = [vectors.words[word_id] for word_id in (a, b, c)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_reader, "BLOCK_ROWS", block_rows)
        if method == "similar":
            neighbours, excluded = similar(vectors, words[0], top=top), {a}
        else:
            neighbours, excluded = analogy(vectors, *words, top=top, method=method), {a, b, c}

    assert len(neighbours) == min(top, len(vectors) - len(excluded))
    assert_best(neighbours, brute_force(vectors, a, b, c, method), excluded, vectors, TOLERANCE[method])


@settings(deadline=None)
@given(data=st.data(), vectors=word_vectors(), block_rows=st.integers(1, 5))
@pytest.mark.parametrize("method", METHODS)
def test_many_questions_at_once_get_the_answers_of_each_alone(method, data, vectors, block_rows):
    """A batch, which goes through BLAS, gives the scores that single questions get."""
    word_ids = st.integers(0, len(vectors) - 1)
    questions = np.array(data.draw(st.lists(st.tuples(word_ids, word_ids, word_ids), min_size=5, max_size=8)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_reader, "BLOCK_ROWS", block_rows)
        scorer = search.sum_scorer(vectors.vectors, questions, np.tile([-1, 1, 1], (len(questions), 1)), method)
        batch = nearest(vectors.vectors, scorer, questions, 3)

    for question, (_, scores) in zip(questions.tolist(), batch, strict=True):
        words = [vectors.words[word_id] for word_id in question]
        alone = analogy(vectors, *words, top=3, method=method)
        assert_allclose(scores, [neighbour.score for neighbour in alone], **TOLERANCE[method])


@pytest.mark.parametrize("dimensions", [3, 7, 50, 100, 300])
def test_equal_rows_tie_in_a_block_of_any_length(dimensions):
    """The lower ids answer, whichever rows stand at the edge of a block: BLAS would tell equal rows apart."""
    query, row = np.random.default_rng(1).standard_normal((2, dimensions)).astype(np.float16)
    for size in (3, 7, 1001):
        vectors = KeyedVectors(np.array([query, *[row] * size]), [f"w{word_id}" for word_id in range(1 + size)])

        neighbours = similar(vectors, "w0", top=3)

        assert [neighbour.word for neighbour in neighbours] == ["w1", "w2", "w3"]


def test_every_finite_float16_is_widened_exactly():
    """All 63,488 of them, subnormal numbers and both zeros included, in either byte order."""
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)].reshape(-1, 1)

    for rows in (halves, halves.astype(">f2")):
        widened = np.concatenate([block.copy() for _, block in row_reader.iterate_float32(rows)])
        assert_array_equal(widened.view(np.uint32), halves.astype(np.float32).view(np.uint32))


def test_a_row_of_zeros_is_similar_to_nothing():
    """Its similarity is 0, as a query and as an answer."""
    vectors = KeyedVectors(np.array([[0, 0], [1, 0], [-1, 0]], np.float16), ["zero", "right", "left"])

    assert [n.score for n in similar(vectors, "zero")] == [0, 0]
    assert similar(vectors, "right") == [search.Neighbour("zero", 0), search.Neighbour("left", -1)]


def test_a_similarity_is_never_above_one():
    """Rounding does not lead out of [-1, 1]."""
    rows = np.repeat(np.random.default_rng(0).standard_normal((500, 33)), 2, axis=0).astype(np.float16)
    vectors = KeyedVectors(rows, [f"w{word_id}" for word_id in range(1000)])

    assert all(abs(similar(vectors, word, top=1)[0].score) <= 1 for word in vectors.words[:200])


def test_a_vocabulary_of_the_query_alone_has_no_answers():
    """With V = 1, or with nothing but a, b and c, the answer is an empty list."""
    vectors = KeyedVectors(np.ones((2, 3), np.float16), ["a", "b"])

    assert similar(KeyedVectors(vectors.vectors[:1], ["a"]), "a") == []
    assert analogy(vectors, "a", "b", "a") == []


def test_top_beyond_the_vocabulary_gives_all_other_words():
    """`top` is a bound, not a demand."""
    vectors = KeyedVectors(np.eye(4, dtype=np.float16), list("abcd"))

    assert [neighbour.word for neighbour in similar(vectors, "b", top=100)] == ["a", "c", "d"]


@pytest.mark.parametrize("top", [0, -1])
def test_top_below_one_is_refused(top):
    """The message names the option and the value."""
    vectors = KeyedVectors(np.eye(4, dtype=np.float16), list("abcd"))

    with pytest.raises(ConfigError, match=rf"top must be at least 1, was {top}"):
        similar(vectors, "a", top=top)


def test_an_unknown_method_is_refused_with_the_known_ones():
    """The message lists what there is."""
    vectors = KeyedVectors(np.eye(4, dtype=np.float16), list("abcd"))

    with pytest.raises(ConfigError, match="unknown analogy method 'sub'; choose one of add, mul, dot"):
        analogy(vectors, "a", "b", "c", method="sub")


@pytest.mark.parametrize("position", [0, 1, 2])
def test_an_unknown_word_of_an_analogy_is_named(position):
    """Whichever of the three it is."""
    words = ["a", "b", "c"]
    words[position] = "x"

    with pytest.raises(UnknownWordError, match="'x' is not in the vocabulary"):
        analogy(KeyedVectors(np.eye(4, dtype=np.float16), list("abcd")), *words)


@pytest.mark.parametrize("shape", [(100_000, 64), (1_000_000, 1)], ids=["long rows", "short rows"])
def test_a_query_takes_memory_for_a_block_only(shape):
    """No float32 copy of all rows (25 MB and 4 MB here) is ever made."""
    vectors = KeyedVectors(np.ones(shape, np.float16), [str(word_id) for word_id in range(shape[0])])
    tracemalloc.start()

    analogy(vectors, "0", "1", "2", method="mul")

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
