"""How near words are to each other: a pair, the odd one of several, and the vector of a sum."""

from collections.abc import Sequence

import numpy as np

from w2v_cli.errors import ConfigError
from w2v_cli.humanize import count
from w2v_cli.queries.expression import Sum, Term
from w2v_cli.queries.rows import FloatArray, read_rows, read_unit_rows, unit
from w2v_cli.queries.search import Neighbour, combine, encode
from w2v_cli.vectors.keyed_vectors import KeyedVectors

FEWEST_WORDS = 3  # of two, neither fits less


def similarity(word_vectors: KeyedVectors, a: Sum, b: Sum) -> float:
    """Return the cosine of two words, or of sums of words at length 1; raise UnknownWordError for an unknown one."""
    first, second = unit_vector(word_vectors, a), unit_vector(word_vectors, b)
    return float(np.clip(first @ second, -1, 1))


def odd_one_out(word_vectors: KeyedVectors, words: Sequence[str]) -> list[Neighbour]:
    """Return the words and their cosines with the mean of all, lowest first: the first fits least.

    The mean is that of the words at length 1, as gensim's `doesnt_match` has it; equals keep their order.
    Raises UnknownWordError, and ConfigError for fewer than three different words.
    """
    different = list(dict.fromkeys(words))
    if len(different) < FEWEST_WORDS:
        raise ConfigError(
            f"{' '.join(words)!r} has {count(len(different), 'different word')}, one that does not fit needs 3."
        )
    rows = read_unit_rows(word_vectors.vectors, np.array([word_vectors.word_id(word) for word in different]))
    cosines = np.clip(rows @ unit(rows.mean(axis=0, keepdims=True))[0], -1, 1)
    order = np.argsort(cosines, kind="stable").tolist()
    return [Neighbour(different[place], float(cosines[place])) for place in order]


def unit_vector(word_vectors: KeyedVectors, question: Sum) -> FloatArray:
    """Return the vector (D,) of length 1 that `similar` looks for: the sum of the words' vectors at length 1."""
    word_ids, signs = encode(word_vectors, [question])
    vector: FloatArray = unit(combine(read_unit_rows(word_vectors.vectors, word_ids), signs))[0]
    return vector


def plain_vector(word_vectors: KeyedVectors, question: Sum) -> FloatArray:
    """Return the vector (D,) of a word as the file has it, or the sum of such vectors."""
    if question.terms == (Term(question.terms[0].word, 1),):
        row: FloatArray = word_vectors.vectors[word_vectors.word_id(question.terms[0].word)]
        return row
    word_ids, signs = encode(word_vectors, [question])
    vector: FloatArray = combine(read_rows(word_vectors.vectors, word_ids), signs)[0]
    return vector
