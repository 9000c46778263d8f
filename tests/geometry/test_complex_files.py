"""Complexes and boundaries in files: meshes, and archives that are not trusted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from tests.geometry.test_complex import BOX, WHOLE, absolute
from tests.shared import data_folder, random_net
from tests.staged import random_stages


def read_ply(path: Path) -> tuple[np.ndarray, list[list[int]], list[list[int]]]:
    """Vertices, faces, edges."""
    lines = path.read_text(encoding="ascii").splitlines()
    end = lines.index("end_header")
    sizes = {
        words[1]: int(words[2])
        for words in (line.split() for line in lines[:end])
        if words[0] == "element"
    }
    body = [line.split() for line in lines[end + 1 :]]
    assert len(body) == sum(sizes.values())
    points = np.array(body[: sizes["vertex"]], dtype=float)
    body = body[sizes["vertex"] :]
    faces = [[int(v) for v in row[1:]] for row in body[: sizes.get("face", 0)]]
    edges = [[int(v) for v in row] for row in body[sizes.get("face", 0) :]]
    return points, faces, edges


def sides_of(faces: list[list[int]]) -> Counter[tuple[int, int]]:
    return Counter((a, b) for f in faces for a, b in zip(f, f[1:] + f[:1], strict=True))


@pytest.mark.parametrize("polygons", [False, True])
def test_a_closed_surface_is_watertight_and_points_outward(tmp_path: Path, polygons: bool) -> None:
    network = absolute(3, 1.0, 0.25)
    boundary = mc.polyhedral_complex(network, mc.Box(-2, 2)).boundary()
    boundary.to_mesh(tmp_path / "shell.ply", polygons=polygons)
    points, faces, _ = read_ply(tmp_path / "shell.ply")
    assert len(points) == 12
    assert len(faces) == 16
    sides = sides_of(faces)
    # Every edge in exactly two faces, once in each direction.
    assert all(sides[b, a] == 1 and n == 1 for (a, b), n in sides.items())
    for face in faces:
        a, b, c = points[face[:3]]
        normal, middle = np.cross(b - a, c - a), points[face].mean(axis=0)
        step = 1e-3 * normal / np.linalg.norm(normal)
        assert network.forward(middle + step) > network.forward(middle - step)


def test_a_large_boundary(tmp_path: Path) -> None:
    bunny = mc.load_network(data_folder() / "networks" / "bunny_3_3x16.npz")
    k = mc.polyhedral_complex(bunny, mc.Box(-0.5, 0.5), with_output=True)
    assert k.f_vector == (27562, 80656, 78682, 25587)
    boundary = k.boundary()
    assert boundary.f_vector == (2878, 5751, 2874)
    assert boundary.measure == pytest.approx(2.3235, abs=5e-5)
    boundary.to_mesh(tmp_path / "bunny.ply", polygons=True)
    points, faces, _ = read_ply(tmp_path / "bunny.ply")
    assert (len(points), len(faces)) == (2878, 2874)
    sides = sides_of(faces)
    assert max(sides.values()) == 1
    # Open only where the surface leaves the box.
    alone = [(a, b) for a, b in sides if (b, a) not in sides]
    assert len({tuple(sorted(e)) for e in sides}) == 5751
    on = boundary.faces(0).sides
    assert all((on[a] & on[b]).any() for a, b in alone)


def test_lines_and_polygons_in_the_plane(tmp_path: Path) -> None:
    k = mc.polyhedral_complex(absolute(2, 1.0), mc.Box(-2, 2))
    k.boundary().to_mesh(tmp_path / "square.ply")
    points, faces, edges = read_ply(tmp_path / "square.ply")
    assert np.abs(points).sum(axis=1).tolist() == [1.0] * 4
    assert (faces, len(edges)) == ([], 4)
    k.boundary().to_mesh(tmp_path / "square.obj")
    text = (tmp_path / "square.obj").read_text(encoding="ascii")
    assert Counter(line[0] for line in text.splitlines()) == {"#": 1, "v": 4, "l": 4}
    k.sublevel().to_mesh(tmp_path / "disc.obj")
    rows = [r.split() for r in (tmp_path / "disc.obj").read_text(encoding="ascii").splitlines()]
    assert max(int(v) for r in rows if r[0] == "f" for v in r[1:]) == 5


def test_meshes_that_are_refused(tmp_path: Path) -> None:
    k = mc.polyhedral_complex(absolute(2, 1.0), mc.Box(-2, 2))
    with pytest.raises(mc.InputError, match=r"\.obj or \.ply"):
        k.to_mesh(tmp_path / "mesh.stl")
    with pytest.raises(mc.InputError, match="no folder"):
        k.to_mesh(tmp_path / "nowhere" / "mesh.obj")
    with pytest.raises(mc.UnsupportedError, match="two or three coordinates, here 4"):
        mc.polyhedral_complex(absolute(4, 1.0), BOX).to_mesh(tmp_path / "mesh.obj")
    with pytest.raises(mc.UnsupportedError, match="give a box"):
        mc.polyhedral_complex(absolute(2, 1.0), WHOLE).to_mesh(tmp_path / "mesh.obj")


# Archives.


def same(a: mc.PolyhedralComplex, b: mc.PolyhedralComplex) -> None:
    assert a.f_vector == b.f_vector
    assert np.array_equal(a.vertices, b.vertices)
    for k in range(a.dimension + 1):
        for name in ("begin", "vertices", "facet_begin", "facets", "signs", "sides"):
            assert np.array_equal(getattr(a.faces(k), name), getattr(b.faces(k), name))
    assert list(a.exact_vertices) == list(b.exact_vertices)
    assert a.problem.network.sha256 == b.problem.network.sha256
    assert repr(a) == repr(b)


@pytest.mark.parametrize(
    "domain",
    [
        BOX,
        WHOLE,
        mc.Box([-1, 0.5, -np.inf], [1, 0.5, np.inf]),
        mc.Polytope([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 1, 1]], [0, 0, 0, 1]),
        mc.Slice.plane([0, 0, 0], [1, 2, 3], [0, 1, 5]),
    ],
)
def test_what_is_saved_comes_back(tmp_path: Path, domain: mc.Domain) -> None:
    network = random_stages(np.random.default_rng(3), 3, [3, 2], sparse=True)
    k = mc.polyhedral_complex(network, domain, with_output=True)
    for part in (k, k.refine(level=0.125), k.refine(outputs=(1, 0)), k.refine(argmax=True)):
        part.save(tmp_path / "k.npz")
        back = mc.load_complex(tmp_path / "k.npz")
        same(part, back)
        assert len(back.regions) == len(part.regions)
    assert mc.load_complex(tmp_path / "k.npz").boundary(argmax=True).f_vector == (
        k.boundary(argmax=True).f_vector
    )
    assert not [p for p in tmp_path.iterdir() if p.name != "k.npz"]


def test_a_complex_that_was_stopped_comes_back_as_such(tmp_path: Path) -> None:
    network = random_net(np.random.default_rng(2), [2, 12, 10, 1])
    some = mc.polyhedral_complex(network, BOX, budget=mc.Budget(regions=20))
    some.save(tmp_path / "k.npz")
    assert mc.load_complex(tmp_path / "k.npz").termination == some.termination


def damaged(arrays: dict[str, Any], name: str) -> dict[str, Any]:
    """The arrays with one fault."""
    out = dict(arrays)
    if name == "without a face":
        del out["begin1"]
    elif name == "an array more":
        out["extra"] = np.zeros(3)
    elif name == "a facet out of range":
        out["facets2"] = out["facets2"] + 1
    elif name == "a vertex twice":
        out["vertices1"] = np.repeat(out["vertices1"][::2], 2)
    elif name == "edges that do not close":
        out["facets2"] = np.sort(out["facets2"])
    elif name == "another format":
        out["format"] = np.array("milpcount complex 99")
    elif name == "a sign of both kinds":
        out["corners_signs"] = np.full_like(out["corners_signs"], 255)
    elif name == "no number":
        out["vertices"] = out["vertices"] * np.nan
    elif name == "another network":
        out["net_bias0"] = out["net_bias0"][:-1]
    elif name == "fewer cells":
        for key in ("begin2", "facet_begin2"):
            out[key] = out[key][:-1]
        out["vertices2"] = out["vertices2"][: out["begin2"][-1]]
        out["facets2"] = out["facets2"][: out["facet_begin2"][-1]]
    return out


FAULTS = (
    "without a face", "an array more", "a facet out of range", "a vertex twice",
    "edges that do not close", "another format", "a sign of both kinds", "no number",
    "another network", "fewer cells",
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, fault: str) -> None:
    k = mc.polyhedral_complex(random_net(np.random.default_rng(2), [2, 5, 4, 1]), BOX)
    k.save(tmp_path / "k.npz")
    with np.load(tmp_path / "k.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(tmp_path / "bad.npz", **damaged(arrays, fault))
    with pytest.raises(mc.InputError):
        mc.load_complex(tmp_path / "bad.npz")


def test_other_files_are_refused(tmp_path: Path) -> None:
    k = mc.polyhedral_complex(absolute(2, 1.0), BOX)
    with pytest.raises(mc.InputError, match=r"does not end in \.npz"):
        k.save(tmp_path / "k.pickle")
    with pytest.raises(mc.InputError):
        mc.load_complex(tmp_path / "missing.npz")
    np.savez(tmp_path / "pickled.npz", format=np.array([{}], dtype=object))
    with pytest.raises(mc.InputError, match="never loaded"):
        mc.load_complex(tmp_path / "pickled.npz")
    k.save(tmp_path / "k.npz")
    whole = (tmp_path / "k.npz").read_bytes()
    (tmp_path / "short.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(mc.InputError, match="not a readable"):
        mc.load_complex(tmp_path / "short.npz")
