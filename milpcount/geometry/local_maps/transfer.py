"""Linear maps between the local maps of two networks, by least squares.

For each output ``j`` of two networks with the same inputs, ``M_j`` of shape ``(d + 1, d + 1)``
minimises ``|C1_j M - C2_j|``, ``C_j`` the local maps of output ``j`` as rows.  Gradients of narrow
networks span few dimensions, so that ``C1_j`` has a lower rank than ``d + 1``; of all solutions the
one with the smallest norm is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.errors import InputError
from milpcount.geometry.local_maps.map_array import as_maps
from milpcount.geometry.local_maps.scores import Score, checked_labels, rows_for, score

__all__ = ["MapTransfer", "accuracy_after", "map_between", "values_after"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MapTransfer:
    """The matrices, with what they leave.

    Attributes:
        matrices: shape ``(outputs, d1 + 1, d2 + 1)``.
        ranks: the rank of ``C1_j`` for each output.
        residuals: ``|C1_j M_j - C2_j| / |C2_j|`` for each output (Frobenius norms).
        ridge: the weight of ``|M|^2``.
    """

    matrices: Float
    ranks: NDArray[np.int64]
    residuals: Float
    ridge: float

    def __call__(self, maps: ArrayLike) -> Float:
        """Local maps of the first network taken to the second, shape ``(outputs, points, d2 + 1)``.

        Raises:
            InputError: maps of another shape.
        """
        cloud = as_maps(maps)
        if (cloud.shape[0], cloud.shape[2]) != self.matrices.shape[:2]:
            raise InputError(
                f"local maps of shape {cloud.shape} for matrices of shape {self.matrices.shape}"
            )
        return np.asarray(np.matmul(cloud.astype(np.float64), self.matrices))


def map_between(
    first: ArrayLike, second: ArrayLike, *, ridge: float = 0.0, normal: bool | None = None
) -> MapTransfer:
    """Fit, for each output, the linear map from one network's local maps to another's.

    Singular values of ``C1_j`` below ``(d + 1) eps`` times the largest count as 0, ``eps`` that of
    the precision of ``first``.  Through normal equations singular values below ``sqrt((d + 1)
    eps)`` of float64, some 4e-7, cannot be told from 0, and count as 0.

    Arguments:
        first: local maps by one network, ``(outputs, points, d + 1)``.
        second: those of the same points by another network.
        ridge: adds ``ridge * |M|^2`` to what is minimised.
        normal: whether by the normal equations, which take a fraction of the time and memory; else
            by singular values.  None: from 20,000 points on.

    Raises:
        InputError: other numbers of points, outputs or inputs, or a ridge below 0.
    """
    a, b = as_maps(first, "the first local maps"), as_maps(second, "the second local maps")
    if a.shape[2] != b.shape[2]:
        raise InputError(
            f"the first network has {a.shape[2] - 1} inputs and the second {b.shape[2] - 1}; maps "
            "are fitted between networks with the same inputs"
        )
    if a.shape[1] != b.shape[1]:
        raise InputError(
            f"the first local maps are of {a.shape[1]} points and the second of {b.shape[1]}; "
            "take the same points"
        )
    if a.shape[0] != b.shape[0]:
        raise InputError(f"the first network has {a.shape[0]} outputs and the second {b.shape[0]}")
    if np.ndim(ridge) or np.asarray(ridge).dtype.kind not in "iuf" or not 0 <= ridge < np.inf:
        raise InputError(f"ridge: a number from 0 on, not {ridge!r}")
    normal = a.shape[1] >= 20_000 if normal is None else normal
    matrices = np.empty((len(a), a.shape[2], b.shape[2]))
    ranks = np.empty(len(a), dtype=np.int64)
    residuals = np.empty(len(a))
    cut = a.shape[2] * float(np.finfo(a.dtype).eps)
    for j in range(len(a)):
        x, y = a[j].astype(np.float64), b[j].astype(np.float64)
        solve = _by_normal_equations if normal else _by_singular_values
        matrices[j], ranks[j] = solve(x, y, cut, float(ridge))
        size = float(np.linalg.norm(y))
        left = float(np.linalg.norm(x @ matrices[j] - y))
        residuals[j] = left / size if size else left
    return MapTransfer(matrices, ranks, residuals, float(ridge))


def _by_singular_values(x: Float, y: Float, cut: float, ridge: float) -> tuple[Float, int]:
    # The singular values and right vectors of a tall matrix are those of its triangular factor.
    q, r = np.linalg.qr(x) if x.shape[0] > x.shape[1] else (None, x)
    right = y if q is None else q.T @ y
    u, s, vt = np.linalg.svd(r, full_matrices=False)
    rank = int(np.count_nonzero(s > cut * s[0])) if s[0] > 0 else 0
    s, u, vt = s[:rank], u[:, :rank], vt[:rank]
    return vt.T @ ((s / (s**2 + ridge))[:, None] * (u.T @ right)), rank


def _by_normal_equations(x: Float, y: Float, cut: float, ridge: float) -> tuple[Float, int]:
    values, vectors = np.linalg.eigh(x.T @ x)
    least = max(cut**2, len(values) * float(np.finfo(np.float64).eps))
    kept = values > least * values[-1] if values[-1] > 0 else np.zeros(len(values), dtype=bool)
    values, vectors = values[kept], vectors[:, kept]
    right = vectors.T @ (x.T @ y)
    return vectors @ (right / (values + ridge)[:, None]), int(kept.sum())


def accuracy_after(
    transfer: MapTransfer | ArrayLike, maps: ArrayLike, points: ArrayLike, labels: ArrayLike
) -> Score:
    """Classify points by their local maps in the first network, taken to the second.

    Arguments:
        transfer: from :func:`map_between`, or its matrices.
        maps: the points' local maps in the first network, ``(outputs, points, d + 1)``.
        points: a row each, or one along the first axis.
        labels: the classes of the points.

    Raises:
        InputError: shapes that do not fit together, or a label that is no output.
    """
    values = values_after(transfer, maps, points)
    return score(values, checked_labels(labels, *values.shape))


def values_after(
    transfer: MapTransfer | ArrayLike, maps: ArrayLike, points: ArrayLike
) -> NDArray[np.float64]:
    """What the maps that were taken over compute, shape ``(points, outputs)``; arguments as above.

    Raises:
        InputError: shapes that do not fit together.
    """
    if not isinstance(transfer, MapTransfer):
        given = as_maps(transfer, "the matrices").astype(np.float64)
        empty = np.zeros(0)
        transfer = MapTransfer(given, empty.astype(np.int64), empty, 0.0)
    taken = transfer(maps)
    rows = rows_for(taken, points)
    return np.asarray(np.einsum("jpd,pd->pj", taken[..., :-1], rows) + taken[..., -1].T)
