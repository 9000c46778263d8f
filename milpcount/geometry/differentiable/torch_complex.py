"""Vertices of an exact complex as tensors with gradients to the weights.

**Statement.**  A vertex ``x`` is the one solution of a system ``g(x, theta) = 0``: the
pre-activations of the units that vanish there, the sides of the domain on which it lies, and on a
boundary the function of the outputs whose level that is.  Where ``d`` equations in ``d``
coordinates have an invertible Jacobian ``A = dg/dx``, the vertex moves with the weights as

    dx / dtheta = -A^-1 dg / dtheta        (implicit function theorem),

as long as the combinatorics stays.  Which units these are is exact: it comes from the sign vector
of the vertex.  So the tensor ``x0 - A^-1 g(x0, theta)``, with ``A`` held fixed, has the value of
the vertex and its first derivatives (not the second).

That units later in the network are not differentiable in ``x`` where earlier ones vanish does not
matter: these vanish all along the motion, whichever of the adjacent regions the forms are of.

A vertex with more than ``d`` equations (several units may vanish by construction, as without
biases) need not stay one vertex.  It gets the least-squares solution ``-A^+ g`` and is marked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Domain
from milpcount.errors import InputError, UnsupportedError
from milpcount.geometry.complexes.polyhedral import PolyhedralComplex, polyhedral_complex
from milpcount.geometry.complexes.subcomplex import SubComplex
from milpcount.geometry.differentiable.shapes import Shape
from milpcount.geometry.differentiable.traced_units import TracedModule, require_torch
from milpcount.importers import load_network
from milpcount.importers.torch.module import is_module

__all__ = ["TorchComplex", "torch_complex"]

_DEPENDENT = 1e-10  # least singular value of normals that are taken for independent
_NEAR = 1e-6  # of the scale of the pre-activations: far above rounding, far below what differs


def torch_complex(
    module: Any,
    domain: Domain,
    *,
    input_shape: tuple[int, ...] | None = None,
    with_output: bool = False,
) -> TorchComplex:
    """The polyhedral complex of a module, its vertices as tensors with gradients to the weights.

    Arguments:
        module: a ``torch.nn.Module`` that :func:`milpcount.load_network` reads, whose activations
            are ReLUs with any slopes.  Its present weights are taken, in their own precision.
        domain: as for :func:`milpcount.polyhedral_complex`, bounded or not.
        input_shape: of one sample, where the module does not take vectors.
        with_output: whether the units of the last affine layer cut too.

    Raises:
        InputError: it is no module.
        UnsupportedError: an activation with other kinks, or ReLUs that run in another order than
            the stages of the network.
        MissingDependencyError: torch is not installed.
    """
    require_torch()
    if not is_module(module):
        raise InputError(
            f"torch_complex takes a torch.nn.Module, not {type(module).__name__}; for other "
            "networks take polyhedral_complex"
        )
    network = load_network(module, input_shape=input_shape)
    exact = polyhedral_complex(network, domain, with_output=with_output)
    return TorchComplex(TracedModule(module, input_shape), exact)


class TorchComplex:
    """A complex, or a part of one, and its vertices as a tensor.

    Attributes:
        complex: the exact one, or the exact part.
        vertices: float64 tensor of shape ``(V, varying coordinates)``, numbered as
            ``complex.vertices``.  Its gradients go to the parameters of the module; first
            derivatives alone are right.
        overdetermined: which vertices solve more equations than there are coordinates, or
            dependent ones.
    """

    def __init__(self, traced: TracedModule, exact: PolyhedralComplex | SubComplex) -> None:
        self._traced, self.complex = traced, exact
        self.vertices, self.overdetermined = _solved(traced, exact)

    def __repr__(self) -> str:
        return f"TorchComplex({self.complex!r})"

    @property
    def shape(self) -> Shape:
        """Lengths, areas, volumes, angles and curvature as functions of the vertices."""
        return Shape(self.vertices, self.complex)

    def boundary(self, output: int = 0, level: float = 0.0, **which: Any) -> TorchComplex:
        """The part where a function of the outputs vanishes.

        Arguments as of ``PolyhedralComplex.boundary``: ``output`` and ``level``, or ``outputs``,
        or ``argmax``.

        Raises:
            InputError: this is a part already; or as of that method.
        """
        if not isinstance(self.complex, PolyhedralComplex):
            raise InputError("a part of a complex has no boundary of its own; ask the whole")
        return TorchComplex(self._traced, self.complex.boundary(output, level, **which))


def _solved(
    traced: TracedModule, part: PolyhedralComplex | SubComplex
) -> tuple[Any, NDArray[np.bool_]]:
    """The vertices with gradients, and which are overdetermined."""
    torch = require_torch()
    whole = part if isinstance(part, PolyhedralComplex) else part.parent
    corners = part.faces(0)
    free = list(part.free)
    at = torch.tensor(part.vertices[:, free], dtype=torch.float64, requires_grad=True)
    units, outputs = traced.run(_inputs(whole, part.vertices, free, at))
    _require_signs(whole, corners.signs, units, outputs)
    values = torch.cat([units, outputs], dim=1)
    equations = _equations(whole, corners.signs, units.shape[1], outputs.shape[1])
    most = max((len(row) for row in equations), default=0)
    sides = _sides(whole, corners.sides, len(free))
    slopes, columns = [], []
    for k in range(most):
        # The k-th equation of every vertex: a difference of two columns, the second maybe none.
        pairs = np.array([row[k] if k < len(row) else (-1, -1) for row in equations])
        column = _chosen(torch, values, pairs[:, 0]) - _chosen(torch, values, pairs[:, 1])
        (slope,) = torch.autograd.grad(column.sum(), at, retain_graph=True)
        slopes.append(slope.numpy()[:, None])
        columns.append(column)
    jacobian = np.concatenate([*slopes, sides], axis=1)
    size = np.linalg.norm(jacobian, axis=2)
    scale = np.where(size > 0, size, 1.0)
    scaled = jacobian / scale[:, :, None]
    unique = ((size > 0).sum(axis=1) == len(free)) & (
        np.linalg.matrix_rank(scaled, tol=_DEPENDENT) == len(free)
    )
    if not columns:
        return at.detach(), ~unique
    inverse = np.linalg.pinv(scaled, rcond=_DEPENDENT) / scale[:, None]
    g = torch.stack(columns, dim=1)
    moved = torch.einsum("vne,ve->vn", torch.tensor(inverse[:, :, :most]), g - g.detach())
    return at.detach() - moved, ~unique


def _inputs(whole: PolyhedralComplex, points: NDArray[np.float64], free: list[int], at: Any) -> Any:
    """The network's inputs at the vertices, as a function of the coordinates that vary."""
    torch = require_torch()
    problem = whole.problem
    fixed = points.copy()
    fixed[:, free] = 0.0
    placed = torch.tensor(fixed, dtype=torch.float64)
    select = np.zeros((len(free), points.shape[1]))
    select[np.arange(len(free)), free] = 1.0
    coordinates = placed + at @ torch.tensor(select)
    if problem.slice is None:
        return coordinates
    corners = torch.tensor(problem.slice.points)
    return corners[0] + coordinates @ (corners[1:] - corners[0])


