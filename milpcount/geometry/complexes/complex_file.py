"""Complexes in files: NumPy arrays with the network, the domain and all faces; no pickles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box, Domain, Polytope, Slice, WholeSpace
from milpcount.core.problem import CountProblem
from milpcount.core.result import Limit, Termination
from milpcount.errors import InputError, InvariantError, UnsupportedError
from milpcount.exact.domains import require_full_dimensional
from milpcount.geometry.complexes.assembly import Assembled
from milpcount.geometry.complexes.cuts import Cut, cut_of, leading, refined
from milpcount.geometry.complexes.domain_faces import domain_sides
from milpcount.geometry.complexes.face_sets import Corners, FaceSet
from milpcount.geometry.complexes.polyhedral import PolyhedralComplex
from milpcount.geometry.complexes.stored_network import Reader, network_arrays, read_network
from milpcount.importers.npz import read_archive
from milpcount.search.frames.problem_frames import is_bounded
from milpcount.support.regular_files import require_writable, writing

__all__ = ["load_complex", "save_complex"]

Arrays = dict[str, NDArray[Any]]
Ints = NDArray[np.int64]

_FORMAT = "milpcount complex 1"
_MOST_NUMBERS = 2**26  # in all arrays, as the reader of archives allows
_MOST_DIMENSION = 6


def save_complex(complex_: PolyhedralComplex, path: Path) -> None:
    """Write a file; see :meth:`~.polyhedral.PolyhedralComplex.save`."""
    if path.suffix.lower() != ".npz":
        raise InputError(f"{path} does not end in .npz; give it that suffix")
    require_writable(path)
    problem, found = complex_.problem, complex_.assembled
    arrays: Arrays = {"format": np.array(_FORMAT), **network_arrays(problem.network)}
    arrays["with_output"] = np.array(problem.with_output)
    arrays["domain"] = np.array(type(_domain(problem)).__name__)
    matrix, right = problem.rows
    if len(right):
        arrays["rows"], arrays["right"] = matrix, right
    elif not isinstance(_domain(problem), WholeSpace):
        arrays["lo"], arrays["hi"] = problem.box.lo, problem.box.hi
    if problem.slice is not None:
        arrays["points"] = problem.slice.points
    if complex_.cut is not None:
        cut = complex_.cut
        arrays["cut"] = np.array(cut.kind)
        arrays["cut_outputs"] = np.array(cut.outputs, dtype=np.int64)
        arrays["cut_level"] = np.array(cut.level)
    limit = complex_.termination.limit
    arrays["stopped"] = np.array(["" if limit is None else limit.name, complex_.termination.detail])
    arrays["seconds"] = np.array(complex_.seconds)
    arrays["vertices"], arrays["errors"] = found.vertices, found.errors
    arrays |= _packed("corners", found.corners)
    for k, faces in enumerate(found.faces):
        for name in ("begin", "vertices", "facet_begin", "facets"):
            arrays[f"{name}{k}"] = getattr(faces, name)
        if faces.given is not None:
            arrays |= _packed(f"given{k}", faces.given)
    if sum(array.size for array in arrays.values()) > _MOST_NUMBERS:
        raise UnsupportedError(
            f"the complex is too large for a file: {sum(complex_.f_vector)} faces; take a smaller "
            "domain"
        )
    with writing(path, "the complex is not lost: save it elsewhere"):
        part = path.with_name(path.name + ".part")
        try:
            with part.open("wb") as stream:
                np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def load_complex(path: str | Path) -> PolyhedralComplex:
    """Read a complex that :meth:`PolyhedralComplex.save` has written.

    The file is not trusted: sizes are checked before memory is taken, nothing in it is run, and
    faces must fit together: numbers in range, every face of two dimensions more than another in
    exactly two ways above it, the right Euler characteristic.

    Raises:
        InputError: no such file, or one that holds no complex.
    """
    reader = Reader(read_archive(Path(path)), str(path))
    if str(reader.take("format", "U")) != _FORMAT:
        reader.refuse("its format is another one")
    net = read_network(reader)
    with_output = bool(reader.take("with_output", "b"))
    problem = CountProblem.of(net, _read_domain(reader), "full", with_output)
    cut = _read_cut(reader, problem)
    searched = problem if cut is None else refined(problem, cut)
    stopped, detail = (str(v) for v in reader.take("stopped", "U", 2))
    if stopped and stopped not in Limit.__members__:
        reader.refuse("it was stopped by an unknown limit")
    termination = Termination.complete()
    if stopped:
        termination = Termination.stopped(Limit[stopped], detail)
    seconds = float(reader.take("seconds", "f"))
    vertices = reader.take("vertices", "f", -1, problem.dimension).astype(np.float64)
    if not np.all(np.isfinite(vertices)):
        reader.refuse("a vertex is not finite")
    require_full_dimensional(problem)
    errors = reader.take("errors", "f", len(vertices)).astype(np.float64)
    bounded = is_bounded(problem)
    n = int((problem.box.lo < problem.box.hi).sum())
    if not 1 <= n <= _MOST_DIMENSION:
        reader.refuse(f"it has {n} dimensions")
    sides = len(domain_sides(problem))
    corners = _unpacked(reader, "corners", len(vertices), searched.n_units, sides)
    named = problem.n_units + (0 if cut is None else cut.columns)
    names = corners
    if cut is not None and cut.kind == "argmax":
        names = Corners(leading(corners.signs, problem.n_units), corners.sides)
    faces: list[FaceSet] = []
    for k in range(n + 1):
        faces.append(_read_faces(reader, k, faces, len(vertices), names, named, sides))
    reader.end()
    found = Assembled(searched, not stopped, bounded, vertices, errors, corners, tuple(faces))
    made = PolyhedralComplex(problem, found, termination, seconds, cut)
    try:
        made.check_euler()
    except InvariantError as error:
        raise InputError(f"{path} is damaged: its faces do not fit together") from error
    return made


def _domain(problem: CountProblem) -> Domain:
    if problem.slice is not None:
        return problem.slice
    ends = np.concatenate([problem.box.lo, problem.box.hi])
    if isinstance(problem.domain, Polytope) or np.isfinite(ends).any():
        return problem.domain
    return WholeSpace()


def _read_domain(reader: Reader) -> Domain:
    kind = str(reader.take("domain", "U"))
    if kind == "WholeSpace":
        return WholeSpace()
    if kind == "Polytope":
        right = reader.take("right", "f", -1)
        return Polytope(reader.take("rows", "f", len(right), -1), right)
    if kind not in ("Box", "Slice"):
        reader.refuse(f"its domain is a {kind!r}")
    lo = reader.take("lo", "f", -1)
    hi = reader.take("hi", "f", len(lo))
    if kind == "Box":
        return Box(lo, hi)
    return Slice(reader.take("points", "f", len(lo) + 1, -1), lo, hi)


def _read_cut(reader: Reader, problem: CountProblem) -> Cut | None:
    if not reader.has("cut"):
        return None
    kind = str(reader.take("cut", "U"))
    count = problem.network.output_dimension
    outputs = reader.integers("cut_outputs", -1, 0, count - 1).tolist()
    level = float(reader.take("cut_level", "f"))
    if kind == "argmax":
        return cut_of(problem.network, argmax=True)
    if kind == "difference":
        return cut_of(problem.network, outputs=tuple(outputs))
    if kind != "level" or len(outputs) != 1:
        reader.refuse("it is refined by an unknown function")
    return cut_of(problem.network, outputs[0], level)


def _read_faces(
    reader: Reader,
    k: int,
    below: list[FaceSet],
    vertices: int,
    corners: Corners,
    units: int,
    sides: int,
) -> FaceSet:
    begin, ends = _read_rows(reader, f"begin{k}", f"vertices{k}", vertices, -1)
    count = len(begin) - 1
    facet_begin, facets = _read_rows(
        reader, f"facet_begin{k}", f"facets{k}", len(below[-1]) if k else 0, count
    )
    given = (
        _unpacked(reader, f"given{k}", count, units, sides)
        if (reader.has(f"given{k}_signs"))
        else None
    )
    faces = FaceSet(k, begin, ends, facet_begin, facets, corners, given)
    if k == 0:
        if not np.array_equal(ends, np.arange(vertices)) or count != vertices:
            reader.refuse("its vertices are not numbered")
    elif given is None and np.any(np.diff(begin) < 1):
        reader.refuse(f"a face of dimension {k} has no vertices")
    if k > 1 and not _closes(faces, below[-1]):
        reader.refuse(f"the sides of a face of dimension {k} do not close up")
    return faces


def _read_rows(reader: Reader, begin: str, values: str, most: int, count: int) -> tuple[Ints, Ints]:
    starts = reader.take(begin, "i", -1 if count < 0 else count + 1).astype(np.int64)
    found = reader.integers(values, -1, 0, most - 1)
    if len(starts) < 1 or starts[0] != 0 or starts[-1] != len(found) or np.any(np.diff(starts) < 0):
        reader.refuse(f"its rows {begin} do not fit")
    inner = np.ones(max(0, len(found) - 1), dtype=bool)
    cuts = starts[1:-1]
    inner[cuts[(cuts > 0) & (cuts < len(found))] - 1] = False
    if values.startswith("vertices") and np.any(np.diff(found)[inner] <= 0):
        reader.refuse(f"its rows {values} do not ascend")
    return starts, found


def _closes(faces: FaceSet, below: FaceSet) -> bool:
    """Whether every face two dimensions below another lies on exactly two of its facets."""
    counts = np.diff(below.facet_begin)[faces.facets]
    owner = np.repeat(np.repeat(np.arange(len(faces)), np.diff(faces.facet_begin)), counts)
    first = np.repeat(below.facet_begin[faces.facets] - np.cumsum(counts) + counts, counts)
    ridges = below.facets[first + np.arange(len(owner))]
    order = np.lexsort((ridges, owner))
    pairs = np.column_stack([owner[order], ridges[order]])
    if len(pairs) % 2:
        return False
    same = np.all(pairs[0::2] == pairs[1::2])
    others = np.all(np.any(pairs[1:-1:2] != pairs[2::2], axis=1))
    return bool(same and others)


def _packed(name: str, of: Corners) -> Arrays:
    return {
        f"{name}_signs": np.packbits(np.hstack([of.signs > 0, of.signs < 0]), axis=1),
        f"{name}_sides": np.packbits(of.sides, axis=1),
    }


def _unpacked(reader: Reader, name: str, rows: int, units: int, sides: int) -> Corners:
    signs = reader.take(f"{name}_signs", "u", rows, (2 * units + 7) // 8).astype(np.uint8)
    both = np.unpackbits(signs, axis=1, count=2 * units).astype(np.int8)
    if np.any(both[:, :units] & both[:, units:]):
        reader.refuse("a sign is positive and negative")
    on = reader.take(f"{name}_sides", "u", rows, (sides + 7) // 8).astype(np.uint8)
    lies = np.unpackbits(on, axis=1, count=sides).astype(bool)
    return Corners(both[:, :units] - both[:, units:], lies)
