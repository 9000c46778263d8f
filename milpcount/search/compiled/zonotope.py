"""Does a cell of the reduced search contain an image of an input?  A witness, or a separation.

With many inputs the search runs over the pre-activations of the first layer, whose true range is
a zonotope: ``z = 1/2 + V u / 2``, ``u`` in ``[-1, 1]^N``, every row of ``V`` with absolute sum 1.
The search sees only the cube around it, so a leaf is a region only if some ``u`` satisfies the
rows ``a_r . z + c_r > 0`` of its cell.

The witness is the ``u`` nearest the centre, a quadratic programme with one dual variable a row:
``u`` is ``clip(V^T w)`` with ``w = sum_r l_r a_r / 2``, ``l >= 0``.  Where nothing is clipped,
``l`` solves a small non-negative least-squares problem in the Gram matrix of the rows (Lawson and
Hanson, Solving Least Squares Problems, 1974, chapter 23); where something is, the clipped
coordinates are held fast and the problem is solved again.  On the way the same ``l`` may show
that no ``u`` exists: ``sum_r l_r (a_r . z(u) + c_r) <= sum_r l_r d_r + |V^T w|_1``, where ``d_r``
is row ``r`` at the centre, and if that is negative the rows contradict each other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.search.compiled.forms import TINY, gamma
from milpcount.search.compiled.jit import jit, summing
from milpcount.search.compiled.least_squares import dot, least_multipliers

WIDE, NARROW = 1e-4, 1e-7  # wanted distance from every row, in units of u: at first, and then
ROUNDS = 16
BLOCK = 64  # coordinates that are compared at once
REFRESH = 3000  # rounds after which accumulated rounding is thrown away
FOUND, EMPTY, UNKNOWN = 1, 0, -1


class Zonotope(NamedTuple):
    """The generators, and room to work in.

    Attributes:
        v: of shape ``(n, N)``, rows of absolute sum 1; no rows where there is no zonotope.
        gram: ``v v^T``.
        rows, errors: of the cell: coefficients and constant, bound on their error over the cube;
            these are there without a zonotope as well.
        length: of every row in units of ``u``.
        u, image: the candidate and where it goes.
    """

    v: NDArray[np.float64]
    blur: float  # bound on the error of an image, per unit of the largest entry of u
    gram: NDArray[np.float64]
    rows: NDArray[np.float64]
    errors: NDArray[np.float64]
    length: NDArray[np.float64]
    normal: NDArray[np.float64]  # rows in units of u
    single: NDArray[np.int64]  # place of a row's only coefficient, -1 where there are more
    u: NDArray[np.float64]
    image: NDArray[np.float64]
    columns: NDArray[np.float64]  # v, transposed
    side: NDArray[np.float64]  # where a coordinate of u is clipped: -1, 0 or 1
    now: NDArray[np.float64]
    free: NDArray[np.float64]  # the Gram matrix of the coordinates that are not
    fixed: NDArray[np.float64]  # V u of those that are
    rounds: NDArray[np.int64]  # since the last fresh start, and in all
    product: NDArray[np.float64]
    kernel: NDArray[np.float64]
    right: NDArray[np.float64]
    shift: NDArray[np.float64]
    multipliers: NDArray[np.float64]
    trial: NDArray[np.float64]
    factor: NDArray[np.float64]
    passive: NDArray[np.int64]
    active: NDArray[np.bool_]
    names: NDArray[np.int64]  # of the rows
    was_active: NDArray[np.bool_]  # by name, in the last cell
    steps: NDArray[np.float64]  # for :mod:`.joint`: directions in z, one a row, and errors
    across: NDArray[np.float64]  # rows of the cell in terms of u, and scaled by the room in u;
    # before that, columns that change sides
    scaled: NDArray[np.float64]
    room: NDArray[np.float64]
    inverse: NDArray[np.float64]
    reach: NDArray[np.float64]  # of every coordinate: how far its pre-activation ranges
    unit: NDArray[np.int64]  # which unit that is


@jit
def take_row(zono, m, forms, i, sign, name):
    """Append ``sign`` times form ``i`` to the rows of the cell; ``name`` is the row's number."""
    zono.names[m] = name
    n = forms.shape[0] - 2
    for c in range(n + 1):
        zono.rows[m, c] = sign * forms[c, i]
    zono.errors[m] = forms[n + 1, i]
    return m + 1


@summing
def absolute_sum(a):
    """The sum of absolute values."""
    total = 0.0
    for j in range(a.shape[0]):
        total += abs(a[j])
    return total


