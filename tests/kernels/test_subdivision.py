"""The native subdivision: cells, sections and their proofs, against independent engines."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.kernels import native, variants
from milpcount.search.frames.problem_frames import problem_frames, root_signs
from milpcount.search.native_cells import NativeCells
from milpcount.search.native_net import native_net
from tests.interruptions import SECONDS
from tests.shared import net, random_net

BOX = mc.Box(-1, 1)


def machine(network: mc.ReLUNetwork, domain: mc.Domain = BOX, emit: bool = False) -> NativeCells:
    problem = CountProblem.of(network, domain)
    frame = problem_frames(problem)[0]
    assert frame is not None
    out = NativeCells(frame, problem, emit)
    out.start(root_signs(problem, frame.signs))
    return out


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["normal", "integer", "sparse"]),
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.booleans(),
)
def test_as_brute(seed: int, kind: str, widths: list[int], leaky: bool) -> None:
    widths[0] = min(widths[0], 4)
    while sum(widths[1:]) > 9:
        widths.pop()
    rng = np.random.default_rng(seed)
    slopes = [rng.choice([0.0, 0.25, -1.0], size=w) for w in widths[1:]] if leaky else None
    network = random_net(rng, [*widths, 1], kind, slopes)
    brute = mc.count(network, BOX, engine="brute").lower
    result = mc.count(network, BOX, engine="subdivision")
    assert result.exact
    assert result.lower == brute
    # One by one: then no sections are taken.
    assert sum(1 for _ in mc.enumerate_regions(network, BOX, engine="subdivision")) == brute


@pytest.mark.parametrize("kind", ["normal", "integer"])
@pytest.mark.parametrize("widths", [[1, 20, 12], [2, 12, 9], [3, 8, 6], [4, 6, 6], [5, 7], [6, 7]])
def test_sections_count_what_cells_count(widths: list[int], kind: str) -> None:
    for seed in range(3):
        network = random_net(np.random.default_rng(seed), [*widths, 1], kind)
        result = mc.count(network, BOX, engine="subdivision")
        regions = mc.enumerate_regions(network, BOX, engine="subdivision")
        assert result.lower == len({r.pattern for r in regions})
        if kind == "normal" and widths[0] > 1:
            assert result.statistics["regions_by_sections"] > result.lower / 2


@pytest.mark.parametrize(("inputs", "units"), [(1, 30), (2, 40), (3, 15), (4, 11), (5, 9), (6, 9)])
def test_general_position(inputs: int, units: int) -> None:
    # Hyperplanes that all meet in the box: sum_k C(units, k) regions (Zaslavsky).
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(units, inputs))
    network = net((weight, 1e-3 * rng.normal(size=units)))
    result = mc.count(network, mc.Box(-1e6, 1e6), engine="subdivision")
    assert result.lower == sum(math.comb(units, k) for k in range(inputs + 1))


@pytest.mark.parametrize("gap", [0.0, 2.0**-40, 2.0**-50, 2.0**-52])
def test_lines_that_nearly_meet_in_a_point(gap: float) -> None:
    lines = net(([[1, 0], [0, 1], [1, 1]], [0, 0, gap]))
    result = mc.count(lines, BOX, engine="subdivision")
    assert result.exact
    assert result.lower == (6 if gap == 0.0 else 7)


def test_a_failed_proof_falls_back_to_cells() -> None:
    # Three planes through a line in space: six regions, as the line is met by no more.
    planes = net(([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]], [0, 0, 0, 0.5]))
    result = mc.count(planes, BOX, engine="subdivision")
    assert result.lower == 12
    assert result.statistics["cells_without_sections"] > 0


def test_numbers_at_the_end_of_128_bits() -> None:
    # Here a sum of products is exactly -2^127, which has no negative: counted wrongly once.
    first = [
        [-1, 1, 1, -1, 1],
        [1, 0, 2, 2, 0],
        [-1, 0, 0, -2, -2],
        [1, 2, 0, 0, 2],
        [1, 1, -1, 1, -2],
    ]
    second = [
        [-1, -2, 0, -1, 2], [0, 2, 2, -2, -1], [2, 0, -1, 2, 1],
        [-1, 2, 0, -1, 0], [2, 1, -2, -1, 2], [2, 0, 0, -1, 2],
    ]  # fmt: skip
    third = [[-2, 1, 0, 1, -2, 1], [2, 0, 0, 1, 1, -2], [1, 2, 2, 1, 1, 0]]
    last = [[1, 1, 0], [-1, -1, 0], [0, -2, -2]]
    slopes = [[0.1, 0.1, 0, 0, 0], [0] * 6, [0] * 3, [0] * 3]
    network = mc.ReLUNetwork(
        [*(np.array(w, dtype=float) for w in (first, second, third, last)), np.zeros((1, 3))],
        [np.zeros(k) for k in (5, 6, 3, 3, 1)],
        [np.array(s, dtype=float) for s in slopes],
    )
    assert mc.count(network, BOX, engine="subdivision").lower == 668


def test_whole_space_without_biases_in_later_stages() -> None:
    # At infinity a bias counts for nothing: vertices there where all that is read is zero.
    for seed in range(4):
        network = random_net(np.random.default_rng(seed), [2, 2, 4, 3, 1], "integer")
        counts = {
            mc.count(network, mc.WholeSpace(), engine=engine).lower
            for engine in ("subdivision", "tree-highs")
        }
        assert len(counts) == 1


def test_a_limit_on_regions_is_kept() -> None:
    network = random_net(np.random.default_rng(0), [3, 60, 1])
    result = mc.count(network, BOX, engine="subdivision", budget=mc.Budget(regions=100))
    assert not result.exact
    assert 100 <= result.lower < 110


def test_open_nodes_are_the_rest() -> None:
    network = random_net(np.random.default_rng(3), [3, 12, 8, 1])
    whole = machine(network)
    whole.run(10**6)
    part = machine(network)
    part.run(40)
    total = part.regions
    nodes = part.open_nodes()
    assert len(nodes) > 1
    assert sum(share for _, share in nodes) == pytest.approx(part.open_share())
    for signs, share in nodes:
        rest = machine(network)
        rest.start(signs, share)
        rest.run(10**6)
        total += rest.regions
    assert total == whole.regions


def test_another_thread_stops_a_run() -> None:
    problem = CountProblem.of(random_net(np.random.default_rng(0), [5, 200, 200, 1]), BOX)
    frame = problem_frames(problem)[0]
    assert frame is not None
    kernel = native.Subdivision(
        native_net(frame, problem.stages, False), leaf_room=1, collect=False, integers=None
    )
    kernel.start(np.zeros(400, dtype=np.int8), 1.0)
    codes: list[native.Stop] = []
    thread = threading.Thread(target=lambda: codes.append(kernel.run(2**60, 2**62, False, 1e9)))
    thread.start()
    while kernel.regions == 0:
        time.sleep(0.001)
    kernel.stop()
    thread.join(timeout=SECONDS)
    assert codes == [native.Stop.STEPS]


def test_too_many_inputs() -> None:
    problem = CountProblem.of(random_net(np.random.default_rng(0), [7, 8, 1]), BOX)
    frame = problem_frames(problem)[0]
    assert frame is not None
    small = native_net(frame, problem.stages, False)
    with pytest.raises(mc.UnsupportedError, match="6 dimensions"):
        native.Subdivision(small, leaf_room=1, collect=False, integers=None)


def test_a_point_has_no_faces() -> None:
    none = np.zeros(0, np.int64)
    point = native.Net(
        n=0, widths=np.array([1]), first=np.ones((2, 1)), one=np.ones(1), domain=np.zeros((2, 0)),
        weights=np.zeros(0), biases=np.zeros(1), slopes=np.zeros(1), terms=np.array([1]),
        skip_begin=np.zeros(2, np.int64), skip_source=none, skip_offset=none,
        skip_weights=np.zeros(0), closed=False, walls=False,
    )  # fmt: skip
    kernel = native.Subdivision(point, leaf_room=1, collect=True, integers=None)
    with pytest.raises(mc.UnsupportedError, match="no faces"):
        kernel.start(np.zeros(1, np.int8), 1.0)


def test_misuse_is_refused() -> None:
    kernel = native.Subdivision(
        machine(random_net(np.random.default_rng(0), [2, 3, 1])).net,
        leaf_room=1,
        collect=False,
        integers=None,
    )
    refused = [
        lambda: kernel.start(np.zeros(4, dtype=np.int8), 1.0),
        lambda: kernel.start(np.zeros(3), 1.0),
        lambda: kernel.signs(0),
        lambda: kernel.drop(),
        lambda: kernel.open_signs(),
        lambda: kernel.sign_vertex(0, 0, 1),
        lambda: kernel.complex(native.Wanted.ALL),
    ]
    for call in refused:
        with pytest.raises(mc.MilpcountError):
            call()


SCRIPT = """
import json, numpy as np, milpcount as mc
from milpcount.kernels import native
from tests.shared import random_net
out = []
for kind, widths in (("normal", [2, 9, 8, 1]), ("integer", [3, 6, 5, 1]), ("normal", [5, 9, 1])):
    result = mc.count(random_net(np.random.default_rng(5), widths, kind), mc.Box(-1, 1),
                      engine="subdivision")
    out.append([result.lower, {k: v for k, v in result.statistics.items() if isinstance(v, int)}])
print(json.dumps([native.VARIANT, out]))
"""


def test_variants_agree_in_everything() -> None:
    runs = {}
    for name in variants.runnable():
        environment = {**os.environ, "MILPCOUNT_KERNELS": name}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True
        )
        used, runs[name] = json.loads(done.stdout)
        assert used == name
    first, *others = runs.values()
    assert all(run == first for run in others)


@pytest.mark.parametrize("kind", ["normal", "integer"])
@pytest.mark.parametrize("widths", [[12, 4, 3], [20, 5, 4], [16, 3, 3, 2]])
def test_many_inputs_through_few_units(widths: list[int], kind: str) -> None:
    # The cube of pre-activations is a relaxation: leaves need the image of an input.
    for seed in range(2):
        network = random_net(np.random.default_rng(seed), [*widths, 1], kind)
        result = mc.count(network, BOX, engine="subdivision")
        assert result.lower == mc.count(network, BOX, engine="tree-highs").lower
        regions = list(mc.enumerate_regions(network, BOX, engine="subdivision"))
        assert len({r.pattern for r in regions}) == len(regions) == result.lower
