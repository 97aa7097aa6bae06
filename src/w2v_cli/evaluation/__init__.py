"""Evaluation sets become scores with confidence intervals: analogies answered, similarities ranked.

Begin with `metrics`; `sets` reads the sets, `compare` scores several files side by side.
"""
