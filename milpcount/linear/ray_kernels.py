"""The compiled part of :mod:`milpcount.linear.rays`.

It is one module, because Numba keeps compiled code by the date of the file that calls, and would
not see a change in a file that is called.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Book", "Domain", "Net", "explore", "proves"]

_ROUNDOFF = 2.0**-53
_SLACK = 1.0000001  # for the roundings within the bounds themselves
_TINY = 1e-290  # above anything that underflow can lose in one sum

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Bits = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Net = tuple[Ints, Floats, Floats, Floats]  # widths, weights, biases, slopes: layer after layer
Domain = tuple[Floats, Floats, Floats, Floats]  # lo, hi, A, c: a box and A x <= c
Book = tuple[Bits, Words, Ints, Words, Words]  # the contents of a PatternIndex


@njit(cache=True, nogil=True)
def _root(parent: Ints, a: int) -> int:
    """The representative of an element in a union-find partition."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


@njit(cache=True, nogil=True)
def _values(bits: Bits, x: Floats, net: Net, use_bias: bool, out: Floats, h: Floats) -> None:
    """Fill in ``out`` with ``r_v``: pre-activations under the pattern, positive in its region."""
    widths, weights, biases, slopes = net
    place = 0
    start = 0
    inputs = x.shape[0]
    for k in range(widths.shape[0]):
        for i in range(start, start + widths[k]):
            total = biases[i] if use_bias else 0.0
            for j in range(inputs):
                total += weights[place] * (x[j] if k == 0 else h[start - inputs + j])
                place += 1
            out[i] = total if bits[i] else -total
            h[i] = total if bits[i] else slopes[i] * total
        inputs = widths[k]
        start += widths[k]


@njit(cache=True, nogil=True)
def _gradients(bits: Bits, n: int, net: Net, jac: Floats, through: Floats) -> None:
    """Fill in the gradients of all ``r_v`` under the pattern, a row each."""
    widths, weights, _, slopes = net
    place = 0
    start = 0
    inputs = n
    for k in range(widths.shape[0]):
        for i in range(start, start + widths[k]):
            through[i] = 0.0
            for j in range(inputs):
                if k == 0:
                    through[i, j] = weights[place]
                else:
                    through[i] += weights[place] * through[start - inputs + j]
                place += 1
            jac[i] = through[i] if bits[i] else -through[i]
        for i in range(start, start + widths[k]):
            if not bits[i]:
                through[i] *= slopes[i]
        inputs = widths[k]
        start += widths[k]


@njit(cache=True, nogil=True)
def proves(
    bits: Bits, dependent: Bools, u: int, x: Floats, net: Net, domain: Domain, h: Floats, e: Floats
) -> bool:
    """Whether ``x`` (a point of the box) is proved to pass the facet test for ``u``."""
    widths, weights, biases, slopes = net
    _, _, matrix, right = domain
    n = x.shape[0]
    gamma = (2 * n + 16) * _ROUNDOFF
    for i in range(matrix.shape[0]):
        total = right[i]
        size = abs(total)
        for j in range(n):
            total -= matrix[i, j] * x[j]
            size += abs(matrix[i, j] * x[j])
        if not total > gamma * size * _SLACK + _TINY:
            return False
    place = 0
    start = 0
    inputs = n
    for k in range(widths.shape[0]):
        gamma = (2 * inputs + 16) * _ROUNDOFF
        for i in range(start, start + widths[k]):
            total = biases[i]
            size = abs(total)
            error = 0.0
            for j in range(inputs):
                w = weights[place]
                place += 1
                if k == 0:
                    total += w * x[j]
                    size += abs(w * x[j])
                else:
                    total += w * h[start - inputs + j]
                    size += abs(w * h[start - inputs + j])
                    error += abs(w) * e[start - inputs + j]
            bound = (error + gamma * size) * _SLACK + _TINY
            if dependent[i]:
                value = total if bits[i] else -total
                if i == u:
                    value = -value
                # Written so that a NaN proves nothing.
                if not value > bound:
                    return False
            if bits[i]:
                h[i], e[i] = total, bound
            elif slopes[i] == 0.0:
                h[i], e[i] = 0.0, 0.0
            else:
                h[i] = slopes[i] * total
                e[i] = (abs(slopes[i]) * bound + 4 * _ROUNDOFF * abs(h[i])) * _SLACK + _TINY
        inputs = widths[k]
        start += widths[k]
    return True


@njit(cache=True, nogil=True)
def _flip(row: int, u: int, book: Book) -> int:
    """The row of the pattern with the bit of ``u`` flipped, -1 if it is not there."""
    bits, addresses, order, words, address_of = book
    place = np.searchsorted(addresses, address_of[row] ^ words[u])
    if place == addresses.shape[0] or addresses[place] != address_of[row] ^ words[u]:
        return -1
    found = order[place]
    for i in range(bits.shape[1]):
        if (bits[found, i] != bits[row, i]) != (i == u):
            return -1
    return int(found)


