"""Questions to word vectors: neighbours, analogies, sums and the odd one out.

Begin with `search`; `word_vectors` is the public Python class.
"""
