"""From a corpus to a vectors file: prepare, train, save, with the events, log and dry run of a training.

Begin with `train`; `api` is the same for Python.
"""