@summing
def four_dots(a, b, c, d, u):
    """The scalar products of four rows with ``u``: one pass over ``u`` for all of them."""
    e, f, g, h = 0.0, 0.0, 0.0, 0.0
    for j in range(u.shape[0]):
        t = u[j]
        e += a[j] * t
        f += b[j] * t
        g += c[j] * t
        h += d[j] * t
    return e, f, g, h


@jit
def image_of(zono):
    """``z`` at ``u``, and a bound on the error of every coordinate."""
    n = zono.v.shape[0]
    v, u, image = zono.v, zono.u, zono.image
    i = 0
    while i + 4 <= n:
        e, f, g, h = four_dots(v[i], v[i + 1], v[i + 2], v[i + 3], u)
        image[i], image[i + 1] = 0.5 + 0.5 * e, 0.5 + 0.5 * f
        image[i + 2], image[i + 3] = 0.5 + 0.5 * g, 0.5 + 0.5 * h
        i += 4
    while i < n:
        image[i] = 0.5 + 0.5 * dot(v[i], u)
        i += 1
    return zono.blur


@jit
def clip_all(u, now):
    """Clip every coordinate, and tell where: branches would keep it from being vectorised."""
    for j in range(u.shape[0]):
        value = min(max(u[j], -1.0), 1.0)
        now[j] = (1.0 if u[j] > value else 0.0) - (1.0 if u[j] < value else 0.0)
        u[j] = value


@summing
def differences(a, b, begin, end):
    """How much two parts of vectors differ."""
    total = 0.0
    for j in range(begin, end):
        total += abs(a[j] - b[j])
    return total


@jit
def clip(zono):
    """Clip ``u`` to the cube; update what depends on which coordinates are clipped.

    Returns:
        How many coordinates changed sides.
    """
    n, many = zono.v.shape
    side, now, gone, weighted = zono.side, zono.now, zono.across, zono.scaled
    clip_all(zono.u, now)
    changed = 0
    # Their columns side by side, so that the Gram matrix is updated by long scalar products.
    for begin in range(0, many, BLOCK):
        end = min(begin + BLOCK, many)
        if differences(now, side, begin, end) == 0.0:
            continue
        for j in range(begin, end):
            step = now[j] - side[j]
            if step == 0.0:
                continue
            # Out of the Gram matrix when it is clipped, back in when it is free again.
            weight = abs(side[j]) - abs(now[j])
            side[j] = now[j]
            column = zono.columns[j]
            for i in range(n):
                gone[i, changed] = column[i]
                weighted[i, changed] = weight * column[i]
                zono.fixed[i] += step * column[i]
            changed += 1
    add_products(zono.free, weighted, gone, changed)
    return changed


@summing
def add_products(total, a, b, count):
    """Add the scalar products of the first entries of rows of two matrices: symmetric."""
    n = total.shape[0]
    for i in range(n):
        c = 0
        # Four at a time: one pass over the row for all of them.
        while c + 4 <= i + 1:
            e, f, g, h = 0.0, 0.0, 0.0, 0.0
            for j in range(count):
                t = a[i, j]
                e += t * b[c, j]
                f += t * b[c + 1, j]
                g += t * b[c + 2, j]
                h += t * b[c + 3, j]
            total[i, c] += e
            total[i, c + 1] += f
            total[i, c + 2] += g
            total[i, c + 3] += h
            c += 4
        while c <= i:
            e = 0.0
            for j in range(count):
                e += a[i, j] * b[c, j]
            total[i, c] += e
            c += 1
        for c in range(i):
            total[c, i] = total[i, c]


@jit
def unclip(zono):
    """Start afresh: nothing is clipped."""
    n, many = zono.v.shape
    for j in range(many):
        zono.side[j] = 0.0
    for i in range(n):
        zono.fixed[i] = 0.0
        for c in range(n):
            zono.free[i, c] = zono.gram[i, c]


@jit
def satisfied(zono, m, blur):
    """Whether the image satisfies every row, all errors included."""
    for r in range(m):
        value, error, _ = at_image(zono, r, blur)
        if not value > error:
            return False
    return True


@jit
def at_image(zono, r, blur):
    """Row ``r`` at the image; a bound on the error of that; the sum of its absolute coefficients.

    ``blur`` bounds the errors of the image's coordinates.
    """
    n = zono.rows.shape[1] - 1
    value = zono.rows[r, n]
    size = abs(value)
    smear = 0.0
    for c in range(n):
        p = zono.rows[r, c] * zono.image[c]
        value += p
        size += abs(p)
        smear += abs(zono.rows[r, c])
    return value, zono.errors[r] + 1.01 * smear * blur + gamma(n + 1) * size + TINY, smear


