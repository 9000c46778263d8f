"""Signs proved in floats: multipliers with outward rounding, points with an error bound."""

from __future__ import annotations

from milpcount.search.compiled.forms import TINY, gamma, size_of
from milpcount.search.compiled.jit import jit


@jit
def add_multiple(total, forms, u, factor):
    """Add ``factor`` times form ``u``; return what that adds to ``(size, error)``."""
    width = forms.shape[0] - 1
    for c in range(width):
        total[c] += factor * forms[c, u]
    return abs(factor) * size_of(forms, u), abs(factor) * forms[width, u]


@jit
def supremum(total, size, error, terms):
    """Upper bound over the unit cube of a sum of ``terms`` multiples of forms."""
    n = total.shape[0] - 1
    top = total[n]
    for c in range(n):
        if total[c] > 0.0:
            top += total[c]
    return top + 1.01 * error + gamma(n + terms + 2) * size + TINY


@jit
def holds(forms, u, sign, z):
    """Whether ``sign * form u`` is positive at ``z`` (in the cube), rounding errors included."""
    n = forms.shape[0] - 2
    value = forms[n, u]
    size = abs(value)
    for c in range(n):
        p = forms[c, u] * z[c]
        value += p
        size += abs(p)
    return sign * value > forms[n + 1, u] + gamma(n + 1) * size + TINY
