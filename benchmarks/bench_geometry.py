"""Times of the geometry, each as a ratio to a reference in the same run.

``python benchmarks/bench_geometry.py [--repeat N]`` prints a table: seconds (best of the repeats),
and how often the reference's time goes into it.  References: a float forward pass of the network,
one HiGHS linear programme a row from scratch, and a graph made facet by facet.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import highspy
import numpy as np

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.geometry.prepared import Prepared
from milpcount.geometry.walk import Walker


def shared_data() -> Path:
    """The folder of the shared data; without one the run ends in one line."""
    folder = os.environ.get("MILPCOUNT_DATA")
    if not folder:
        sys.exit("bench_geometry: networks and exact values are shared; set MILPCOUNT_DATA")
    return Path(folder)


def best(repeat: int, call: Callable[[], object]) -> float:
    """Least wall-clock seconds of some calls."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def random_network(widths: list[int], seed: int = 0) -> mc.ReLUNetwork:
    """He initialisation, small biases, as float32 numbers."""
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(widths))
    weights = [np.float32(rng.normal(size=(b, a)) * np.sqrt(2 / a)) for a, b in pairs]
    biases = [np.float32(0.1 * rng.normal(size=b)) for _, b in pairs]
    return mc.ReLUNetwork(weights, biases)


def lp_a_row(region: mc.Region) -> int:
    """Facets among the rows by one linear programme each, from scratch, in floats."""
    rows, right = region.halfspaces()
    box = region.problem.box
    found = 0
    for i, row in enumerate(rows):
        model = highspy.Highs()
        model.setOptionValue("output_flag", False)
        model.addVars(len(row), box.lo, box.hi)
        for k, other in enumerate(rows):
            columns = np.arange(len(row), dtype=np.int32)
            top = right[k] + (1.0 if k == i else 0.0)
            model.addRow(-highspy.kHighsInf, top, len(row), columns, other)
        model.changeColsCost(len(row), np.arange(len(row), dtype=np.int32), row)
        model.changeObjectiveSense(highspy.ObjSense.kMaximize)
        model.run()
        found += model.getInfo().objective_function_value > right[i] + 1e-9
    return found


def inline(name: str) -> mc.ReLUNetwork:
    """A network among the shared exact values."""
    text = (shared_data().parent / "geometry" / "open.json").read_text(encoding="utf-8")
    stored = json.loads(text)["networks"][name]
    depth = sum(key.startswith("W") for key in stored)
    weights = [np.array(stored[f"W{i}"]) for i in range(depth)]
    return mc.ReLUNetwork(weights, [np.array(stored[f"b{i}"]) for i in range(depth)])


def convolutions() -> mc.ReLUNetwork:
    """Two convolutions of 3 x 3 over 28 x 28 and a dense layer: 784-5408-4608-10."""
    rng = np.random.default_rng(2)

    def table(channels: int, side: int, out: int, stride: int) -> mc.SparseMatrix:
        wide = (side - 3) // stride + 1
        kernel = rng.normal(size=(out, channels, 3, 3)) / np.sqrt(4.5 * channels)
        o, y, x, c, i, j = np.indices((out, wide, wide, channels, 3, 3)).reshape(6, -1)
        rows = (o * wide + y) * wide + x
        columns = (c * side + stride * y + i) * side + stride * x + j
        shape = (out * wide * wide, channels * side * side)
        return mc.SparseMatrix.of_entries(shape, rows, columns, kernel[o, c, i, j])

    matrices = [table(1, 28, 8, 1), table(8, 26, 32, 2)]
    last = rng.normal(size=(10, matrices[1].shape[0])) / 60
    stages = [
        mc.Stage((k,), (w,), 0.1 * rng.normal(size=w.shape[0]), mc.ReLUGate(np.zeros(w.shape[0])))
        for k, w in enumerate(matrices)
    ]
    return mc.ReLUNetwork.of_stages(
        stages, mc.Stage((2,), (last,), np.zeros(10), mc.LinearGate(10))
    )


