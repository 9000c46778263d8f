"""Least multipliers: ``min l K l / 2 - right . l`` over ``l >= 0`` by an active set.

Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23.  ``K`` is the Gram matrix of
the rows in the coordinates that are not clipped; only the rows of the active set are ever formed.
The first ``equals`` rows are equations: always active, with multipliers of any sign.  The tuple is
that of :mod:`.zonotope`.
"""

from __future__ import annotations

import math

from milpcount.search.compiled.jit import inlined, jit, summing


@summing
def dot(a, b):
    """The scalar product."""
    total = 0.0
    for j in range(a.shape[0]):
        total += a[j] * b[j]
    return total


@jit
def least_multipliers(zono, m, equals):
    """Minimise ``l K l / 2 - right . l`` over ``l >= 0``, starting from the active rows."""
    n = zono.free.shape[0]
    normal, single = zono.normal, zono.single
    for r in range(m):
        scale = 0.5 / zono.length[r]
        where = -1
        many = 0
        for i in range(n):
            value = scale * zono.rows[r, i]
            normal[r, i] = value
            if value != 0.0:
                where = i
                many += 1
        # Most rows are bounds on one coordinate.
        single[r] = where if many == 1 else -1
    minimise(
        m, equals, normal, single, zono.free, zono.right, zono.multipliers, zono.active,
        zono.passive, zono.product, zono.kernel, zono.factor, zono.trial, zono.shift,
    )  # fmt: skip


@inlined
def bring_in(r, count, normal, single, free, passive, product, kernel):
    """Make row ``r`` the last of the passive ones; ``count`` are passive already."""
    n = free.shape[0]
    where = single[r]
    if where >= 0:
        f = normal[r, where]
        for i in range(n):
            product[r, i] = f * free[where, i]
    else:
        for i in range(n):
            product[r, i] = 0.0
        for c in range(n):
            f = normal[r, c]
            for i in range(n):
                product[r, i] += f * free[c, i]
    passive[count] = r
    for a in range(count + 1):
        s = passive[a]
        where = single[s]
        if where >= 0:
            value = product[r, where] * normal[s, where]
        else:
            value = 0.0
            for i in range(n):
                value += product[r, i] * normal[s, i]
        kernel[r, s] = value
        kernel[s, r] = value


@inlined
def solve_passive(count, known, kernel, right, passive, factor, trial):
    """Solve the kernel on the passive rows for ``trial`` by Cholesky.

    The first ``known`` rows of the factor are right already; its diagonal holds reciprocals.
    """
    for a in range(known, count):
        for b in range(a):
            total = kernel[passive[a], passive[b]]
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            factor[a, b] = total * factor[b, b]
        total = kernel[passive[a], passive[a]]
        for c in range(a):
            total -= factor[a, c] * factor[a, c]
        factor[a, a] = 1.0 / math.sqrt(max(total, 1e-13))
    for a in range(count):
        total = right[passive[a]]
        for c in range(a):
            total -= factor[a, c] * trial[c]
        trial[a] = total * factor[a, a]
    for a in range(count - 1, -1, -1):
        total = trial[a] * factor[a, a]
        trial[a] = total
        for c in range(a):
            trial[c] -= factor[a, c] * total


@inlined
def most_violated(m, count, normal, single, right, multipliers, active, passive, product, shift):
    """The row, none of the passive ones, that the present multipliers violate most; or -1."""
    n = shift.shape[0]
    for i in range(n):
        shift[i] = 0.0
    for a in range(count):
        r = passive[a]
        f = multipliers[r]
        for i in range(n):
            shift[i] += f * product[r, i]
    worst = 1e-10
    found = -1
    for r in range(m):
        if active[r]:
            continue
        slack = right[r]
        where = single[r]
        if where >= 0:
            slack -= shift[where] * normal[r, where]
        else:
            for i in range(n):
                slack -= shift[i] * normal[r, i]
        if slack > worst:
            worst, found = slack, r
    return found


@summing
def minimise(
    m, equals, normal, single, free, right, multipliers, active, passive, product, kernel,
    factor, trial, shift,
):  # fmt: skip
    """The same, of plain arrays: row ``r`` of the problem is ``normal[r]``, in terms of ``u``."""
    lam, p = multipliers, passive
    count = 0
    for r in range(m):
        lam[r] = 0.0
        if active[r]:
            bring_in(r, count, normal, single, free, passive, product, kernel)
            count += 1
    known = 0
    while count > 0:
        # Without the rows that the changed problem pushes away.
        solve_passive(count, known, kernel, right, passive, factor, trial)
        kept = 0
        known = count
        for a in range(count):
            if trial[a] > 0.0 or p[a] < equals:
                lam[p[a]] = trial[a]
                p[kept] = p[a]
                kept += 1
            else:
                active[p[a]] = False
                known = min(known, kept)
        if kept == count:
            break
        for a in range(kept):
            lam[p[a]] = 0.0
        count = kept
    for _ in range(3 * m + 10):
        enter = most_violated(
            m, count, normal, single, right, multipliers, active, passive, product, shift
        )
        if enter < 0:
            return
        bring_in(enter, count, normal, single, free, passive, product, kernel)
        active[enter] = True
        known = count
        count += 1
        while count > 0:
            solve_passive(count, known, kernel, right, passive, factor, trial)
            step = 1.0
            for a in range(count):
                if trial[a] <= 0.0 and p[a] >= equals:
                    old = lam[p[a]]
                    step = min(step, old / (old - trial[a]) if old > 0.0 else 0.0)
            for a in range(count):
                lam[p[a]] += step * (trial[a] - lam[p[a]])
            if step >= 1.0:
                break
            kept = 0
            known = count
            for a in range(count):
                r = p[a]
                if r >= equals and trial[a] <= 0.0 and lam[r] <= 1e-14:
                    lam[r] = 0.0
                    active[r] = False
                    known = min(known, kept)
                else:
                    p[kept] = r
                    kept += 1
            if kept == count:
                return
            count = kept
