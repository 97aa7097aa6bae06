"""Text to word ids: takes files, folders, streams and URLs, gives a vocabulary and an `EncodedText`.

Begin with `scan.scan_corpus`, the entry point: `find` and `sources` name the files, `reader` makes one stream of them,
`encode` turns its chunks into token codes, and `scan` resolves those into ids. `report` holds the counts of a text, and
`tokenizer` says what a word is.

Import the modules directly, since a command that only names a corpus needs `find` alone: `encoded_text` and
`vocabulary` load NumPy, and `encode`, `scan` and `phrases` load Numba.
"""
