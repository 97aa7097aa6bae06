"""Train word2vec embeddings and ask them questions."""

__version__ = "0.1.0"
