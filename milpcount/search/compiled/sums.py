"""Sums on the tape: multipliers and witnesses rounded to as few bits as still prove.

Each is tried with more and more bits, and proved again, in floats with their bounds on rounding,
as it will stand in the certificate.  False means that none of them did.
"""

from __future__ import annotations

import math

import numpy as np

from milpcount.search.compiled.forms import gamma
from milpcount.search.compiled.jit import jit
from milpcount.search.compiled.node import form_of
from milpcount.search.compiled.proofs import add_multiple, supremum
from milpcount.search.compiled.tape import (
    EMPTY_CELL,
    NEVER_ACTIVE,
    NEVER_INACTIVE,
    SPREAD,
    put,
    put_number,
    put_signed,
)
from milpcount.search.compiled.zonotope import (
    absolute_sum,
    image_of,
    satisfied,
    separated,
    spread_out,
    transport,
)

SIZES = (1, 2, 4, 7)  # bytes of a multiplier; the last holds every float


@jit
def rounded(value, size):
    """``(m, e)`` with ``m 2^e`` near ``value > 0``, and ``m > 0`` of so many bytes."""
    fraction, exponent = math.frexp(value)
    bits = min(8 * size, 53)
    m = np.int64(math.floor(math.ldexp(fraction, bits) + 0.5))
    if m >> bits:
        m >>= 1
        exponent += 1
    return m, exponent - bits


@jit
def put_term(st, number, value, size):
    """Write a term of a sum."""
    m, e = rounded(value, size)
    put_number(st, number)
    put_signed(st, e)
    for _ in range(size):
        put(st, m & 255)
        m >>= 8


@jit
def approximate(value, size):
    """What :func:`put_term` writes."""
    m, e = rounded(value, size)
    return math.ldexp(float(m), e)


@jit
def weight_of(net, st, d, c, r, sign):
    """Weight and number of the row of column ``c`` in the proof on row ``r``, whose own is 1."""
    n = net.n
    base = n + net.domain.shape[1]
    var = st.colvar[d, c]
    cost = sign * st.table[d, c, r]
    if cost >= 0.0 or var < n:
        return 0.0, 0
    own = st.scale[st.rowvar[d, r] - base]
    k = var - base if var >= base else st.sign.shape[1] + var - n
    return -cost * st.scale[k] / own, var - n


@jit
def record_sum(net, st, d, r, sign):
    """Write that row ``r`` never has this sign, with its reduced costs as multipliers."""
    if st.tape.shape[0] == 0:
        return True
    n = net.n
    base = n + net.domain.shape[1]
    total = st.total
    for size in SIZES:
        for c in range(n + 1):
            total[c] = 0.0
        layer, i = form_of(net, st, st.rowvar[d, r])
        length, error = add_multiple(total, st.forms[layer], i, float(sign))
        terms = 1
        for c in range(n):
            weight, number = weight_of(net, st, d, c, r, sign)
            if weight <= 0.0:
                continue
            f = approximate(weight, size)
            layer, i = form_of(net, st, n + number)
            if layer < 0:
                s, e = add_multiple(total, net.domain, i, f)
            else:
                side = 1.0 if st.sign[d, n + number - base] > 0 else -1.0
                s, e = add_multiple(total, st.forms[layer], i, f * side)
            length += s
            error += e
            terms += 1
        if supremum(total, length, error, terms) < 0.0:
            u = st.rowvar[d, r] - base
            put(st, NEVER_ACTIVE if sign > 0 else NEVER_INACTIVE)
            put_number(st, u - net.starts[st.layer[d]])
            put_number(st, terms - 1)
            if terms > 1:
                put_number(st, size)
            for c in range(n):
                weight, number = weight_of(net, st, d, c, r, sign)
                if weight > 0.0:
                    put_term(st, number, weight, size)
            return True
    return False


@jit
def record_separation(st, zono, m):
    """Write that the cell of the first ``m`` rows holds no image of an input."""
    if st.tape.shape[0] == 0:
        return True
    exact = zono.trial
    for r in range(m):
        exact[r] = zono.multipliers[r] / zono.length[r]
        zono.length[r] = 1.0
    for size in SIZES:
        terms = 0
        for r in range(m):
            zono.multipliers[r] = approximate(exact[r], size) if exact[r] > 0.0 else 0.0
            terms += exact[r] > 0.0
        spread_out(zono, m)
        if separated(zono, m, zono.image, absolute_sum(zono.u)):
            put(st, EMPTY_CELL)
            put_number(st, terms)
            put_number(st, size)
            for r in range(m):
                if exact[r] > 0.0:
                    put_term(st, zono.names[r], exact[r], size)
            return True
    return False


@jit
def record_spread(net, st, zono, m):
    """Write the region whose witness was found, by the weights of the first layer's units."""
    if st.tape.shape[0] == 0:
        return True
    n, many = zono.v.shape
    spread_out(zono, m)
    weight = zono.shift
    top = 0.0
    for i in range(n):
        # Half of u, in terms of pre-activations.
        weight[i] = 0.5 * zono.image[i] / zono.reach[i]
        top = max(top, abs(weight[i]))
    _, exponent = math.frexp(top)
    for bits in (6, 13, 20, 27, 34, 41):
        e = bits - exponent
        size = 0.0
        for i in range(n):
            rough = math.floor(math.ldexp(weight[i], e) + 0.5)
            zono.image[i] = 2.0 * zono.reach[i] * math.ldexp(rough, -e)
            size += abs(zono.image[i])
        transport(zono)
        for j in range(many):
            zono.u[j] = min(max(zono.u[j], -1.0), 1.0)
        # The entries of v are at most 1: so far is u from what these weights say.
        blur = gamma(n + 8) * size
        if satisfied(zono, m, image_of(zono) + blur):
            put(st, SPREAD)
            put_signed(st, e)
            i = 0
            for u in range(net.widths[0]):
                if i < n and zono.unit[i] == u:
                    put_signed(st, np.int64(math.floor(math.ldexp(weight[i], e) + 0.5)))
                    i += 1
                else:
                    put(st, 0)
            return True
    return False
