"""Numba, set up once: the compiler, atomics, memory intrinsics and SIMD lanes that compiled code is written with.

Takes typed functions, gives compiled ones, kept in the user's cache folder. Begin with `njit`.
"""