def complexes(repeat: int) -> list[tuple[str, float, str, float]]:
    """Whole complexes against counts of their cells."""
    lines = []
    deep = random_network([2, 64, 64, 64, 1])
    bunny = mc.load_network(shared_data() / "networks" / "bunny_3_3x16.npz")
    for name, net, domain, output in (
        ("random_d", mc.load_network(shared_data() / "networks" / "random_d.npz"), None, False),
        ("bunny_3_3x16 and output", bunny, mc.Box(-0.5, 0.5), True),
        ("2-64-64-64", deep, mc.Box(-1, 1), False),
    ):
        count = best(
            repeat,
            lambda n=net, d=domain, o=output: mc.count(  # type: ignore[misc]
                n, d, engine="subdivision", with_output=o
            ),
        )
        for part, skeleton in (("all faces", False), ("vertices and edges", True)):
            seconds = best(
                repeat,
                lambda n=net, d=domain, o=output, s=skeleton: mc.polyhedral_complex(  # type: ignore[misc]
                    n, d, with_output=o, skeleton=s
                ).faces(1),
            )
            lines.append((f"{part} of {name}", seconds, "count by subdivision", count))
    whole = mc.polyhedral_complex(bunny, mc.Box(-0.5, 0.5), with_output=True)
    made = best(1, lambda: mc.polyhedral_complex(bunny, mc.Box(-0.5, 0.5), with_output=True))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "bunny.ply"
        mesh = best(repeat, lambda: whole.boundary().to_mesh(target))
    lines.append(("its boundary as PLY, 2,874 polygons", mesh, "its complex", made))
    betti = best(1, lambda: whole.betti)
    lines.append(("its Betti numbers", betti, "its complex", made))
    images = convolutions()
    a, b, c = np.random.default_rng(3).uniform(0, 1, size=(3, 784))
    plane = mc.Slice.plane(a, b, c, 0.0, 0.05)
    forward = best(1, lambda: images.forward(np.tile(a, (1000, 1))))
    seconds = best(1, lambda: mc.polyhedral_complex(images, plane))
    lines.append(
        ("plane at 10,016 units (5 % of a square)", seconds, "1000 forward passes", forward)
    )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    networks = shared_data() / "networks"
    lines: list[tuple[str, float, str, float]] = []

    he, whole = inline("geo_he_2_12_12_12"), mc.WholeSpace()
    bulk = best(repeat, lambda: mc.dual_graph(he, whole))
    slow = best(1, lambda: mc.dual_graph(he, whole, method="facets"))
    lines.append(("dual graph 2; 12-12-12 over R^2", bulk, "facet by facet", slow))
    net = mc.load_network(networks / "random_d.npz")
    count = best(repeat, lambda: mc.count(net, engine="subdivision"))
    bulk = best(repeat, lambda: mc.dual_graph(net))
    lines.append(("dual graph of random_d in its box", bulk, "count by subdivision", count))

    wide = mc.load_network(networks / "random_i.npz")
    x = np.random.default_rng(0).uniform(0.2, 0.8, size=784)
    region = mc.region_at(wide, x, whole)
    few = best(1, lambda: lp_a_row(region))
    for name, domain in (("R^784", whole), ("its box", None)):
        # Regions that are expanded: the inner ones of a ball.
        start = time.perf_counter()
        graph = mc.explore(wide, x, domain, max_distance=2)
        each = (time.perf_counter() - start) / len(graph)
        lines.append((f"exploring 784-8-8 in {name}, a region", each, "an LP a row", few))

    small = random_network([784, 8, 14, 10])
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 1, size=(30, 784))
    prepared = Prepared(CountProblem.of(small, mc.Box(0, 1)))
    leaf = [mc.region_at(small, p, mc.Box(0, 1)) for p in points]
    fresh = [mc.Region(r.pattern, prepared.problem, r._leaf, prepared) for r in leaf]
    prepared.space.programme  # noqa: B018
    few = best(1, lambda: lp_a_row(leaf[0]))
    inner = best(1, lambda: [r.unit_facets for r in fresh[:10]]) / 10
    lines.append(("unit facets, 784-8-14-10 in its box", inner, "an LP a row", few))
    every = best(1, lambda: [r.facets for r in fresh[10:20]]) / 10
    lines.append(("all facets, sides of the box too", every, "an LP a row", few))
    fresh[0].affine_map(), fresh[0].halfspaces()
    forward = best(repeat, lambda: [small.forward(p) for p in points]) / len(points)
    maps = best(repeat, lambda: [r.affine_map() for r in fresh]) / len(fresh)
    lines.append(("affine_map at 784 inputs", maps, "a forward pass", forward))
    halves = best(repeat, lambda: [r.halfspaces() for r in fresh]) / len(fresh)
    lines.append(("halfspaces at 784 inputs", halves, "a forward pass", forward))

    for widths in ([784, 8, 14, 10], [784, 256, 256, 10], [3072, 1024, 10]):
        deep = random_network(widths)
        a, b = rng.uniform(0, 1, size=(2, widths[0]))
        walker = Walker(deep)
        once = best(repeat, lambda w=walker, a=a, b=b: w.walk(a, b))  # type: ignore[misc]
        forward = best(repeat, lambda n=deep, a=a: n.forward(a))  # type: ignore[misc]
        name = "-".join(map(str, widths))
        pieces = len(walker.walk(a, b))
        lines.append((f"walk {name} ({pieces} regions)", once, "a forward pass", forward))
    deep, ends = random_network([784, 64, 64, 64, 10]), rng.uniform(0, 1, size=(1000, 784))
    walker = Walker(deep)
    walks = best(1, lambda: [walker.walk(a, b).folding() for a, b in ends.reshape(500, 2, 784)])
    forward = best(repeat, lambda: [deep.forward(p) for p in ends])
    lines.append(("500 walks of 784-64-64-64", walks, "their 1000 forward passes", forward))
    deep = random_network([784, 256, 256, 10])
    points = rng.uniform(0, 1, size=(101, 784))
    survey = best(1, lambda: mc.survey(deep, points))
    forward = best(repeat, lambda: deep.forward(points))
    lines.append(("100 segments of 784-256-256", survey, "101 forward passes", forward))
    images = rng.uniform(0, 1, size=(20_000, 784))
    located = best(1, lambda: mc.locate(deep, images))
    forward = best(1, lambda: deep.forward(images))
    lines.append(("locate 20,000 points, 784-256-256", located, "their forward pass", forward))

    lines += complexes(repeat)

    print(f"{'what':44} {'seconds':>10} {'ratio':>10}  reference")
    for what, seconds, reference, base in lines:
        print(f"{what:44} {seconds:10.5f} {seconds / base:10.3g}  {reference} ({base:.5f} s)")


if __name__ == "__main__":
    main()
