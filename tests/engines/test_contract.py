"""One contract for all engines: counts known by hand, valid witnesses, limits, bad requests."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.engines.registry import ENGINES
from milpcount.exact.forms import exact_stages, signs_at
from tests.shared import (
    Case,
    data_folder,
    hand_cases,
    known_counts,
    net,
    random_net,
    whole_space_cases,
)

# What an engine declares is what is tested; an engine that is new is tested by that alone.
EVERY = tuple(ENGINES)
UNBOUNDED = tuple(name for name, spec in ENGINES.items() if "unbounded box" in spec.domains)
SHARING = tuple(name for name, spec in ENGINES.items() if spec.shares)
LISTING = tuple(name for name, spec in ENGINES.items() if spec.lists)
NONEMPTY = tuple(n for n, spec in ENGINES.items() if mc.Definition.NONEMPTY in spec.definitions)


def _variants() -> list[Any]:
    """Every engine plainly, with two workers, and with every choice of its options."""
    found = []
    for name, spec in ENGINES.items():
        some: list[dict[str, Any]] = [{}]
        some += [{"workers": 2}] if spec.shares else []
        some += [{option.name: c} for option in spec.options for c in option.choices[1:]]
        found += [pytest.param(name, o, id="-".join([name, *map(str, o.values())])) for o in some]
    return found


variants = _variants()
listing_variants = [v for v in variants if v.values[0] in LISTING]


def _fits(engine: str, case: Case) -> bool:
    most = ENGINES[engine].most_units
    return most is None or sum(case.net.widths) <= most


def _is_refused(engine: str, network: mc.ReLUNetwork, domain: mc.Domain | None) -> bool:
    """Whether the engine declares not to serve the problem; then it must say so."""
    obstacle = ENGINES[engine].obstacle(CountProblem.of(network, domain))
    if obstacle is None:
        return False
    with pytest.raises(obstacle[0], match=f"engine {engine} .*; use engine tree"):
        mc.count(network, domain, engine=engine)
    return True


def _network(engine: str, *widths: int) -> mc.ReLUNetwork:
    """A random network of these widths; of one layer where the engine serves no more."""
    rng = np.random.default_rng(1)
    if ENGINES[engine].single_layer:
        return random_net(rng, [widths[0], sum(widths[1:]), 1], "integer")
    return random_net(rng, [*widths, 1])


@pytest.mark.parametrize("case", hand_cases(), ids=str)
@pytest.mark.parametrize(("engine", "options"), variants)
def test_counts_by_hand(engine: str, options: dict[str, Any], case: Case) -> None:
    if _is_refused(engine, case.net, case.domain):
        return
    full = mc.count(case.net, case.domain, engine=engine, **options)
    assert (full.lower, full.upper, full.exact) == (case.full, case.full, True)
    if case.nonempty >= 0 and engine in NONEMPTY:
        result = mc.count(case.net, case.domain, engine=engine, definition="nonempty", **options)
        assert (result.lower, result.exact) == (case.nonempty, True)


@pytest.mark.parametrize("case", whole_space_cases(), ids=str)
@pytest.mark.parametrize("engine", UNBOUNDED)
def test_classical_arrangements(engine: str, case: Case) -> None:
    if not _fits(engine, case):
        with pytest.raises(
            mc.UnsupportedError, match=f"at most {ENGINES[engine].most_units} units"
        ):
            mc.count(case.net, case.domain, engine=engine)
        return
    assert mc.count(case.net, case.domain, engine=engine).lower == case.full


@pytest.mark.parametrize("engine", UNBOUNDED)
def test_a_polytope(engine: str) -> None:
    # The triangle x, y >= 0, x + y <= 1, cut by x = y and by x + y = 1 (a face: no cut).
    triangle = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
    cuts = net(([[1, -1], [1, 1]], [0, -1]))
    assert mc.count(cuts, triangle, engine=engine).lower == 2
    if engine in NONEMPTY:
        assert mc.count(cuts, triangle, engine=engine, definition="nonempty").lower == 2


@pytest.mark.parametrize("engine", EVERY)
def test_bad_polytopes(engine: str) -> None:
    one = net(([[1, 0]], [0]))
    rows = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    with pytest.raises(mc.DomainError, match="flat"):
        mc.count(one, mc.Polytope(rows, [0, 0, 1, 1]), engine=engine)
    with pytest.raises(mc.DomainError, match="empty"):
        mc.count(one, mc.Polytope(rows, [-1, 0, 1, 1]), engine=engine)


@pytest.mark.parametrize(("engine", "options"), listing_variants)
def test_witnesses_lie_in_their_regions(engine: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(11)
    network = random_net(rng, [2, 5, 3, 1], slopes=[0.0, 0.25])
    box = mc.Box(-1, 1)
    patterns = set()
    for region in mc.enumerate_regions(network, box, engine=engine, **options):
        patterns.add(region.pattern)
        exact = region.exact_witness
        assert all(-1 <= v <= 1 for v in exact)
        common = int(np.lcm.reduce([v.denominator for v in exact], dtype=object))
        point = Point(tuple(int(v * common) for v in exact), common)
        signs = signs_at(exact_stages(network.counted_stages()), point)
        assert [s > 0 for layer in signs for s in layer] == region.pattern.bits.tolist()
        assert all(s != 0 for layer in signs for s in layer)
        slope, constant = region.affine_map()
        assert region.witness is not None
        assert np.allclose(slope @ region.witness + constant, network.forward(region.witness))
        rows, right = region.halfspaces()
        assert np.all(rows @ region.witness <= right)
    assert len(patterns) == mc.count(network, box, engine="brute").lower


@pytest.mark.parametrize("engine", EVERY)
def test_limits_give_intervals(engine: str) -> None:
    network = _network(engine, 3, 8, 4)
    exact = mc.count(network, mc.Box(-1, 1), engine="tree-highs")
    part = mc.count(network, mc.Box(-1, 1), engine=engine, budget=mc.Budget(regions=3))
    assert part.termination.limit is mc.Limit.REGIONS
    assert not part.exact
    assert part.upper is not None
    assert 3 <= part.lower < exact.lower <= part.upper
    brief = mc.count(network, mc.Box(-1, 1), engine=engine, budget=mc.Budget(seconds=1e-6))
    assert brief.termination.limit is mc.Limit.TIME
    assert brief.upper is not None
    assert brief.lower <= exact.lower <= brief.upper


@pytest.mark.parametrize("engine", EVERY)
def test_a_stopped_count_never_claims_a_region_too_many(engine: str) -> None:
    """At every limit up to the count; just before it what is left open is one region."""
    network = net(([[1], [1], [1]], [0.5, 0, -0.5]))
    for regions in range(1, 5):
        part = mc.count(network, mc.Box(-1, 1), engine=engine, budget=mc.Budget(regions=regions))
        assert regions <= part.lower <= 4
        assert part.upper is not None
        assert part.upper >= 4


@pytest.mark.parametrize("engine", EVERY)
@pytest.mark.usefixtures("short_portions")
def test_interrupts_give_intervals(engine: str) -> None:
    # Large enough for several portions of work, each of which is told.
    network = _network(engine, *([4, 24, 12] if engine in SHARING else [4, 9, 5]))
    exact = mc.count(network, mc.Box(-1, 1)).lower

    def interrupt(snapshot: mc.Progress) -> None:
        if snapshot.regions >= 1:
            raise KeyboardInterrupt

    part = mc.count(network, mc.Box(-1, 1), engine=engine, progress=interrupt)
    assert part.termination.limit is mc.Limit.INTERRUPT
    assert part.upper is not None
    assert 1 <= part.lower <= exact <= part.upper


@pytest.mark.parametrize("engine", [name for name in EVERY if name not in LISTING])
def test_engines_that_only_count_say_so(engine: str, tmp_path: Path) -> None:
    one = net(([[1]], [0]))
    with pytest.raises(mc.UnsupportedError, match="does not list them; use engine tree"):
        mc.enumerate_regions(one, mc.Box(-1, 1), engine=engine)
    for more in ({"definition": "linear"}, {"certificate": tmp_path / "count.cert"}):
        with pytest.raises(mc.UnsupportedError, match="does not list them; use engine tree"):
            mc.count(one, mc.Box(-1, 1), engine=engine, **more)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", EVERY)
def test_what_no_engine_counts_is_refused(engine: str) -> None:
    one = net(([[1]], [0]))
    with pytest.raises(mc.UnsupportedError, match="linear"):
        mc.enumerate_regions(one, mc.Box(-1, 1), engine=engine, definition="linear")
    if engine not in NONEMPTY:
        with pytest.raises(mc.UnsupportedError, match="not nonempty; use engine tree"):
            mc.count(one, mc.Box(-1, 1), engine=engine, definition="nonempty")
    with pytest.raises(mc.UnsupportedError, match="no option 'colour'"):
        mc.count(one, mc.Box(-1, 1), engine=engine, colour="red")
    with pytest.raises(mc.DomainError, match="no input domain"):
        mc.count(one, engine=engine)
    with pytest.raises(mc.DomainError, match="2 coordinates"):
        mc.count(one, mc.Box([0, 0], [1, 1]), engine=engine)


def test_unknown_engines_are_named() -> None:
    with pytest.raises(mc.UnsupportedError, match="did you mean tree-highs"):
        mc.count(net(([[1]], [0])), mc.Box(-1, 1), engine="tree-high")


def _domains(inputs: int) -> list[mc.Domain]:
    """A box, the whole space, a quadrant, a box with a fixed input, polytopes bounded or not."""
    rng = np.random.default_rng(inputs)
    rows = rng.integers(-2, 3, size=(inputs + 1, inputs)).astype(float)
    sides = np.vstack([np.eye(inputs), -np.eye(inputs)])
    fixed = np.ones(inputs)
    fixed[0] = 0.0 if inputs > 1 else 1.0  # a single point has no interior
    return [
        mc.Box(-1, 1),
        mc.WholeSpace(),
        mc.Box(np.zeros(inputs), np.full(inputs, np.inf)),
        mc.Box(-fixed, fixed),
        mc.Polytope(np.vstack([rows, sides]), np.ones(3 * inputs + 1)),
        mc.Polytope(rows[:2], np.ones(len(rows[:2]))),
    ]


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["normal", "integer", "sparse"]),
    widths=st.sampled_from(
        [[2, 4, 3, 1], [1, 3, 3, 2], [3, 5, 2], [2, 2, 2, 2, 1], [4, 4, 2], [7, 3, 2, 1]]
    ),
    domain=st.integers(0, 5),
    definition=st.sampled_from(["full", "nonempty"]),
    with_output=st.booleans(),
    slope=st.sampled_from([0.0, 0.5, -1.0, 1.0]),
    twin=st.sampled_from([None, 0.0, 2.0**-52, 1e-9]),
)
def test_compiled_engines_agree_with_brute(
    seed: int,
    kind: str,
    widths: list[int],
    domain: int,
    definition: str,
    with_output: bool,
    slope: float,
    twin: float | None,
) -> None:
    network = random_net(np.random.default_rng(seed), widths, kind, [slope] * (len(widths) - 2))
    if twin is not None:
        # Two units of the first layer that are equal, or nearly so.
        weights, biases = [w.copy() for w in network.weights], list(network.biases)
        weights[0][1] = weights[0][0] * (1 + twin)
        network = mc.ReLUNetwork(weights, biases, [slope] * (len(widths) - 2))
    arguments: dict[str, Any] = {"definition": definition, "with_output": with_output}
    where = _domains(widths[0])[domain]
    truth = mc.count(network, where, engine="brute", **arguments)
    result = mc.count(network, where, engine="tree", **arguments)
    assert (result.lower, result.exact) == (truth.lower, True)
    if definition == "full":
        result = mc.count(network, where, engine="subdivision", **arguments)
        assert (result.lower, result.exact) == (truth.lower, True)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["normal", "integer", "sparse"]),
    widths=st.sampled_from([[2, 4, 3, 1], [1, 3, 3, 2], [3, 5, 2], [2, 2, 2, 2, 1]]),
    definition=st.sampled_from(["full", "nonempty"]),
    with_output=st.booleans(),
    leaky=st.booleans(),
)
def test_tree_highs_agrees_with_brute(
    seed: int, kind: str, widths: list[int], definition: str, with_output: bool, leaky: bool
) -> None:
    slopes = [0.5] * (len(widths) - 2) if leaky else None
    network = random_net(np.random.default_rng(seed), widths, kind, slopes)
    arguments: dict[str, Any] = {"definition": definition, "with_output": with_output}
    box = mc.Box(-1, 1)
    truth = mc.count(network, box, engine="brute", **arguments)
    assert mc.count(network, box, engine="tree-highs", **arguments).lower == truth.lower
    upper = min(mc.bound(network, with_output=with_output).upper.values())
    assert truth.lower <= upper


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["normal", "integer", "sparse"]),
    definition=st.sampled_from(["full", "nonempty"]),
    leaky=st.booleans(),
)
def test_milp_agrees_with_brute(seed: int, kind: str, definition: str, leaky: bool) -> None:
    slopes = [0.5, 0.25] if leaky else None
    network = random_net(np.random.default_rng(seed), [2, 3, 3, 1], kind, slopes)
    box = mc.Box(-1, 1)
    truth = mc.count(network, box, engine="brute", definition=definition)
    assert mc.count(network, box, engine="milp", definition=definition).lower == truth.lower


@pytest.mark.parametrize("size", [1e-30, 1e-12, 1e6, 1e12, 1e25])
@pytest.mark.parametrize("engine", ["tree", "subdivision", "tree-highs", "milp"])
def test_weights_of_any_size(engine: str, size: float) -> None:
    network = random_net(np.random.default_rng(3), [2, 4, 3, 1])
    w, b = network.weights, network.biases
    scaled = mc.ReLUNetwork([w[0] * size, *w[1:]], [b[0] * size, *b[1:]])
    steep = mc.ReLUNetwork([w[0] * size, *w[1:]], b)
    for changed in (scaled, steep):
        for domain in (mc.Box(-1, 1), mc.WholeSpace()):
            if engine == "milp" and isinstance(domain, mc.WholeSpace):
                continue  # refused: see test_known_counts
            result = mc.count(changed, domain, engine=engine)
            assert result.lower == mc.count(changed, domain, engine="brute").lower
            assert result.exact


def _affinely_changed(network: mc.ReLUNetwork, signs: np.ndarray) -> mc.ReLUNetwork:
    """The network on inputs whose coordinates are mirrored and permuted: exact in floats."""
    first = network.weights[0][:, ::-1] * signs
    return mc.ReLUNetwork([first, *network.weights[1:]], network.biases)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["integer", "normal"]))
def test_invariances(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    network = random_net(rng, [2, 4, 3, 1], kind)
    box = mc.Box(-1, 1)
    truth = mc.count(network, box).lower
    order = rng.permutation(4)
    scale = 2.0 ** rng.integers(-3, 4, size=4)
    w, b = list(network.weights), list(network.biases)
    permuted = [(w[0] * scale[:, None])[order], w[1] / scale @ np.eye(4)[:, order], w[2]]
    moved = mc.ReLUNetwork(permuted, [(b[0] * scale)[order], b[1], b[2]])
    assert mc.count(moved, box).lower == truth
    assert mc.count(_affinely_changed(network, rng.choice([-1.0, 1.0], size=2)), box).lower == truth
    smaller = mc.count(network, mc.Box(-0.5, 0.25)).lower
    assert smaller <= truth <= mc.count(network, mc.WholeSpace()).lower
    # An identity layer on non-negative outputs adds dead or active units, and no region.
    identity = mc.ReLUNetwork([w[0], np.eye(4), w[1], w[2]], [b[0], np.zeros(4), b[1], b[2]])
    assert mc.count(identity, box).lower == truth


def _known_cases() -> list[tuple[str, str, bool]]:
    """(network, definition, with_output) of counts.json; one placeholder where it is absent."""
    import os

    if not os.environ.get("MILPCOUNT_DATA"):
        return [("", "full", False)]
    cases = []
    for entry in known_counts():
        name = str(entry["network"])
        cases.append((name, "full", False))
        if "nonempty" in entry:
            cases.append((name, "nonempty", False))
        if "with_output" in entry:
            cases.append((name, "full", True))
    return cases


# Above these counts an engine takes too long for the suite; above 80 one that is not named here.
REACH = {
    "brute": 700,
    "tree": 10**6,
    "subdivision": 10**6,
    "tree-highs": 1400,
    "arrangement": 10**9,
}
# Single layers over boxes whose hyperplanes have too many bits for sections in integers.
LONG = ("networks/rpm_pendulum.npz",)


@pytest.mark.parametrize(("name", "definition", "with_output"), _known_cases())
@pytest.mark.parametrize("engine", EVERY)
def test_known_counts(engine: str, name: str, definition: str, with_output: bool) -> None:
    folder = data_folder()
    entry: dict[str, Any] = next(e for e in known_counts() if e["network"] == name)
    truth = entry["with_output"] if with_output else entry["hidden"]
    if definition == "nonempty":
        truth = entry["nonempty"]
    network = mc.load_network(folder / name)
    if truth > REACH.get(engine, 80):
        return  # out of this engine's reach; the engines that are in reach count it
    given_domain = entry["domain"]
    domain: mc.Domain | None = None
    if isinstance(given_domain, list):
        domain = mc.Box([a for a, _ in given_domain], [b for _, b in given_domain])
    elif given_domain != "in the file":
        domain = mc.WholeSpace()
    obstacle = ENGINES[engine].obstacle(CountProblem.of(network, domain, definition, with_output))
    if obstacle is not None:
        with pytest.raises(obstacle[0], match=f"engine {engine} .*; use engine tree"):
            mc.count(network, domain, engine=engine, definition=definition, with_output=with_output)
        return
    if engine == "arrangement" and name in LONG:
        with pytest.raises(mc.UnsupportedError, match=r"62 bits, .*; use engine subdivision"):
            mc.count(network, domain, engine=engine)
        return
    result = mc.count(
        network, domain, engine=engine, definition=definition, with_output=with_output
    )
    assert (result.lower, result.exact) == (truth, True)


def test_results_say_what_they_are() -> None:
    network = net(([[1], [-1]], [0, 0]))
    result = mc.count(network, mc.Box(-1, 1), definition="nonempty")
    text = json.loads(json.dumps(result.to_json()))
    assert set(text) == {
        "lower", "upper", "exact", "engine", "definition", "with_output", "seconds",
        "stopped_by", "network_sha256", "version", "notes",
    }  # fmt: skip
    assert (text["lower"], text["upper"], text["exact"]) == ("3", "3", True)
    assert text["stopped_by"] is None
    assert text["network_sha256"] == network.sha256


def test_region_stream_ends_with_its_reason() -> None:
    network = net(([[1], [2]], [0, 1]))
    stream = mc.enumerate_regions(network, mc.Box(-1, 1))
    assert stream.termination.reason is mc.TerminationReason.UNKNOWN
    first = next(stream)
    assert isinstance(first.exact_witness[0], Fraction)
    assert len(list(stream)) == 2
    assert stream.termination.reason is mc.TerminationReason.COMPLETE
    part = mc.enumerate_regions(network, mc.Box(-1, 1), budget=mc.Budget(regions=1))
    assert len(list(part)) == 1
    assert part.termination.limit is mc.Limit.REGIONS
