"""Phrases: words that occur together are joined, new york becomes new_york. Begin with `phrases`."""
