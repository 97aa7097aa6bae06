"""The block algorithm: consecutive centres share negatives.

Begin with `reference`, the equations; the engines and `block.cu` compute the same.
"""
