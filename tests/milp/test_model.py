"""The Pyomo model as users get it, the solvers, and the enumeration."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import textwrap
from fractions import Fraction

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.contrib.solver.solvers.highs import Highs

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.engines.milp.enumeration import NoGoodEnumerator
from milpcount.engines.milp.solvers import SOLVERS, check_solver, make_solver
from tests.shared import net, random_net
from tests.staged import oracle, random_stages, stage_values


def _solve(model: pyo.ConcreteModel) -> float:
    results = Highs().solve(model)
    return float(results.incumbent_objective)


@pytest.mark.parametrize("slopes", [None, [0.25, -0.5]])
def test_a_fixed_input_gives_the_networks_outputs(slopes: list[float] | None) -> None:
    rng = np.random.default_rng(2)
    network = random_net(rng, [3, 5, 4, 2], slopes=slopes)
    model = mc.milp.build_model(network, mc.Box(-1, 1))
    for x in rng.uniform(-1, 1, size=(3, 3)):
        for j in model.inputs:
            model.x[j].fix(float(x[j - 1]))
        _solve(model)
        y = [pyo.value(model.y[k]) for k in model.outputs]
        assert np.allclose(y, network.forward(x), atol=1e-6)
        for (k, i), g in zip(model.units, np.concatenate(network.preactivations(x)), strict=True):
            assert pyo.value(model.g[k, i]) == pytest.approx(g, abs=1e-6)
            assert pyo.value(model.pattern[k, i]) == pytest.approx(float(g > 0), abs=1e-6)
            assert pyo.value(model.h[k, i]) == pytest.approx(max(g, 0), abs=1e-6)
            assert pyo.value(model.h_bar[k, i]) == pytest.approx(max(-g, 0), abs=1e-6)


def test_users_extend_the_model() -> None:
    # The largest output over the inputs with x1 + x2 <= 1/2 and the first unit active.
    rng = np.random.default_rng(5)
    network = random_net(rng, [2, 4, 3, 1])
    model = mc.milp.build_model(network, mc.Box(-1, 1))
    model.half = pyo.Constraint(expr=model.x[1] + model.x[2] <= 0.5)
    model.first = pyo.Constraint(expr=model.pattern[1, 1] == 1)
    model.objective.deactivate()
    model.best = pyo.Objective(expr=model.y[1], sense=pyo.maximize)
    best = _solve(model)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 201)] * 2), axis=-1).reshape(-1, 2)
    allowed = grid[(grid.sum(axis=1) <= 0.5) & (network.preactivations(grid)[0][:, 0] >= 0)]
    sampled = float(network.forward(allowed).max())
    assert sampled <= best + 1e-6
    assert best - sampled < 0.1


def test_stable_units_have_no_binary() -> None:
    network = net(([[1], [1], [1]], [0, 5, -5]))
    model = mc.milp.build_model(network, mc.Box(-1, 1))
    assert list(model.unstable) == [(1, 1)]
    assert pyo.value(model.pattern[1, 2]) == 1
    assert pyo.value(model.pattern[1, 3]) == 0


def test_max_f_is_the_inner_margin() -> None:
    # One unit x on [-1, 1]: scale is 1, so the largest |x| is 1.
    model = mc.milp.build_model(net(([[1]], [0])), mc.Box(-1, 1))
    assert _solve(model) == pytest.approx(1.0)
    assert mc.milp.add_nogood(model, [round(pyo.value(model.z[1, 1]))]) is not None
    assert _solve(model) == pytest.approx(1.0)


def test_what_cannot_be_built_says_why() -> None:
    one = net(([[1]], [0]))
    with pytest.raises(mc.DomainError, match="no big-M"):
        mc.milp.build_model(one, mc.WholeSpace())
    with pytest.raises(mc.InputError, match="feasibility, max_f"):
        mc.milp.build_model(one, mc.Box(-1, 1), variant="min")
    with pytest.raises(mc.InputError, match="margin"):
        mc.milp.build_model(one, mc.Box(-1, 1), margin=0.0)
    with pytest.raises(mc.InputError, match="nested, plain"):
        mc.count(one, mc.Box(-1, 1), engine="milp", cuts="many")


def test_unknown_and_missing_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(mc.InputError, match="did you mean highs"):
        make_solver("high")
    assert all(check_solver(name) for name in SOLVERS)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "ortools" else find(name, *a)
    )
    assert "ortools is not installed" in check_solver("mathopt-scip").reason
    with pytest.raises(mc.MissingDependencyError, match="pip install ortools"):
        make_solver("mathopt-scip")


@pytest.mark.parametrize("solver", list(SOLVERS))
@pytest.mark.parametrize(("variant", "cuts"), [("feasibility", "nested"), ("max_f", "plain")])
def test_solvers_agree_without_any_closing(solver: str, variant: str, cuts: str) -> None:
    network = random_net(np.random.default_rng(3), [2, 4, 3, 1])
    problem = CountProblem.of(network, mc.Box(-1, 1))
    enumerator = NoGoodEnumerator(
        problem, solver=solver, variant=variant, preactivation="lp", watch=Watch(), cuts=cuts
    )
    found = set()
    try:
        while (candidate := enumerator.next()) is not None:
            bits = tuple(candidate.bits.tolist())
            assert bits not in found
            found.add(bits)
            assert network.pattern(candidate.x).bits.tolist() == list(bits)
        statistics = enumerator.statistics()
    finally:
        enumerator.close()
    assert statistics["solver_claims_complete"]
    brute = mc.enumerate_regions(network, mc.Box(-1, 1), engine="brute")
    assert found == {tuple(r.pattern.bits.tolist()) for r in brute}


def test_what_the_solver_misses_is_found_and_reported() -> None:
    # A slab far thinner than the margin: no solver finds it, the closing does.
    thin = net(([[1], [1]], [0, -(2.0**-40)]))
    result = mc.count(thin, mc.Box(-1, 1), engine="milp")
    assert (result.lower, result.exact) == (3, True)
    assert result.statistics["missed_by_solver"] == 1
    assert result.statistics["found_by_solver"] == 2


@pytest.mark.parametrize("solver", ["highs", "mathopt-scip"])
def test_ctrl_c_at_any_moment(solver: str) -> None:
    # Small solves, so that the signal falls into every part of the loop sooner or later; far
    # more of them than there is time for.
    code = textwrap.dedent(
        f"""
        import os, signal, threading, numpy as np, milpcount as mc, milpcount.engines.milp.engine
        from tests.shared import random_net
        network = random_net(np.random.default_rng(0), [3, 24, 24, 1])
        mc.count(network, mc.Box(-1, 1), engine="milp", solver="{solver}",
                 budget=mc.Budget(regions=2))
        for k in range(12):
            wait = 0.15 + 0.037 * k
            threading.Timer(wait, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            r = mc.count(network, mc.Box(-1, 1), engine="milp", solver="{solver}")
            print(r.termination.limit)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=1000, check=False
    )
    assert done.stdout.split() == ["interrupt"] * 12, done.stderr


