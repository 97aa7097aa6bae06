"""The vectors file: words, counts and vectors in one safetensors file, and its exchange with other formats.

Begin with `keyed_vectors`, what a file holds; `load` opens any format, `formats` has each of them.
"""
