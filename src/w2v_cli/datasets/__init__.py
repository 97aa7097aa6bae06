"""Named texts and evaluation sets, downloaded into the data folder and verified.

Begin with `registry`, which reads datasets.yaml; `download` fetches files, `demo` writes the built-in text.
"""