def _chosen(torch: Any, values: Any, columns: NDArray[np.int64]) -> Any:
    """One column of values a row; 0 where the column is -1."""
    index = torch.tensor(np.maximum(columns, 0)).unsqueeze(1)
    found = values.gather(1, index).squeeze(1)
    return torch.where(torch.tensor(columns >= 0), found, found.new_zeros(()))


def _equations(
    whole: PolyhedralComplex, signs: NDArray[np.int8], units: int, outputs: int
) -> list[list[tuple[int, int]]]:
    """For every vertex pairs of columns of (units, outputs) that are equal there; -1 for 0.

    Units that vanish, and what the cut says.
    """
    state = whole.problem.n_units
    own = signs[:, : units + (outputs if whole.problem.with_output else 0)]
    out = [[(u, -1) for u in np.flatnonzero(row == 0).tolist()] for row in own]
    cut = whole.cut
    if cut is None:
        return out
    for row, more in zip(out, signs[:, state:].tolist(), strict=True):
        if cut.kind == "argmax":
            first, *others = [k for k, sign in enumerate(more) if sign == 0]
            row += [(units + k, units + first) for k in others]
        elif more[0] == 0:
            first, second = (*cut.outputs, -1)[:2]
            row.append((units + first, units + second if second >= 0 else -1))
    return out


def _sides(whole: PolyhedralComplex, sides: NDArray[np.bool_], n: int) -> NDArray[np.float64]:
    """Shape ``(vertices, sides, n)``: the normals of the domain's sides, 0 where not on one."""
    free = {j: k for k, j in enumerate(whole.free)}
    normals = np.zeros((len(whole.sides), n))
    for k, side in enumerate(whole.sides):
        if side.kind == "row":
            normals[k] = whole.problem.rows[0][side.index][list(whole.free)]
        else:
            normals[k, free[side.index]] = 1.0
    return np.asarray(sides[:, :, None] * normals[None])


def _require_signs(
    whole: PolyhedralComplex, signs: NDArray[np.int8], units: Any, outputs: Any
) -> None:
    """Check that what was noted in the module are the units of the network, in their order.

    Raises:
        UnsupportedError: they are not.
    """
    found = units.detach().numpy()
    if whole.problem.with_output:
        found = np.column_stack([found, outputs.detach().numpy()])
    agree = found.shape[1] == whole.problem.n_units
    if agree:
        part = signs[:, : found.shape[1]]
        near = _NEAR * (1.0 + np.abs(found).max(initial=0.0))
        agree = bool(np.all(np.where(part == 0, np.abs(found) <= near, found * part >= -near)))
    if not agree:
        raise UnsupportedError(
            "the ReLUs of this module do not run in the order of the network's stages, its outputs "
            "pass through a head, or its weights have changed since the complex was made"
        )