def test_ctrl_c_during_a_solve() -> None:
    code = textwrap.dedent(
        """
        import os, signal, threading, numpy as np, milpcount as mc
        from tests.shared import random_net
        network = random_net(np.random.default_rng(0), [6, 20, 20, 1])
        timers = []
        def soon(snapshot):
            if snapshot.regions and not timers:
                timers.append(threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)))
                timers[0].start()
        r = mc.count(network, mc.Box(-1, 1), engine="milp", cuts="plain", progress=soon)
        print(r.termination.limit, r.lower > 0, r.upper >= r.lower)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=1000, check=False
    )
    assert signal.SIGINT not in (-done.returncode,)
    assert done.stdout.split() == ["interrupt", "True", "True"], done.stderr


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("with_output", [False, True])
def test_the_model_of_a_network_with_skips(seed: int, with_output: bool) -> None:
    """Sums over reads; linear units have a pre-activation and nothing else."""
    rng = np.random.default_rng(seed)
    network = random_stages(rng, 2, [3, 2, 3], sparse=bool(seed % 2), linear=0.4)
    model = mc.milp.build_model(network, mc.Box(-1, 1), with_output=with_output)
    index = CountProblem.of(network, mc.Box(-1, 1), with_output=with_output).index
    assert len(list(model.units)) == index.n_positions
    assert len(list(model.gated)) == index.n_units
    assert set(model.unstable) <= set(model.gated)
    for x in rng.integers(-8, 9, size=(3, 2)) / 8:
        for j in model.inputs:
            model.x[j].fix(float(x[j - 1]))
        _solve(model)
        values = stage_values(network, [Fraction(v) for v in x.tolist()])
        for k, i in model.units:
            assert pyo.value(model.g[k, i]) == pytest.approx(float(values[k - 1][i - 1]), abs=1e-6)
        for k, i in model.gated:
            active = values[k - 1][i - 1]
            if active:
                assert round(pyo.value(model.pattern[k, i])) == (active > 0)
        outputs = [float(v) for v in values[-1]]
        assert [pyo.value(model.y[k]) for k in model.outputs] == pytest.approx(outputs, abs=1e-6)


@pytest.mark.parametrize("cuts", ["nested", "plain"])
@pytest.mark.parametrize("seed", range(3))
def test_patterns_of_networks_with_skips(seed: int, cuts: str) -> None:
    network = random_stages(np.random.default_rng(seed), 2, [3, 2, 2])
    problem = CountProblem.of(network, mc.Box(-1, 1))
    enumerator = NoGoodEnumerator(
        problem,
        solver="highs", variant="feasibility", preactivation="lp", watch=Watch(), cuts=cuts,
    )  # fmt: skip
    found = set()
    try:
        while (candidate := enumerator.next()) is not None:
            bits = tuple(int(b) for b in candidate.bits)
            assert bits not in found
            found.add(bits)
    finally:
        enumerator.close()
    assert found == oracle(network, mc.Box(-1, 1))


def test_linear_stages_behind_the_last_units_with_a_state() -> None:
    half = np.array([[0.5, -1.0]])
    first = mc.Stage((0,), (np.eye(2),), np.zeros(2), mc.ReLUGate(np.zeros(2)))
    passed = mc.Stage((1,), (half,), np.ones(1), mc.LinearGate(1))
    output = mc.Stage((1, 2), (half, np.array([[3.0]])), np.zeros(1), mc.LinearGate(1))
    network = mc.ReLUNetwork.of_stages([first, passed], output)
    model = mc.milp.build_model(network, mc.Box(-1, 1))
    for j, x in enumerate([1.0, -1.0], 1):
        model.x[j].fix(x)
    _solve(model)
    assert pyo.value(model.y[1]) == pytest.approx(5.0)
    assert mc.count(network, mc.Box(-1, 1), engine="milp").lower == 4
