"""Least multipliers: ``min l K l / 2 - right . l`` over ``l >= 0`` by an active set.

Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23.  ``K`` is the Gram matrix of
the rows in the coordinates that are not clipped; only the rows of the active set are ever formed.
The first ``equals`` rows are equations: always active, with multipliers of any sign.  The tuple is
that of :mod:`.zonotope`.
"""

from __future__ import annotations

import math

from milpcount.search.compiled.jit import jit, summing


@summing
def dot(a, b):
    """The scalar product."""
    total = 0.0
    for j in range(a.shape[0]):
        total += a[j] * b[j]
    return total


@jit
def solve_passive(zono, count, known):
    """Solve the kernel on the passive rows for ``trial`` by Cholesky.

    The first ``known`` rows of the factor are right already.
    """
    k, f, t, p = zono.kernel, zono.factor, zono.trial, zono.passive
    for a in range(known, count):
        for b in range(a + 1):
            total = k[p[a], p[b]]
            for c in range(b):
                total -= f[a, c] * f[b, c]
            if a == b:
                if total <= 1e-13:
                    total = 1e-13
                f[a, a] = math.sqrt(total)
            else:
                f[a, b] = total / f[b, b]
    for a in range(count):
        total = zono.right[p[a]]
        for c in range(a):
            total -= f[a, c] * t[c]
        t[a] = total / f[a, a]
    for a in range(count - 1, -1, -1):
        total = t[a]
        for c in range(a + 1, count):
            total -= f[c, a] * t[c]
        t[a] = total / f[a, a]


@jit
def bring_in(zono, r, count):
    """Make row ``r`` the last of the passive ones; ``count`` are passive already."""
    n = zono.free.shape[0]
    row, product = zono.rows[r], zono.product[r]
    scale = 0.25 / zono.length[r]
    for i in range(n):
        product[i] = scale * dot(zono.free[i], row[:n])
    zono.passive[count] = r
    for a in range(count + 1):
        s = zono.passive[a]
        value = dot(product, zono.rows[s, :n]) / zono.length[s]
        zono.kernel[r, s] = value
        zono.kernel[s, r] = value


@jit
def most_violated(zono, m, count):
    """The row, none of the passive ones, that the present multipliers violate most; or -1."""
    n = zono.free.shape[0]
    shift = zono.shift
    for i in range(n):
        shift[i] = 0.0
    for a in range(count):
        r = zono.passive[a]
        f = zono.multipliers[r]
        for i in range(n):
            shift[i] += f * zono.product[r, i]
    worst = 1e-10
    found = -1
    for r in range(m):
        if zono.active[r]:
            continue
        slack = zono.right[r] - dot(shift, zono.rows[r, :n]) / zono.length[r]
        if slack > worst:
            worst, found = slack, r
    return found


@jit
def least_multipliers(zono, m, equals):
    """Minimise ``l K l / 2 - right . l`` over ``l >= 0``, starting from the active rows."""
    lam, p = zono.multipliers, zono.passive
    count = 0
    for r in range(m):
        lam[r] = 0.0
        if zono.active[r]:
            bring_in(zono, r, count)
            count += 1
    known = 0
    while count > 0:
        # Without the rows that the changed problem pushes away.
        solve_passive(zono, count, known)
        kept = 0
        known = count
        for a in range(count):
            if zono.trial[a] > 0.0 or p[a] < equals:
                lam[p[a]] = zono.trial[a]
                p[kept] = p[a]
                kept += 1
            else:
                zono.active[p[a]] = False
                known = min(known, kept)
        if kept == count:
            break
        for a in range(kept):
            lam[p[a]] = 0.0
        count = kept
    for _ in range(3 * m + 10):
        enter = most_violated(zono, m, count)
        if enter < 0:
            return
        bring_in(zono, enter, count)
        zono.active[enter] = True
        known = count
        count += 1
        while count > 0:
            solve_passive(zono, count, known)
            step = 1.0
            for a in range(count):
                if zono.trial[a] <= 0.0 and p[a] >= equals:
                    old = lam[p[a]]
                    step = min(step, old / (old - zono.trial[a]) if old > 0.0 else 0.0)
            for a in range(count):
                lam[p[a]] += step * (zono.trial[a] - lam[p[a]])
            if step >= 1.0:
                break
            kept = 0
            known = count
            for a in range(count):
                r = p[a]
                if r >= equals and zono.trial[a] <= 0.0 and lam[r] <= 1e-14:
                    lam[r] = 0.0
                    zono.active[r] = False
                    known = min(known, kept)
                else:
                    p[kept] = r
                    kept += 1
            if kept == count:
                return
            count = kept