@njit(cache=True, nogil=True)
def _reach(x: Floats, d: Floats, domain: Domain) -> float:
    """How far the ray stays in the domain, roughly."""
    lo, hi, matrix, right = domain
    far = np.inf
    for j in range(x.shape[0]):
        if d[j] > 0.0:
            far = min(far, (hi[j] - x[j]) / d[j])
        elif d[j] < 0.0:
            far = min(far, (lo[j] - x[j]) / d[j])
    for i in range(matrix.shape[0]):
        rate, room = 0.0, right[i]
        for j in range(x.shape[0]):
            rate += matrix[i, j] * d[j]
            room -= matrix[i, j] * x[j]
        if rate > 0.0:
            far = min(far, room / rate)
    return far


@njit(cache=True, nogil=True)
def _dot(a: Floats, b: Floats) -> float:
    """The scalar product; numba's own needs SciPy."""
    total = 0.0
    for j in range(a.shape[0]):
        total += a[j] * b[j]
    return total


@njit(cache=True, nogil=True)
def _aim(x: Floats, gradient: Floats, lo: Floats, hi: Floats, d: Floats) -> None:
    """The direction of descent, in coordinates measured by their room on that side in the box."""
    for j in range(x.shape[0]):
        room = x[j] - lo[j] if gradient[j] > 0.0 else hi[j] - x[j]
        if room == np.inf:
            room = 1.0 + abs(x[j])
        d[j] = -gradient[j] * room * room


@njit(cache=True, nogil=True)
def explore(
    net: Net,
    domain: Domain,
    directions: Floats,
    book: Book,
    dependent: Bools,
    map_of: Ints,
    parent: Ints,
    visited: Bools,
    slot: Ints,
    points: Floats,
    stack: Ints,
    top: int,
    steps: int,
    lines: int,
) -> tuple[int, int]:
    """Visit regions from the stack and merge neighbours with equal maps, in place.

    The point of region ``r`` is ``points[slot[r]]``; the regions to visit are the first ``top`` of
    the stack.  Gives the new ``top`` and the number of merges.
    """
    bits = book[0]
    lo, hi = domain[0], domain[1]
    n, units = lo.shape[0], bits.shape[1]
    value, rate = np.empty(units), np.empty(units)
    h, e = np.empty(units), np.empty(units)
    x, y, d = np.empty(n), np.empty(n), np.empty(n)
    jac, through = np.empty((units, n)), np.empty((units, n))
    ends = np.empty(2)
    merged = 0
    turn = 0
    while top > 0 and steps > 0:
        steps -= 1
        top -= 1
        row = stack[top]
        x[:] = points[slot[row]]
        _gradients(bits[row], n, net, jac, through)
        # A few random lines, which centre the point; then one towards each unit still of use.
        for line in range(lines + units):
            if line < lines:
                turn = (turn + 1) % directions.shape[0]
                d[:] = directions[turn]
            else:
                u = line - lines
                if not dependent[row, u]:
                    continue
                other = _flip(row, u, book)
                if other < 0 or map_of[other] != map_of[row]:
                    continue
                if visited[other] and _root(parent, other) == _root(parent, row):
                    continue
                _aim(x, jac[u], lo, hi, d)
            _values(bits[row], x, net, True, value, h)
            for side in range(2):
                if side == 1:
                    d *= -1.0
                # The first and the second row that the ray violates.
                u, near, next_one = -1, np.inf, np.inf
                for i in range(units):
                    if dependent[row, i]:
                        rate[i] = _dot(jac[i], d)
                        if rate[i] < 0.0:
                            t = max(value[i], 0.0) / -rate[i]
                            if t < near:
                                u, near, next_one = i, t, near
                            elif t < next_one:
                                next_one = t
                far = _reach(x, d, domain)
                ends[side] = min(near, far)
                if u < 0 or not near < far:
                    continue
                other = _flip(row, u, book)
                if other < 0 or map_of[other] != map_of[row]:
                    continue
                a, b = _root(parent, row), _root(parent, other)
                if a != b:
                    t = min(next_one, far)
                    t = 0.5 * (near + t) if t < np.inf else 2.0 * near + 1.0
                    for j in range(n):
                        y[j] = min(max(x[j] + t * d[j], lo[j]), hi[j])
                    if proves(bits[row], dependent[row], u, y, net, domain, h, e):
                        parent[max(a, b)] = min(a, b)
                        merged += 1
                if not visited[other]:
                    # A point between the facet and the far side of the other region.
                    _values(bits[other], x, net, True, e, h)
                    _values(bits[other], d, net, False, rate, h)
                    t = far
                    for i in range(units):
                        if rate[i] < 0.0 and i != u and dependent[other, i]:
                            at = e[i] / -rate[i]
                            if at > near:
                                t = min(t, at)
                    t = 0.5 * (near + t) if t < np.inf else 2.0 * near + 1.0
                    visited[other] = True
                    points[slot[other]] = x + t * d
                    stack[top] = other
                    top += 1
            if ends[0] < np.inf and ends[1] < np.inf:
                # The second side left the direction reversed.
                x += 0.5 * (ends[1] - ends[0]) * d
    return top, merged
