"""A text whose words are of classes that follow each other in a cycle, and how well vectors tell them apart."""

import numpy as np

CLASSES, WORDS_OF_CLASS, SENTENCES, SENTENCE_WORDS = 7, 12, 1500, 14
NEIGHBOURS = 5


def write_cycle_text(path):
    """Write a text of 21,000 words whose grammar is a cycle: a word of class c is followed by any of class c + 1.

    Words of one class never stand within two words of each other: they are alike in their contexts alone.
    """
    rng = np.random.default_rng(5)
    classes = (rng.integers(0, CLASSES, (SENTENCES, 1)) + np.arange(SENTENCE_WORDS)) % CLASSES
    members = rng.integers(0, WORDS_OF_CLASS, classes.shape)
    lines = [
        " ".join(f"{kind}x{member}" for kind, member in zip(*sentence, strict=True))
        for sentence in zip(classes, members, strict=True)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def purity(corpus, vectors):
    """Return the share of the five nearest words by cosine that are of the word's own class."""
    kinds = np.array([word.split("x")[0] for word in corpus.vocabulary.words])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -2)
    nearest = np.argsort(-cosines, axis=1)[:, :NEIGHBOURS]
    return float((kinds[nearest] == kinds[:, None]).mean())
