"""Numba kernels of the exact search; imported on use, because compiled code is heavy to load.

Forms are kept columns first, ``forms[c, u]``: coefficients of the coordinates ``z`` of the unit
cube in columns ``0..n-1``, the constant in column ``n``, and in column ``n + 1`` a bound on
``|stored form(z) - true form(z)|`` over the whole cube.
"""
