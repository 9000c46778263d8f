"""Complexes of two or three coordinates as meshes: Wavefront OBJ, and PLY as text."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InputError, UnsupportedError
from milpcount.geometry.complexes.simplices import fans
from milpcount.support.regular_files import require_writable, writing

if TYPE_CHECKING:
    from milpcount.geometry.complexes.face_complex import FaceComplex

__all__ = ["write_mesh"]

Float = NDArray[np.float64]

_ENDINGS = (".obj", ".ply")


def write_mesh(complex_: FaceComplex, path: Path, polygons: bool) -> None:
    """Write a mesh; see :meth:`~.face_complex.FaceComplex.to_mesh`."""
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise InputError(f"{path}: a mesh is written as {' or '.join(_ENDINGS)}; name such a file")
    require_writable(path)
    vary = len(complex_.free)
    if vary not in (2, 3):
        raise UnsupportedError(
            f"a mesh has two or three coordinates, here {vary} vary; take a slice"
        )
    if not complex_.is_bounded:
        raise UnsupportedError("a mesh is bounded, the domain is not; give a box or a polytope")
    points = complex_.vertices[:, complex_.free]
    if vary == 2:
        points = np.pad(points, ((0, 0), (0, 1)))
    lines: list[list[int]] = []
    areas: list[list[int]] = []
    if complex_.dimension >= 2:
        begin, corners = complex_.polygons()
        if polygons:
            ends, flat = begin.tolist(), corners.tolist()
            areas = [flat[a:b] for a, b in itertools.pairwise(ends)]
        else:
            areas = fans(begin, corners).tolist()
    elif complex_.dimension == 1:
        lines = complex_.faces(1).vertices.reshape(-1, 2).tolist()
    text = (_obj if ending == ".obj" else _ply)(points, lines, areas)
    with writing(path, "the complex is not lost: save it elsewhere"):
        path.write_text(text, encoding="ascii", newline="\n")


def _obj(points: Float, lines: list[list[int]], areas: list[list[int]]) -> str:
    out = ["# milpcount"]
    out += [f"v {x!r} {y!r} {z!r}" for x, y, z in points.tolist()]
    out += [f"l {a + 1} {b + 1}" for a, b in lines]
    out += ["f " + " ".join(str(v + 1) for v in area) for area in areas]
    return "\n".join(out) + "\n"


def _ply(points: Float, lines: list[list[int]], areas: list[list[int]]) -> str:
    out = ["ply", "format ascii 1.0", "comment milpcount", f"element vertex {len(points)}"]
    out += [f"property double {axis}" for axis in "xyz"]
    if areas or not lines:
        out += [f"element face {len(areas)}", "property list uchar int vertex_indices"]
    if lines:
        out += [f"element edge {len(lines)}", "property int vertex1", "property int vertex2"]
    out.append("end_header")
    out += [f"{x!r} {y!r} {z!r}" for x, y, z in points.tolist()]
    out += [f"{len(area)} " + " ".join(map(str, area)) for area in areas]
    out += [f"{a} {b}" for a, b in lines]
    return "\n".join(out) + "\n"
