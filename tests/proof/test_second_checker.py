"""Two checkers that share no code agree: on sound certificates, and on damaged ones."""

from __future__ import annotations

import ast
import contextlib
import copy
import random
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.importers.npz import save_npz
from tests.proof import second_checker
from tests.proof.second_checker import RefusedError
from tests.proof.test_mutations import _change
from tests.proof.tools import read
from tests.shared import net, random_net

RESULTS = Path(__file__).parents[2] / "results"
CONE = net(([[1, 0], [0, 1], [-1, -1]], [0, 0, 0]))
FACE = net(([[1, 0], [0, 1], [1, 1]], [-1, 1, 0]), ([[1, -1, 1], [1, 1, 0]], [0, -1]))
LEAKY = random_net(np.random.default_rng(5), [2, 3, 2, 1], "integer", [0.25, 0.25])
TRIANGLE = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])


def both(certificate: Path, network: Path) -> tuple[str, int, int] | None:
    """What both prove; None if both refuse."""
    first: tuple[str, int, int] | None = None
    second: tuple[str, int, int] | None = None
    with contextlib.suppress(mc.CertificateError):
        proved = mc.verify(certificate, mc.load_network(network))
        first = (proved.header.relation, proved.header.count, proved.regions)
    with contextlib.suppress(RefusedError):
        second = second_checker.check(certificate, network)
    assert first == second
    return first


@pytest.mark.parametrize("name", ["1-7_s0.full", "1-7_s1.full", "2-6_s0.full"])
def test_certificates_kept_here(name: str) -> None:
    network = RESULTS / "mnist8" / "networks" / f"{name.partition('.')[0]}.npz"
    proved = both(RESULTS / "certificates" / f"{name}.cert", network)
    assert proved is not None
    assert proved[0] == "=="


DOMAINS = {
    "box": mc.Box(-1, 1),
    "half": mc.Box([0.0, 0.0], [np.inf, np.inf]),
    "space": mc.WholeSpace(),
    "triangle": TRIANGLE,
    "line": mc.Slice([[-1, 0], [1, 1]], -1, 1),
}


@pytest.mark.parametrize("engine", ["brute", "tree"])
@pytest.mark.parametrize("definition", ["full", "nonempty"])
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("network", [CONE, FACE, LEAKY], ids=["cone", "face", "leaky"])
def test_sound_and_damaged_certificates(
    tmp_path: Path, network: mc.ReLUNetwork, domain: str, definition: str, engine: str
) -> None:
    path, where = tmp_path / "c", tmp_path / "net.npz"
    save_npz(network, where)
    on = DOMAINS[domain]
    counted = mc.count(network, on, definition=definition, engine=engine, certificate=path)
    assert both(path, where) == ("==", counted.lower, counted.lower)
    units = sum(network.widths)
    coordinates = 1 if domain == "line" else 2
    certificate = read(path, coordinates, network.widths[0], units)
    chosen, refused = random.Random(1), 0
    for _ in range(40):
        changed = copy.deepcopy(certificate)
        _change(changed.steps, units, chosen)
        changed.fixed[1] = chosen.randrange(3)
        changed.fixed[2] = counted.lower + chosen.choice((-1, 0, 0, 0, 1))
        changed.write(path)
        refused += both(path, where) is None
    assert refused


def test_it_imports_nothing_of_the_package() -> None:
    source = Path(second_checker.__file__).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not any(name.startswith(("milpcount", "tests")) for name in names)
