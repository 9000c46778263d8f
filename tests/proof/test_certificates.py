"""Certificates are made and checked: by hand, against brute, over all domains and definitions."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.proof import checker
from milpcount.search.recording.closing import list_witnesses
from milpcount.search.recording.writer import CertificateWriter
from tests.proof.tools import read
from tests.shared import (
    Case,
    data_folder,
    hand_cases,
    known_counts,
    net,
    random_net,
    whole_space_cases,
)

DEFINITIONS = ("full", "nonempty")


def certified(path: Path, network: mc.ReLUNetwork, domain: Any, **options: Any) -> int:
    """Count with a certificate, check it, and return the count that it proves."""
    counted = mc.count(network, domain, certificate=path, **options)
    proved = mc.verify(path, network, domain, definition=options.get("definition"))
    assert counted.exact
    assert proved.header.relation == "=="
    assert proved.header.count == proved.regions == counted.lower
    assert proved.unproved == proved.open_nodes == 0
    return proved.regions


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("case", hand_cases(), ids=str)
def test_counts_by_hand(tmp_path: Path, case: Case, definition: str) -> None:
    expected = case.full if definition == "full" else case.nonempty
    if expected < 0:
        expected = mc.count(case.net, case.domain, definition=definition, engine="brute").lower
    path = tmp_path / "c"
    assert certified(path, case.net, case.domain, definition=definition) == expected


@pytest.mark.parametrize("case", whole_space_cases(), ids=str)
def test_classical_arrangements(tmp_path: Path, case: Case) -> None:
    assert certified(tmp_path / "c", case.net, case.domain) == case.full


def _domains(n: int, rng: np.random.Generator) -> list[mc.Domain]:
    triangle = np.vstack([-np.eye(n), np.ones(n)])
    half = mc.Polytope(rng.integers(-2, 3, (1, n)), [1])
    return [
        mc.Box(-1, 1),
        mc.Box([-1, *[0.5] * (n - 1)], [1, *[0.5] * (n - 1)]),
        mc.WholeSpace(),
        mc.Box([0.0] * n, [np.inf] * n),
        mc.Polytope(triangle, [*np.zeros(n), 1]),
        half,
        mc.Slice([rng.integers(-2, 3, n), rng.integers(4, 7, n)], -1, 1),
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32 - 1),
    widths=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    kind=st.sampled_from(["normal", "integer", "sparse"]),
    which=st.integers(0, 6),
    definition=st.sampled_from(DEFINITIONS),
    with_output=st.booleans(),
    leaky=st.booleans(),
)
def test_certified_counts_are_those_of_brute(
    tmp_path: Path,
    seed: int,
    widths: list[int],
    kind: str,
    which: int,
    definition: str,
    with_output: bool,
    leaky: bool,
) -> None:
    rng = np.random.default_rng(seed)
    slopes = [0.25] * (len(widths) - 1) if leaky else None
    network = random_net(rng, [*widths, 1], kind, slopes)
    domain = _domains(widths[0], rng)[which]
    options: dict[str, Any] = {"definition": definition, "with_output": with_output}
    true = mc.count(network, domain, engine="brute", **options).lower
    assert certified(tmp_path / "c", network, domain, **options) == true


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("engine", ["milp", "cpsat", "brute", "tree-highs", "subdivision"])
def test_other_engines_close_their_trie(tmp_path: Path, engine: str, definition: str) -> None:
    if engine == "subdivision" and definition == "nonempty":
        pytest.skip("engine subdivision counts full regions only")
    network = random_net(np.random.default_rng(4), [2, 4, 3, 1], "integer")
    expected = mc.count(network, mc.Box(-1, 1), engine="brute", definition=definition).lower
    path = tmp_path / "c"
    options = {"engine": engine, "definition": definition}
    assert certified(path, network, mc.Box(-1, 1), **options) == expected


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_many_inputs(tmp_path: Path, definition: str) -> None:
    network = random_net(np.random.default_rng(3), [40, 5, 4, 1])
    path = tmp_path / "c"
    regions = certified(path, network, mc.Box(-1, 1), definition=definition)
    assert regions == mc.count(network, mc.Box(-1, 1), engine="tree-highs").lower
    steps = read(path, 40, 5, 9).steps
    # Sums over the first layer's pre-activations, witnesses by a few weights of them.
    assert path.read_bytes()[52] == 1
    assert any(step.code == 1 for step in steps)


def test_thin_cells_are_certified_exactly(tmp_path: Path) -> None:
    # Cells around the least value that the search can see as a sign, and far below.
    for thin in (1e-7, 3e-11, 1e-11, 2e-12, 2.0**-60):
        network = net(([[1], [1], [1]], [0, -thin, -thin / 2]))
        for workers in (None, 2):
            regions = certified(tmp_path / "c", network, mc.Box(-1, 1), workers=workers)
            assert regions == 4


def test_processes_share_the_work(tmp_path: Path) -> None:
    network = random_net(np.random.default_rng(1), [4, 24, 24, 1])
    path = tmp_path / "c"
    regions = certified(path, network, mc.Box(-1, 1), workers=2)
    assert mc.verify(path, network, workers=2).regions == regions
    assert len(read(path, 4, 24, 48).segments) > 1


def test_a_limit_gives_at_least(tmp_path: Path) -> None:
    network = random_net(np.random.default_rng(1), [4, 16, 12, 1])
    path = tmp_path / "c"
    for options in ({}, {"workers": 2}, {"engine": "subdivision"}):
        budget = mc.Budget(regions=100)
        counted = mc.count(network, mc.Box(-1, 1), certificate=path, budget=budget, **options)  # type: ignore[arg-type]
        proved = mc.verify(path, network)
        # Workers look at the limit between portions, and may be done with all before.
        assert not counted.exact or "workers" in options
        assert proved.header.relation == ("==" if counted.exact else ">=")
        assert counted.lower >= proved.header.count >= 100
        assert proved.header.is_list == ("engine" in options)


def test_an_interrupt_leaves_a_certificate(tmp_path: Path) -> None:
    network = random_net(np.random.default_rng(1), [4, 24, 16, 1])
    path = tmp_path / "c"

    def interrupt(snapshot: mc.Progress) -> None:
        if snapshot.regions > 1:
            raise KeyboardInterrupt

    counted = mc.count(network, mc.Box(-1, 1), certificate=path, progress=interrupt)
    proved = mc.verify(path, network)
    assert (counted.exact, proved.header.relation) == (False, ">=")
    assert proved.header.count <= counted.lower


def test_at_most(tmp_path: Path) -> None:
    """A tree some of whose leaves have no witness proves an upper bound."""
    network = random_net(np.random.default_rng(2), [2, 5, 1])
    path = tmp_path / "c"
    regions = certified(path, network, mc.Box(-1, 1))
    certificate = read(path, 2, 5, 5)
    for step in [s for s in certificate.steps if s.code == 0][::2]:
        step.code, step.numbers = 3, []
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match="states == "):
        mc.verify(path, network)
    certificate.fixed[1] = 2
    certificate.write(path)
    assert mc.verify(path, network).statement == f"<= {regions}"
    certificate.fixed[2] = regions - 1
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match="at most"):
        mc.verify(path, network)


@pytest.mark.parametrize("together", [0, 1 << 17])
def test_a_list_must_not_repeat_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    """Whether its points are proved one by one or all at a time."""
    monkeypatch.setattr(checker, "_TOGETHER", together)
    network = random_net(np.random.default_rng(2), [2, 5, 1])
    problem = CountProblem.of(network, mc.Box(-1, 1))
    leaves = list(mc.enumerate_regions(network, mc.Box(-1, 1), engine="brute"))
    found = list(_leaves(problem))
    assert len(found) == len(leaves)
    path = tmp_path / "c"
    with CertificateWriter(path, problem) as writer:
        list_witnesses(problem, writer, found)
        writer.finish(">=")
    assert mc.verify(path, network).statement == f">= {len(found)}"
    with CertificateWriter(path, problem) as writer:
        list_witnesses(problem, writer, [*found, found[0]])
        writer.finish(">=")
    with pytest.raises(mc.CertificateError, match="witnesses repeat a pattern"):
        mc.verify(path, network)


def _leaves(problem: CountProblem) -> Any:
    from milpcount.exact.brute import enumerate_brute

    return enumerate_brute(problem, Watch(), Outcome())


def test_refused_requests(tmp_path: Path) -> None:
    network = random_net(np.random.default_rng(2), [2, 5, 1])
    path = tmp_path / "c"
    with pytest.raises(mc.UnsupportedError, match="linear"):
        mc.count(network, mc.Box(-1, 1), definition="linear", certificate=path)
    with pytest.raises(mc.UnsupportedError, match="resumes has no certificate"):
        mc.count(network, mc.Box(-1, 1), resume=tmp_path / "r", certificate=path)
    with pytest.raises(mc.InputError, match="there is no folder"):
        mc.count(network, mc.Box(-1, 1), certificate=tmp_path / "no" / "c")
    with pytest.raises(mc.InputError, match="cannot be read"):
        mc.verify(tmp_path / "none", network)
    with pytest.raises(mc.InputError, match="workers"):
        mc.verify(tmp_path / "none", network, workers=0)
    assert not list(tmp_path.iterdir())


def _entries() -> list[dict[str, Any]]:
    try:
        return known_counts()
    except pytest.skip.Exception:
        return []


@pytest.mark.parametrize("entry", _entries(), ids=lambda e: Path(e["network"]).stem)
def test_published_counts(tmp_path: Path, entry: dict[str, Any]) -> None:
    network = mc.load_network(data_folder() / entry["network"])
    domain: mc.Domain | None = None
    if isinstance(entry["domain"], list):
        lo, hi = zip(*entry["domain"], strict=True)
        domain = mc.Box(lo, hi)
    elif entry["domain"].startswith("R^"):
        domain = mc.WholeSpace()
    if entry["hidden"] > 20_000:
        pytest.skip("more than 20,000 regions: certified by benchmarks/certify_counts.py")
    assert certified(tmp_path / "c", network, domain) == entry["hidden"]


def test_the_certificates_kept_here_are_valid() -> None:
    """Those of networks that are kept here too."""
    results = Path(__file__).parents[2] / "results"
    checked = 0
    for path in sorted((results / "certificates").glob("*_s0.*.cert")):
        name = f"{path.name.split('.')[0]}.npz"
        network = mc.load_network(next(results.glob(f"mnist*/networks/{name}")))
        assert mc.verify(path, network, network.input_box).header.relation == "=="
        checked += 1
    assert checked >= 7


def test_the_checker_shares_no_code() -> None:
    """The referee imports the network with its stages, domains, errors, and nothing else."""
    folder = Path(mc.__file__).parent / "proof"
    allowed = {
        "milpcount.core.network",
        "milpcount.core.matrix",
        "milpcount.core.domain",
        "milpcount.core.pattern",
        "milpcount.core.stage",
        "milpcount.errors",
    }
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                if name.startswith("milpcount"):
                    assert name in allowed or name.startswith("milpcount.proof"), (path, name)
