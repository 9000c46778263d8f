r"""How many sign patterns of affine functions have few inactive units: the histograms, proved.

``F_j`` is the number of non-empty half-open patterns (active: ``> 0``) with at most ``j``
inactive units that ``m`` affine functions have on ``R^n``; equivalently the number with at least
``m - j`` active ones. This module bounds it, for all functions, by ``most_patterns(n, m, j)``:

* ``n = 0``: 1;
* ``n = 1``: ``min(2 j + 1, m + 1)``;
* ``n = 2``: ``min(1 + j m, 1 + m + C(m, 2))``;
* ``n >= m``: ``S_j(m) = C(m, 0) + ... + C(m, j)``, the number of subsets;
* ``3 <= n < m``: the recursion ``F_j(n, m) = F_j(n, m - 1) + F_{j-1}(n - 1, m - 1)``.

The values are those of Hinz 2021 (section 3.2.5 [S code]; for ``n = 1, 2`` they are largest
possible). Serra's histogram is ``F_j = S_{min(j, n)}(m)``, which is never smaller. All proofs
are ours [I]; the tests enumerate random arrangements, degenerate ones among them.

**Degenerate positions and the definition nonempty.** Take one witness for each non-empty
pattern. Lowering all constants a little leaves active units active and makes the inactive ones
(``<= 0``) negative at their witnesses; a small generic change of all coefficients then keeps
every sign. So the patterns are among those of a *simple* arrangement: any ``n`` hyperplanes meet
in one point, no ``n + 1`` do. From here on arrangements are simple and patterns are cells.

**n = 1.** Let ``C, C'`` be the first and last cell on the line with at most ``j`` inactive
units. A unit whose breakpoint lies between them is inactive at ``C`` or at ``C'``, so there are
at most ``2 j`` such breakpoints, hence at most ``2 j + 1`` cells from ``C`` to ``C'``.

**Deletion.** Remove unit ``p`` from an arrangement ``A``; ``B`` is what is left, ``B | p`` its
restriction to the hyperplane of ``p``. The level of a cell is its number of inactive units. A
cell of ``B`` of level ``i`` that ``p`` cuts becomes two cells of levels ``i, i + 1``; an uncut
one keeps its level on the active side of ``p`` and gains one on the other. The cut cells are the
cells of ``B | p``. So, with ``lost_p`` the number of cells of ``B`` of level ``j`` wholly in ``p
< 0``,

    F_j(A) - F_j(B) = F_{j-1}(B | p) - lost_p.                                              (1)

Dropping ``lost_p`` proves the recursion for ``n >= 3``.

**n = 2.** View the plane as an open hemisphere; ``m`` lines become ``m`` great circles, no three
through a point. Let ``G_j`` count cells on the whole sphere; ``F_j <= G_j``. The antipode of
level ``i`` has level ``m - i``.

*Theorem.* ``G_j <= 1 + j m`` if ``m >= 2 j + 1``. There are ``m (m - 1) + 2`` cells, so for ``m
= 2 j + 1`` half of them have level at most ``j`` and equality holds. By (1), which is true on
the sphere as well, it remains to show ``E - lost_p <= j`` for ``m >= 2 j + 2``, ``j >= 1``,
where ``E`` is the number of edges of the circle ``p`` of level at most ``j - 1``.

*On p.* Let ``m' = m - 1 >= 2 j + 1``, levels in ``B``. Each other circle meets ``p`` in two
antipodes. The *base* of a vertex is its number of inactive units, the two circles there not
counted; edges of ``p`` beside a vertex of base ``b`` have levels ``b, b + 1``, and bases of
antipodes add up to ``m' - 1``. Call edges of level at most ``j - 1`` low and those of level at
least ``j + 1`` high. Let ``I`` be the circles with a vertex of base at most ``j - 1`` on ``p``,
that is at the end of a low edge; then their other vertex has base at least ``j + 1``. Forget all
other circles: bases on ``p`` among ``I`` are at most ``j - 1`` or at least ``|I| - j``, and
bases of neighbouring vertices differ by at most 1, so ``|I| <= 2 j``. If the low edges form
``c`` arcs, ``|I| = E + c``. If ``c = 0`` then ``E = 0`` and we are done; let ``c >= 1``.

*In the open hemisphere p < 0* (a disc) every circle ``q`` of ``B`` is a chord. Levels of edges
of ``q`` leave ``q`` out: edges of level at most ``j - 1`` are low, the others high. Let ``L``
and ``H`` be the regions of level at most ``j - 1`` and at least ``j + 1``, with ``l`` and ``h``
components (cells joined through edges); what is left are the ``N`` cells of level ``j``. Of
these ``e`` are cut by ``p``, one for each edge of ``p`` of level ``j``, so ``N = lost_p + e``.
Let ``W`` be the number of vertices of base ``j - 1``: around such a vertex lie cells of levels
``j - 1, j, j + 1, j``, and only there do the chords change between low and high. Draw the graph
with a node in each cell of level ``j``, an edge through each such vertex joining its two cells
of level ``j``, a node on each edge of ``p`` of level ``j`` joined to its cell, and the ``e``
arcs of ``p`` between these nodes. It is plane with ``N + e`` nodes, ``W + 2 e`` edges and,
besides the outside, one face for each component of ``L`` and of ``H`` (walls of a cell of level
``j`` change between lower and higher neighbours only at vertices of base ``j - 1``; elsewhere
neighbouring lower, or higher, cells are connected). Euler's formula gives ``N >= W + e + 1 - l -
h``, so

    lost_p >= W + 1 - l - h.                                                                (2)

*Counting W.* A chord ``q`` in ``I`` has one low and one high end, every other chord two high
ends. Let ``x`` be the number of low stretches of chords with no end on ``p``. Each vertex
counted by ``W`` is a change for two chords, so ``2 W = |I| + 2 x``.

*Claim:* ``x >= h - 1 + l_0``, where ``l_0`` of the components of ``L`` do not touch ``p``. A
high stretch of ``q`` runs along one component of ``H``, on the side where ``q`` is inactive. Let
``Q`` be the graph with the components of ``H`` as nodes and the ``x`` low stretches as edges,
each joining the components before and behind it.

``Q`` is connected: the high stretches of one chord are connected in ``Q``; each component of
``H`` has a wall to level ``j``, so some chord runs along it, and each chord has a high end on
``p``, where it runs along the component at a high arc of ``p``. Consecutive high arcs ``A, A'``
of ``p`` are separated by a gap of levels at most ``j``, whose antipode has levels at least ``m'
- j >= j + 1`` and lies in one high arc ``A''``. The chord at the end of ``A`` towards the gap
has base ``j`` there, so both its ends are high; at one it runs along ``A``, at the other along
``A''``. Likewise the chord at the end of ``A'``. So ``A, A', A''`` are connected, for every gap.

A component ``K`` of ``L`` that does not touch ``p`` has ``t`` of the ``W`` vertices on its
boundary, two low stretches in ``K`` end at each, and every low stretch in ``K`` has both ends
there: ``t`` edges of ``Q``. Each of the ``t`` vertices shows one component of ``H``, so these
edges have at most ``t`` nodes. And ``t >= 1``: at an extreme point of the convex hull of ``K``
(in the plane of the hemisphere) just one of the four cells belongs to ``K``, its neighbours have
level ``j``, the base is ``j - 1``. So they contain a cycle. The edge sets of different ``K`` are
disjoint, so ``Q`` has at least ``l_0`` independent cycles: ``x - h + 1 >= l_0``.

*End.* At most ``c`` components of ``L`` touch ``p``, so ``l <= l_0 + c``, and (2) gives ``lost_p
>= |I|/2 + x + 1 - l - h >= |I|/2 - c``, so ``E - lost_p <= |I| - c - |I|/2 + c <= j``. []

*From the sphere to the plane.* ``F_j <= G_j <= 1 + j m`` if ``m >= 2 j + 1``. If ``m <= 2 j -
1`` then ``1 + j m`` is at least the number ``1 + m + C(m, 2)`` of all cells. If ``m = 2 j`` take
the line at infinity as one more circle: of ``2 j + 1`` circles, ``1 + j (2 j + 1)`` cells have
level at most ``j``. They are the ``F_j`` ones and, beyond infinity, those with at most ``j - 1``
inactive units of ``A``; each low edge of the circle at infinity (level at most ``j - 1`` among
the ``2 j`` lines) lies in one of the latter. Each line has just one end of base at most ``j -
1`` there, so ``2 j = E + c`` as above, and ``c <= E`` gives ``E >= j``. So ``F_j <= 1 + j (2 j +
1) - j = 1 + j m``. []

**Closed form.** For ``n >= 2`` and ``j >= n - 1``, with ``k = j - n + 2`` and ``M = m - 2 k +
1``,

    F_j(n, m) = S_n(m) - C(M, n) - k C(M, n - 1)     (the last two terms are 0 if M < 0),

and ``F_j(n, m) = S_j(m)`` for ``j < n``: true for ``n = 2`` and for ``m = n``, and Pascal's rule
in ``S``, ``C(., n)`` and ``C(., n - 1)`` is the recursion, which keeps ``k``.
"""

