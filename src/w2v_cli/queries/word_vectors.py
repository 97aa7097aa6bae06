"""`w2v_cli.WordVectors` and `w2v_cli.load`: vectors that a notebook asks, one method a question."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self, overload

import numpy as np

from w2v_cli.humanize import count
from w2v_cli.queries import closeness
from w2v_cli.queries import search as search_module
from w2v_cli.queries.expression import Sum, parse_sum
from w2v_cli.queries.rows import FloatArray
from w2v_cli.queries.search import AnalogyMethod, Neighbour, Search
from w2v_cli.system.machine import available_cores
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors import load as load_module

__all__ = ["Neighbour", "WordVectors", "load"]


class WordVectors(keyed_vectors.KeyedVectors):
    """Words, their vectors, and methods to ask them questions.

    A question is a word, or a sum of words with signs between spaces: "king - man + woman". An unknown word raises
    UnknownWordError, whose `suggestions` are spelt like it.

    Attributes:
        words: V words, the most frequent first.
        vectors: (V, D) float16 or float32; row i belongs to words[i].
        counts: (V,) int64, how often each word occurs in the corpus; None if unknown.
        metadata: How the vectors were made, such as `metadata["epoch_losses"]`.

    Examples:
        >>> import numpy as np
        >>> vectors = WordVectors(np.eye(3, dtype=np.float32), ("sun", "moon", "sea"))
        >>> len(vectors), "moon" in vectors, vectors["moon"].tolist()
        (3, True, [0.0, 1.0, 0.0])
    """

    @classmethod
    def of(cls, plain: keyed_vectors.KeyedVectors) -> Self:
        """Return the same vectors, ready to be asked; nothing is copied."""
        return cls(plain.vectors, plain.words, plain.counts, plain.metadata)

    @property
    def dim(self) -> int:
        """D, the numbers of a vector."""
        return int(self.vectors.shape[1])

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __getitem__(self, question: str) -> FloatArray:
        """Return the vector (D,) float32 of a word as it was trained, or the sum of such vectors."""
        return np.array(closeness.plain_vector(self, self._sum(question)), np.float32)

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
        """Return the words nearest to a word or a sum, by cosine, without the words of the question.

        Args:
            question: A word or a sum of words, or a list of them, which costs one pass over the vectors.
            top: How many words to return.
            method: How sums are scored: "add", "mul" or "dot", as in `analogy`.
            min_count: Only words that occur so often in the corpus answer.
            restrict: Only so many of the most frequent words answer.

        Returns:
            The neighbours, nearest first; for a list of questions, a list of such lists.

        Raises:
            UnknownWordError: A word of the question is not in the vocabulary.
            ConfigError: A number is below 1.

        Examples:
            >>> import numpy as np
            >>> rows = np.array([[3, 0], [2, 1], [0, 1]], np.float32)
            >>> vectors = WordVectors(rows, ("king", "queen", "bread"))
            >>> [(found.word, round(found.score, 3)) for found in vectors.similar("king")]
            [('queen', 0.894), ('bread', 0.0)]
        """
        search = Search(top, method, min_count, restrict, threads=available_cores())
        questions = [question] if isinstance(question, str) else _listed(question)
        found = search_module.answer_all(self, [self._sum(one) for one in questions], search)
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
        """Return the best answers to "a is to b as c is to …": king, man, queen → woman.

        Args:
            a: The first word.
            b: What `a` is to.
            c: The word whose counterpart is wanted. None of the three answers.
            top: How many answers to return.
            method: "add": cosine with b - a + c, each at length 1 (3CosAdd, Mikolov et al. 2013c); "mul": 3CosMul
                (Levy & Goldberg 2014); "dot": the dot product of the book.
            min_count: Only words that occur so often in the corpus answer.
            restrict: Only so many of the most frequent words answer.

        Returns:
            The answers, best first.

        Raises:
            UnknownWordError: One of the words is not in the vocabulary.
        """
        for word in (a, b, c):
            _check_text(word)
        search = Search(top, method, min_count, restrict, threads=available_cores())
        [found] = search_module.answer_all(self, [Sum.of_analogy(a, b, c)], search)
        return found

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine of two words or sums, -1 to 1."""
        return closeness.similarity(self, self._sum(a), self._sum(b))

    def odd(self, words: Sequence[str]) -> str:
        """Return the word that fits least with the others: the farthest from the mean of all at length 1.

        Raises:
            ConfigError: There are fewer than three different words.
            UnknownWordError: One of the words is not in the vocabulary.
        """
        return closeness.odd_one_out(self, _listed(words))[0].word

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a vectors file (float16), whole or not at all, and return its path.

        Args:
            path: The file to write.
            overwrite: Replace the file if it exists.

        Raises:
            ConfigError: The file exists, and `overwrite` is False.
            StorageError: The disk refused.
        """
        keyed_vectors.save(Path(path), self, overwrite=overwrite)
        return Path(path)

    def _sum(self, question: str) -> Sum:
        _check_text(question)
        return parse_sum(question, self.__contains__)


def _listed(questions: Sequence[str]) -> list[str]:
    """Return several words as a list; raise TypeError for what is one text, or none."""
    if isinstance(questions, str) or not isinstance(questions, Iterable):
        raise TypeError(f"several words are a list such as ['king', 'queen'], this is {questions!r}")
    return list(questions)


def _check_text(question: object) -> None:
    """Raise TypeError for what is neither a word nor a sum of words."""
    if not isinstance(question, str):
        raise TypeError(f"a question is a text such as 'king' or 'king - man + woman', this is {question!r}")


def load(path: str | os.PathLike[str]) -> WordVectors:
    """Load a vectors file and check it; the vectors are memory-mapped.

    Args:
        path: A file that `w2v train` or `w2v import` wrote, or the book's `cbow_params.pkl`.

    Raises:
        VectorsError: The file is missing, damaged or of another kind.
    """
    return WordVectors.of(load_module.open_vectors(Path(path)))
