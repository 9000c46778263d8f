"""The three elementary upper bounds, valid for every piecewise-linear unit with a sign pattern.

Common proof.  Fix the pattern of layers ``1..l-1``.  On the set of inputs that have it, the input
``h^{l-1}`` of layer ``l`` is an affine function of ``x``, whatever the slopes of the units, so it
lies in an affine space of some dimension ``d``; there the ``n_l`` pre-activations are affine
functions, which have at most ``sum_{j<=d} C(n_l, j)`` sign patterns (Zaslavsky; see
:mod:`milpcount.bounds.levels` for why this also holds for the half-open patterns of the definition
``nonempty`` and in every degenerate position).  The bounds differ in what they take for ``d``.
Nothing is said about the domain: all hold on a box, on a polytope and on the whole space, and for
the definitions ``linear <= full <= nonempty``.
"""

from __future__ import annotations

from collections.abc import Sequence

from milpcount.bounds.widths import binomial_sum, check_widths, product, smallest_so_far

__all__ = ["bound_montufar2017", "bound_naive", "bound_raghu2017", "bound_zaslavsky"]


def bound_naive(widths: Sequence[int]) -> int:
    """``2^(n_1 + ... + n_L)``: the number of sign patterns (Montufar et al. 2014 [V])."""
    return 1 << sum(check_widths(widths)[1:])


def bound_raghu2017(widths: Sequence[int]) -> int:
    """``prod_l sum_{j=0}^{n_{l-1}} C(n_l, j)``, implicit in Raghu et al. 2017 [V].

    The dimension of the image of a region before layer ``l`` is at most ``n_{l-1}``.
    """
    w = check_widths(widths)
    return product(binomial_sum(n, d) for d, n in zip(w[:-1], w[1:], strict=True))


def bound_montufar2017(widths: Sequence[int]) -> int:
    """``prod_l sum_{j=0}^{d_l} C(n_l, j)`` with ``d_l = min(n_0, ..., n_{l-1})``, Montufar 2017 [V].

    An image that passed a layer of width ``n`` has dimension at most ``n``.  Writing
    ``d_l = min(n_0, ..., n_l)``, as the paper does, gives the same value: ``C(n, j) = 0`` for
    ``j > n``.
    """
    w = check_widths(widths)
    dims = smallest_so_far(w)[:-1]
    return product(binomial_sum(n, d) for d, n in zip(dims, w[1:], strict=True))


def bound_zaslavsky(widths: Sequence[int]) -> int:
    """``prod_l``-free case ``L = 1``: the exact maximum ``sum_{j=0}^{n_0} C(n_1, j)`` [V].

    Reached by hyperplanes in general position (Zaslavsky 1975).

    Raises:
        InputError: more than one layer.
    """
    w = check_widths(widths)
    require_depth(w, 1)
    return binomial_sum(w[1], w[0])
