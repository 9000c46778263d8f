"""Fewer coordinates than inputs: independent rows of the first stage, and all rows in these."""

from __future__ import annotations

from flint import fmpq_mat, fmpz_mat, nmod_mat

from milpcount.errors import InvariantError
from milpcount.exact.forms import ExactStage, Forms

__all__ = ["chosen_rows", "forms_in_rows"]

_PRIME = (1 << 61) - 1


def chosen_rows(weight: fmpz_mat) -> list[int]:
    """The rows of a maximal independent set, found modulo a prime and, if need be, exactly.

    Rows that are independent modulo a prime are independent.  Where fewer are found than there are
    rows, the exact rank says whether any is missing; the prime is then a bad one.
    """
    rows, columns = weight.nrows(), weight.ncols()
    residues = nmod_mat(
        columns, rows, [int(v) % _PRIME for v in weight.transpose().entries()], _PRIME
    )
    reduced, rank = residues.rref()
    chosen: list[int] = []
    for i in range(rank):
        j = chosen[-1] + 1 if chosen else 0
        while int(reduced[i, j]) == 0:
            j += 1
        chosen.append(j)
    if rank < rows and rank != weight.rank():
        raise InvariantError("the rank of the first stage differs modulo a prime")
    return chosen


def forms_in_rows(layer: ExactStage, chosen: list[int]) -> Forms:
    """The pre-activations of the first stage in the values ``B x`` of independent rows of it."""
    weight = layer.weights[0]
    d, width = len(chosen), weight.nrows()
    if d == width:
        rows = [
            [(1 << layer.shift) if k == i else 0 for k in range(d)] + [layer.bias[i]]
            for i in range(width)
        ]
        return Forms(fmpz_mat(width, d + 1, [v for row in rows for v in row]), layer.shift)
    coefficients, common = _combinations(weight, chosen)
    table = [
        [int(coefficients[i, k]) << layer.shift for k in range(d)] + [common * layer.bias[i]]
        for i in range(width)
    ]
    flat = [v for row in table for v in row]
    return Forms(fmpz_mat(width, d + 1, flat), layer.shift, (*[0] * d, common))


def _combinations(weight: fmpz_mat, chosen: list[int]) -> tuple[fmpz_mat, int]:
    """All rows as combinations of independent ones: integer coefficients, common denominator."""
    rows, d = weight.tolist(), len(chosen)
    basis = fmpz_mat(d, weight.ncols(), [v for i in chosen for v in rows[i]])
    gram = fmpq_mat(basis * basis.transpose())
    right = fmpq_mat(weight * basis.transpose()).transpose()
    solved = gram.solve(right) if d else fmpq_mat(0, weight.nrows())
    numerators, common = solved.numer_denom()
    return numerators.transpose(), int(common)
