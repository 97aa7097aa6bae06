"""Phrases: frequent collocations of a corpus are joined into one word, new york into new_york.

Takes a scanned corpus and rules, gives the joined text and the list of phrases. Begin with `phrases`; `pair_table` and
`collocations` count pairs, `join` joins them, `write` writes the text. They import Numba, and are imported by name.
"""