@jit
def separated(zono, m, w, spread):
    """Whether the multipliers prove the rows contradictory; ``spread`` is ``|V^T w|_1``."""
    n, many = zono.v.shape
    total = 0.0
    size = 0.0
    error = 0.0
    for r in range(m):
        f = zono.multipliers[r] / zono.length[r]
        if f == 0.0:
            continue
        centre = zono.rows[r, n]
        largest = abs(centre)
        for c in range(n):
            centre += 0.5 * zono.rows[r, c]
            largest += abs(zono.rows[r, c])
        total += f * centre
        size += abs(f) * largest
        error += abs(f) * zono.errors[r]
    weight = 0.0
    for c in range(n):
        weight += abs(w[c])
    bound = total + spread + 1.01 * error
    bound += gamma(m + n + 8) * size + gamma(many + n + 8) * (spread + 2.0 * weight) + TINY
    return bound < 0.0


@jit
def prepare(zono, m, equals, margin):
    """What the rows lack at the point where only the clipped coordinates are moved."""
    n = zono.v.shape[0]
    for i in range(n):
        zono.shift[i] = 0.5 + 0.5 * zono.fixed[i]
    for r in range(m):
        value = zono.rows[r, n] + dot(zono.shift, zono.rows[r, :n])
        wanted = margin if r >= equals else 0.0
        zono.right[r] = wanted - value / zono.length[r]


@jit
def spread_out(zono, m):
    """Put ``V^T w`` of the multipliers into ``u``, and ``w`` into ``image``."""
    n = zono.v.shape[0]
    w = zono.image
    for i in range(n):
        w[i] = 0.0
    for r in range(m):
        f = 0.5 * zono.multipliers[r] / zono.length[r]
        if f != 0.0:
            for i in range(n):
                w[i] += f * zono.rows[r, i]
    transport(zono)


@jit
def transport(zono):
    """Put ``V^T w`` into ``u``; ``w`` stands in ``image``."""
    n, many = zono.v.shape
    w, u = zono.image, zono.u
    for j in range(many):
        u[j] = 0.0
    # Four rows at a time: one pass over u for all of them.
    i = 0
    while i + 4 <= n:
        f, g, h, k = w[i], w[i + 1], w[i + 2], w[i + 3]
        a, b, c, d = zono.v[i], zono.v[i + 1], zono.v[i + 2], zono.v[i + 3]
        for j in range(many):
            u[j] += (f * a[j] + g * b[j]) + (h * c[j] + k * d[j])
        i += 4
    while i < n:
        f = w[i]
        a = zono.v[i]
        for j in range(many):
            u[j] += f * a[j]
        i += 1


@jit
def measure(zono, m):
    """Set the length of every row, roughly, in units of ``u``: any scale is right."""
    n = zono.v.shape[0]
    for r in range(m):
        total = 0.0
        for i in range(n):
            total += zono.rows[r, i] ** 2 * zono.gram[i, i]
        zono.length[r] = 0.5 * math.sqrt(total) if total > 0.0 else 1.0


@jit
def confirm(zono, m):
    """Look for an input in the cell of the first ``m`` rows.

    Which coordinates are clipped and which rows are active is kept from one cell to the next, which
    is often a neighbour.

    Returns:
        FOUND with a proved witness in ``u``, EMPTY if there is none, UNKNOWN.
    """
    measure(zono, m)
    for r in range(m):
        zono.active[r] = zono.was_active[zono.names[r]]
    result = search_witness(zono, m)
    for r in range(m):
        zono.was_active[zono.names[r]] = zono.active[r]
    return result


@jit
def renew(zono, m, equals):
    """Count a round; start afresh when rounding has had the time to accumulate."""
    if zono.rounds[0] >= REFRESH:
        unclip(zono)
        for r in range(equals, m):
            zono.active[r] = False
        zono.rounds[0] = 0
    zono.rounds[0] += 1
    zono.rounds[1] += 1


@jit
def search_witness(zono, m):
    """The rounds of :func:`confirm`: at a distance from the rows, near them, from a fresh start."""
    for attempt in range(3):
        if attempt == 2:
            zono.rounds[0] = REFRESH
        margin = WIDE if attempt == 0 else NARROW
        for _ in range(ROUNDS):
            renew(zono, m, 0)
            prepare(zono, m, 0, margin)
            least_multipliers(zono, m, 0)
            spread_out(zono, m)
            if separated(zono, m, zono.image, absolute_sum(zono.u)):
                return EMPTY
            changed = clip(zono)
            if satisfied(zono, m, image_of(zono)):
                return FOUND
            if changed == 0:
                break
    return UNKNOWN