from __future__ import annotations

from math import comb

from milpcount.bounds.upper import count_arrangement

__all__ = ["activation_histogram", "missing", "most_patterns"]


def missing(n: int, m: int, k: int) -> int:
    """``S_n(m) - F_j(n, m)`` for ``j = n - 2 + k``, ``n >= 2``, ``k >= 1``."""
    size = m - 2 * k + 1
    return comb(size, n) + k * comb(size, n - 1) if size >= 0 else 0


def most_patterns(n: int, m: int, j: int) -> int:
    """Upper bound on the patterns of ``m`` affine functions on ``R^n`` with ``<= j`` inactive."""
    if j < 0:
        return 0
    if n == 0:
        return 1
    if n == 1:
        return min(2 * j + 1, m + 1)
    if j < n:
        return count_arrangement(m, j)
    return count_arrangement(m, n) - missing(n, m, j - n + 2)


def activation_histogram(n: int, m: int) -> list[int]:
    """``gamma_{n,m}``: entry ``a`` is what the proved bounds leave for ``a`` active units.

    Its tail sums are ``sum_{a >= m - j} gamma_a = most_patterns(n, m, j)``: no layer of ``m`` units
    on ``R^n`` has a histogram with a larger tail sum.
    """
    tails = [most_patterns(n, m, j) for j in range(-1, m + 1)]
    return [tails[m - a + 1] - tails[m - a] for a in range(m + 1)]
