"""Text becomes word ids: files, folders, streams and URLs are read, tokenised, counted and encoded in one pass.

Begin with `scan`, the whole pass; `find` names the sources, `reader` streams them, `tokenizer` says what a word is.
"""
