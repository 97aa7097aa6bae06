"""Draws, matrices and one training step, each as readable reference and as fast twin for CPU and GPU.

Begin with `block/reference` or `minibatch/reference`, which read like the equations; `protocols` says what an
engine is.
"""
