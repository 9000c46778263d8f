"""All notions of a linear region side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import milpcount as mc
from milpcount.cli.app import run
from milpcount.importers.npz import save_npz
from tests.shared import net

# max(-y, min(0, -x)), which tells them apart.
PAPER = net(
    ([[1, 0], [0, 1], [0, -1]], [0, 0, 0]),
    ([[-1, 1, -1], [0, 1, 0], [0, 0, 1]], [0, 0, 0]),
    ([[1, -1, 1]], [0]),
    output=True,
)


@pytest.mark.parametrize("domain", [mc.WholeSpace(), mc.Box(-1, 1)])
def test_the_example_of_the_paper(domain: mc.Domain) -> None:
    found = mc.notions(PAPER, domain)
    assert found.counts == (7, 5, None, 3, 3, 3)
    assert (found[3].lower, found[3].upper) == (3, 5)
    assert found.exact
    assert [entry.number for entry in found] == [1, 2, 3, 4, 5, 6]
    for entry in found:
        if entry.definition is not None:
            counted = mc.count(PAPER, domain, definition=entry.definition)
            assert (counted.lower, counted.exact) == (entry.count, True)


def test_the_third_has_no_count_even_where_its_bounds_meet() -> None:
    one = net(([[1]], [0]), ([[1]], [0]), output=True)
    found = mc.notions(one, mc.Box(-1, 1))
    assert found.counts == (2, 2, None, 2, 2, 2)
    assert (found[3].lower, found[3].upper, str(found[3])) == (2, 2, "2")


def test_limits_give_bounds_that_hold_and_fit_together() -> None:
    for budget in (mc.Budget(regions=2), mc.Budget(seconds=1e-9)):
        found = mc.notions(PAPER, mc.Box(-1, 1), budget=budget)
        assert not found.exact
        assert found.stopped_by is not None
        for entry, true in zip(found, (7, 5, 4, 3, 3, 3), strict=True):
            assert entry.upper is not None
            assert entry.lower <= true <= entry.upper
        lowers, uppers = [e.lower for e in found], [e.upper for e in found]
        assert lowers == sorted(lowers, reverse=True)
        assert uppers == sorted(uppers, key=lambda v: -(v or 0))


def test_misuse() -> None:
    found = mc.notions(PAPER, mc.Box(-1, 1))
    with pytest.raises(mc.InputError, match="numbered 1 to 6"):
        found[0]
    with pytest.raises(mc.DomainError, match="no input domain"):
        mc.notions(PAPER)
    with pytest.raises(mc.UnsupportedError, match="no engine"):
        mc.notions(PAPER, mc.Box(-1, 1), engine="trea")
    for definition in ("closed", "affine"):
        with pytest.raises(mc.UnsupportedError, match=definition):
            mc.estimate(PAPER, mc.Box(-1, 1), definition=definition)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.npz"
    save_npz(PAPER, path)
    assert run(["notions", str(path), "--whole-space", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert [n["count"] for n in value["notions"]] == ["7", "5", None, "3", "3", "3"]
    assert (value["notions"][2]["lower"], value["notions"][2]["upper"]) == ("3", "5")
    assert run(["notions", str(path), "--whole-space", "--region-limit", "2"]) == 3
    assert "stopped by the limit: regions" in capsys.readouterr().out
    assert run(["count", str(path), "--box", "-1", "1", "--definition", "closed"]) == 0
    assert "3 closed linear regions (exact)" in capsys.readouterr().out
