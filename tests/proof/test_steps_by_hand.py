"""What the checker's two kinds of proof accept, at the level of single rows and points."""

from __future__ import annotations

from pathlib import Path

import pytest

import milpcount as mc
from milpcount.errors import CertificateError
from milpcount.proof.checker import Segment
from milpcount.proof.format import read_header, read_segments
from milpcount.proof.rational import Exact
from tests.shared import net

NETWORK = net(([[1, 0], [0, 0]], [0, 0]))
TRIANGLE = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [1, 1, 1])


def _segment(path: Path, domain: mc.Domain, definition: str) -> Segment:
    """A segment of a certificate about this domain and definition, before any step of it."""
    mc.count(NETWORK, domain, engine="tree-highs", definition=definition, certificate=path)
    header, rest = read_header(path, NETWORK.input_dimension)
    return Segment(Exact(NETWORK, header), next(read_segments(rest)))


@pytest.mark.parametrize("definition", ["full", "nonempty"])
def test_no_region_is_proved_by_rows_that_say_something_alone(
    tmp_path: Path, definition: str
) -> None:
    """Terms are (weight, exponent, row, active); rows are on the coordinate and the constant 1."""
    full = definition == "full"
    segment = _segment(tmp_path / "c", mc.Box(-1, 1), definition)
    falls, rises, void, below = [-1, 0], [1, 0], [0, 0], [0, -1]
    assert not segment.contradicts([])
    # 0 >= 0 is no contradiction, however often; 0 > 0 is.
    assert not segment.contradicts([(1, 0, void, False)])
    assert not segment.contradicts([(1, 0, void, False), (3, 2, void, False)])
    assert segment.contradicts([(1, 0, void, True)])
    # -1 >= 0 is one.
    assert segment.contradicts([(1, 0, below, False)])
    # z >= 0 and -z >= 0 hold on a face: no full region has both, a point has.
    both = [(1, 0, falls, False), (1, 0, rises, False)]
    assert segment.contradicts(both) is full
    assert segment.contradicts([(1, 0, falls, False), (1, 0, rises, True)])
    assert not segment.contradicts(
        [(2, 0, falls, False), (1, 0, rises, False), (1, 0, [0, 1], False)]
    )


@pytest.mark.parametrize("definition", ["full", "nonempty"])
def test_points_outside_of_the_polytope_prove_nothing(tmp_path: Path, definition: str) -> None:
    segment = _segment(tmp_path / "c", TRIANGLE, definition)
    exact = segment.exact
    # The checker's coordinates run over a box around the polytope: (z d, d) with d = 8.
    tried = {True: 0, False: 0}
    border = 0
    for a in range(9):
        for b in range(9):
            point = [a, b, 8]
            slack = [
                sum(c * v for c, v in zip(row, point, strict=True)) for row in exact.domain.rows
            ]
            inside = min(slack) > 0 if definition == "full" else min(slack) >= 0
            border += min(slack) == 0
            on_zero = exact.first.rows[0][0] * a + exact.first.rows[0][1] * b
            if definition == "full" and on_zero + exact.first.rows[0][2] * 8 == 0:
                continue  # refused for the unit that vanishes
            tried[inside] += 1
            if inside:
                assert segment.prove(segment.exact.at([point]), [0])
            else:
                with pytest.raises(CertificateError, match="not inside the polytope"):
                    segment.prove(segment.exact.at([point]), [0])
    assert tried[True]
    assert tried[False]
    assert border


def test_a_point_on_the_zeros_of_a_unit_proves_no_full_region(tmp_path: Path) -> None:
    segment = _segment(tmp_path / "c", mc.Box(-1, 1), "full")
    # z runs from 0 to 1: the first unit vanishes in the middle, the second everywhere.
    above, below = segment.prove(segment.exact.at([[3, 4], [1, 4]]), [0, 0])
    assert above != below
    # The place that is told is that of the point.
    with pytest.raises(CertificateError, match="byte 7: unit 0 is 0 at the point"):
        segment.prove(segment.exact.at([[3, 4], [1, 2]]), [3, 7])
