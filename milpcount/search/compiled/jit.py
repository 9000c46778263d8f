"""How kernels are compiled: without the interpreter, cached on disk, division as in IEEE 754."""

from __future__ import annotations

import numba as nb

__all__ = ["inlined", "jit"]

jit = nb.njit(cache=True, nogil=True, error_model="numpy")
# For small functions on the large tuples of state, which are slow to pass.
inlined = nb.njit(cache=True, nogil=True, error_model="numpy", inline="always")
