"""The public Python class `w2v_cli.WordVectors`, one method for each kind of query, and `w2v_cli.load`."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self, overload

import numpy as np

from w2v_cli.humanize import count
from w2v_cli.queries import search
from w2v_cli.queries.expression import Sum, parse_sum
from w2v_cli.queries.rows import FloatArray
from w2v_cli.queries.search import AnalogyMethod, Neighbour, Search
from w2v_cli.system.machine import available_cores
from w2v_cli.vectors import keyed_vectors, open_vectors

__all__ = ["Neighbour", "WordVectors", "load"]


class WordVectors(keyed_vectors.KeyedVectors):
    """Words and their vectors, and the queries that they answer.

    A question is a word or a sum of words with signs between spaces, such as "king - man + woman". A word that is not
    in the vocabulary raises UnknownWordError, whose `suggestions` are words of similar spelling.

    Attributes:
        words: The V words, the most frequent first.
        vectors: (V, D) float16 or float32, the row of each word.
        counts: (V,) int64, the occurrences of each word in the corpus; None if the file has none.
        metadata: How the vectors were made, such as `metadata["epoch_losses"]`.

    >>> import numpy as np
    >>> vectors = WordVectors(np.eye(3, dtype=np.float32), ("sun", "moon", "sea"))
    >>> len(vectors), "moon" in vectors, vectors["moon"].tolist()
    (3, True, [0.0, 1.0, 0.0])
    """

    @classmethod
    def of(cls, plain: keyed_vectors.KeyedVectors) -> Self:
        """Return the same vectors with the methods of this class; nothing is copied."""
        return cls(plain.vectors, plain.words, plain.counts, plain.metadata)

    @property
    def dim(self) -> int:
        """D, the number of dimensions."""
        return int(self.vectors.shape[1])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the words."""
        return iter(self.words)

    def __getitem__(self, question: str) -> FloatArray:
        """Return the vector of a word as it was trained, or the sum of such vectors.

        Args:
            question: A word or a sum of words.

        Returns:
            (D,) float32.

        Raises:
            UnknownWordError: A word is not in the vocabulary.
        """
        return np.array(search.plain_vector(self, self._sum(question)), np.float32)

    def __repr__(self) -> str:
        return f"<WordVectors: {count(len(self), 'word')}, {count(self.dim, 'dimension')}>"

    @overload
    def similar(
        self,
        question: str,
        top: int = 10,
        *,
        method: AnalogyMethod = "add",
        min_count: int | None = None,
        restrict: int | None = None,
    ) -> list[Neighbour]: ...

    @overload
    def similar(
        self,
        question: list[str] | tuple[str, ...],
        top: int = 10,
        *,
        method: AnalogyMethod = "add",
        min_count: int | None = None,
        restrict: int | None = None,
    ) -> list[list[Neighbour]]: ...

    def similar(
        self,
        question: str | list[str] | tuple[str, ...],
        top: int = 10,
        *,
        method: AnalogyMethod = "add",
        min_count: int | None = None,
        restrict: int | None = None,
    ) -> list[Neighbour] | list[list[Neighbour]]:
        """Find the words nearest to a word or a sum by cosine similarity.

        Args:
            question: A word or a sum of words, or a list of them, which is answered in one pass over the vectors.
            top: The number of answers.
            method: How sums are scored, see `analogy`.
            min_count: Only words that occur at least this often in the corpus can be answers.
            restrict: Only this many of the most frequent words can be answers.

        Returns:
            The answers, nearest first, without the words of the question; for a list, a list of answers of each.

        Raises:
            UnknownWordError: A word is not in the vocabulary.
            ConfigError: A number is below 1, the method is unknown, or `min_count` is given and there are no counts.

        >>> import numpy as np
        >>> rows = np.array([[3, 0], [2, 1], [0, 1]], np.float32)
        >>> vectors = WordVectors(rows, ("king", "queen", "bread"))
        >>> [(found.word, round(found.score, 3)) for found in vectors.similar("king")]
        [('queen', 0.894), ('bread', 0.0)]
        """
        options = Search(top, method, min_count, restrict, threads=available_cores())
        questions = [question] if isinstance(question, str) else _listed(question)
        found = search.answer_all(self, [self._sum(one) for one in questions], options)
        return found[0] if isinstance(question, str) else found

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        top: int = 5,
        *,
        method: AnalogyMethod = "add",
        min_count: int | None = None,
        restrict: int | None = None,
    ) -> list[Neighbour]:
        """Answer "a is to b as c is to …": king, man, queen gives woman.

        Args:
            a: A word.
            b: A word.
            c: A word.
            top: The number of answers.
            method: The score of a word x: `add` is cos(x, b - a + c) of vectors at length 1 (3CosAdd, Mikolov et al.
                2013c), `mul` is 3CosMul (Levy & Goldberg 2014), `dot` is the book's dot product.
            min_count: Only words that occur at least this often in the corpus can be answers.
            restrict: Only this many of the most frequent words can be answers.

        Returns:
            The answers, best first, without `a`, `b` and `c`; each with its cosine, or the score of `mul` or `dot`.

        Raises:
            UnknownWordError: A word is not in the vocabulary.
            ConfigError: A number is below 1, the method is unknown, or `min_count` is given and there are no counts.
        """
        for word in (a, b, c):
            _check_text(word)
        options = Search(top, method, min_count, restrict, threads=available_cores())
        [found] = search.answer_all(self, [Sum.of_analogy(a, b, c)], options)
        return found

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine similarity of two words or sums, in [-1, 1].

        Args:
            a: A word or a sum of words.
            b: A word or a sum of words.

        Returns:
            The cosine of their vectors; words enter a sum at length 1.

        Raises:
            UnknownWordError: A word is not in the vocabulary.
        """
        return search.similarity(self, self._sum(a), self._sum(b))

    def odd(self, words: Sequence[str]) -> str:
        """Return the word that fits least with the others.

        Args:
            words: At least three different words.

        Returns:
            The word with the lowest cosine with the mean of all at length 1.

        Raises:
            UnknownWordError: A word is not in the vocabulary.
            ConfigError: There are fewer than three different words.
        """
        return search.odd_one_out(self, _listed(words))[0].word

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a vectors file with float16 numbers, completely or not at all.

        Args:
            path: The file to write.
            overwrite: Whether to replace an existing file.

        Returns:
            The path.

        Raises:
            ConfigError: The file exists, and `overwrite` is false.
            DivergedError: float16 cannot hold a number.
            StorageError: The disk refuses.
        """
        keyed_vectors.save(Path(path), self, overwrite=overwrite)
        return Path(path)

    def _sum(self, question: str) -> Sum:
        """Return a question parsed; a word of the vocabulary is itself."""
        _check_text(question)
        return parse_sum(question, self.__contains__)


def _listed(questions: Sequence[str]) -> list[str]:
    """Return several words as a list; raise TypeError for a single string, and for what is not a sequence."""
    if isinstance(questions, str) or not isinstance(questions, Iterable):
        raise TypeError(f"several words are a list such as ['king', 'queen'], this is {questions!r}")
    return list(questions)


def _check_text(question: object) -> None:
    """Raise TypeError for what is not a string."""
    if not isinstance(question, str):
        raise TypeError(f"a question is a text such as 'king' or 'king - man + woman', this is {question!r}")


def load(path: str | os.PathLike[str]) -> WordVectors:
    """Open a vectors file.

    Args:
        path: A vectors file of w2v, or the book's pickle; other formats are converted first, with `w2v import`.

    Returns:
        The vectors, memory-mapped, after every check of the file that exists.

    Raises:
        VectorsError: The file is missing, damaged or of another kind.
    """
    return WordVectors.of(open_vectors(Path(path)))
