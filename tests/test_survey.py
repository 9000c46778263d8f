"""Surveys: many counts in one table, each of them the plain count of its domain."""

from __future__ import annotations

import csv
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.surveys import KINDS, Statistics
from tests.shared import net, random_net

NET = random_net(np.random.default_rng(0), [3, 5, 3, 1])
POINTS = np.random.default_rng(1).normal(size=(6, 3))


def test_segments_are_plain_counts() -> None:
    result = mc.survey(NET, POINTS, pairs="all")
    assert [row.points for row in result.rows] == list(itertools.combinations(range(6), 2))
    assert result.exact
    assert (result.kind, result.pairs, result.requested) == ("segments", "all", 15)
    for row in result.rows:
        a, b = POINTS[list(row.points)]
        assert row.lower == row.upper == mc.count(NET, mc.Slice.segment(a, b)).lower
        assert row.measure == pytest.approx(np.linalg.norm(b - a))
        assert row.density == pytest.approx(row.lower / np.linalg.norm(b - a))
    assert repr(result) == "SurveyResult(15 of 15 segments, exact)"


def test_boxes_are_plain_counts() -> None:
    result = mc.survey(NET, POINTS, "boxes", radius=0.5, lo=-1, hi=[1, 1, np.inf])
    assert [row.points for row in result.rows] == [(i,) for i in range(6)]
    for row, x in zip(result.rows, POINTS, strict=True):
        box = mc.Box.around(x, 0.5, -1, [1, 1, np.inf])
        assert row.lower == mc.count(NET, box).lower
        assert (row.measure, row.density) == (None, None)
    assert set(result.summary) == {"regions"}


def test_planes_are_plain_counts() -> None:
    result = mc.survey(NET, POINTS, "planes", lo=-1, hi=(1, 2), definition="nonempty")
    assert [row.points for row in result.rows] == [(i, i + 1, i + 2) for i in range(4)]
    for row in result.rows:
        a, b, c = POINTS[list(row.points)]
        piece = mc.Slice.plane(a, b, c, -1, (1, 2))
        assert row.lower == mc.count(NET, piece, definition="nonempty").lower
        assert row.measure == pytest.approx(6 * np.linalg.norm(np.cross(b - a, c - a)))
    assert set(result.summary) == {"regions", "regions_per_area"}


def test_options_reach_the_engine() -> None:
    result = mc.survey(NET, POINTS, "boxes", radius=0.1, engine="milp", preactivation="interval")
    assert {row.result.engine for row in result.rows} == {"milp"}
    with_output = mc.survey(NET, POINTS, with_output=True)
    assert with_output.with_output
    assert all(
        more.lower >= row.lower
        for more, row in zip(with_output.rows, mc.survey(NET, POINTS).rows, strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 5, 6])
def test_random_choices(kind: str, count: int) -> None:
    arguments: dict[str, Any] = {"count": count, "radius": 0.1 if kind == "boxes" else None}
    result = mc.survey(NET, POINTS, kind, **arguments)
    chosen = [row.points for row in result.rows]
    assert result.pairs == "random"
    assert len(set(chosen)) == count == result.requested
    size = {"boxes": 1, "segments": 2, "planes": 3}[kind]
    assert all(len(set(g)) == size and list(g) == sorted(g) for g in chosen)
    assert all(0 <= i < 6 for g in chosen for i in g)
    again = mc.survey(NET, POINTS, kind, **arguments, pairs="random")
    assert [row.points for row in again.rows] == chosen
    if count == 5:
        others = [mc.survey(NET, POINTS, kind, **arguments, seed=s).rows for s in range(1, 4)]
        assert any([row.points for row in rows] != chosen for rows in others)


def test_random_choices_cover_all_pairs() -> None:
    every = mc.survey(NET, POINTS, count=15)
    assert sorted(row.points for row in every.rows) == list(itertools.combinations(range(6), 2))


def test_statistics() -> None:
    s = Statistics.of([1, 2, 4, 10])
    assert (s.n, s.mean, s.min, s.max, s.median) == (4, 4.25, 1, 10, 3)
    assert (s.q25, s.q75) == (1.75, 5.5)
    assert s.std == pytest.approx(math.sqrt((3.25**2 + 2.25**2 + 0.25**2 + 5.75**2) / 3))
    assert Statistics.of([7]) == Statistics(1, 7, None, 7, 7, 7, 7, 7)
    result = mc.survey(NET, POINTS)
    assert result.summary["regions"] == Statistics.of(row.lower for row in result.rows)
    assert result.summary["regions_per_length"].n == 5


def test_limits_give_rows_that_are_intervals() -> None:
    # This engine looks at the limits after every region; a compiled one may be done before.
    plain: dict[str, Any] = {"engine": "tree-highs"}
    result = mc.survey(NET, POINTS, "boxes", radius=2, budget=mc.Budget(regions=2), **plain)
    assert not result.exact
    assert result.requested == len(result.rows) == 6
    assert {row.result.termination.limit for row in result.rows} == {mc.Limit.REGIONS}
    whole = mc.survey(NET, POINTS, "boxes", radius=2)
    for part, row in zip(result.rows, whole.rows, strict=True):
        assert part.upper is not None
        assert part.lower <= row.lower <= part.upper
    assert set(result.summary) == {"regions_lower"}
    assert result.summary["regions_lower"].mean <= whole.summary["regions"].mean
    segments = mc.survey(NET, POINTS, budget=mc.Budget(regions=1), **plain)
    assert all(row.density is None for row in segments.rows if not row.exact)


def test_an_interrupt_keeps_the_rows_that_are_done() -> None:
    # Large enough to last for reports, which come ten times a second, with this engine.
    network = random_net(np.random.default_rng(1), [4, 9, 7, 1])
    points = np.random.default_rng(2).normal(size=(4, 4))
    seen: list[mc.Progress] = []

    def interrupt(snapshot: mc.Progress) -> None:
        seen.append(snapshot)
        if snapshot.phase.startswith("2 of 4"):
            raise KeyboardInterrupt

    result = mc.survey(
        network, points, "boxes", radius=1.5, progress=interrupt, engine="tree-highs"
    )
    assert (len(result.rows), result.requested, result.exact) == (2, 4, False)
    assert result.rows[0].exact
    assert result.rows[1].result.termination.limit is mc.Limit.INTERRUPT
    assert seen[-1].regions >= result.rows[0].lower
    assert seen[-1].fraction is not None
    assert 0.25 <= seen[-1].fraction <= 0.5


def test_table(tmp_path: Path) -> None:
    result = mc.survey(NET, POINTS)
    frame = result.to_frame()
    assert list(frame.columns) == [
        "points", "lower", "upper", "exact", "engine", "seconds", "stopped_by",
        "length", "regions_per_length",
    ]  # fmt: skip
    assert frame["lower"].tolist() == [row.lower for row in result.rows]
    assert frame["lower"].mean() == pytest.approx(result.summary["regions"].mean)
    assert frame["points"].tolist() == [row.points for row in result.rows]
    path = tmp_path / "table.csv"
    result.to_csv(path)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [r["points"] for r in rows] == ["0-1", "1-2", "2-3", "3-4", "4-5"]
    assert [int(r["lower"]) for r in rows] == [row.lower for row in result.rows]
    assert [float(r["length"]) for r in rows] == [row.measure for row in result.rows]
    assert {r["exact"] for r in rows} == {"true"}
    with pytest.raises(mc.InputError, match="cannot be written"):
        result.to_csv(tmp_path / "nowhere" / "table.csv")


def test_huge_upper_ends_lose_no_digit(tmp_path: Path) -> None:
    # A limit leaves the analytic bound of the widths, above 2^63.
    network = random_net(np.random.default_rng(1), [80, 80, 1])
    result = mc.survey(
        network,
        np.zeros((1, 80)),
        "boxes",
        radius=1,
        budget=mc.Budget(regions=1),
        engine="tree-highs",
    )
    upper = result.rows[0].upper
    assert upper is not None
    assert upper > 2**63
    assert result.to_frame()["upper"].tolist() == [upper]
    result.to_csv(tmp_path / "t.csv")
    assert str(upper) in (tmp_path / "t.csv").read_text(encoding="utf-8")
    assert json.loads(json.dumps(result.to_json()))["rows"][0]["upper"] == str(upper)


def test_json() -> None:
    value = json.loads(json.dumps(mc.survey(NET, POINTS).to_json(), allow_nan=False))
    assert set(value) == {
        "kind", "pairs", "requested", "exact", "definition", "with_output", "rows", "summary",
        "seconds", "network_sha256", "version", "notes",
    }  # fmt: skip
    assert value["rows"][0]["points"] == [0, 1]
    assert isinstance(value["rows"][0]["lower"], str)
    assert set(value["summary"]["regions"]) == {
        "n", "mean", "std", "min", "q25", "median", "q75", "max",
    }  # fmt: skip


def test_open_slices_have_no_length() -> None:
    result = mc.survey(NET, POINTS, lo=-np.inf, hi=np.inf)
    assert result.exact
    assert all((row.measure, row.density) == (None, None) for row in result.rows)
    assert set(result.summary) == {"regions"}
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "cubes"}, "no survey of 'cubes'"),
        ({"kind": "boxes"}, "boxes need a radius"),
        ({"kind": "planes", "radius": 1}, "a radius goes with boxes"),
        ({"kind": "boxes", "radius": -1}, "point.s. 0 of the survey: the radius"),
        ({"pairs": "some"}, "no choice of pairs 'some'"),
        ({"pairs": "random"}, "give both or neither"),
        ({"pairs": "all", "count": 3}, "give both or neither"),
        ({"count": 16}, "6 points make 15 choices of 2; the count 16"),
        ({"count": 0}, "the count 0"),
        ({"count": 3, "seed": -1}, "seed"),
        ({"points": np.zeros(3)}, "shape .3,."),
        ({"points": np.zeros((2, 4))}, "4 coordinates, the network 3 inputs"),
        ({"points": [[0, 0, np.nan], [0, 0, 0]]}, "point 0 of the survey has a NaN"),
        ({"points": [["a", 0, 0]]}, "not a matrix of numbers"),
        ({"points": [[0, 0], [0, 0, 0]]}, "not a matrix of numbers"),
        ({"points": np.zeros((1, 3))}, "1 point.s. given, at least 2"),
        (
            {"points": [[0, 0, 1], [1, 0, 0], [1, 0, 0]]},
            "point.s. 1, 2 of the survey: .*degenerate",
        ),
        ({"lo": 1, "hi": 0}, "empty"),
        ({"engine": "milp"}, "does not serve slices"),
        ({"engine": "brute", "colour": "red"}, "no option 'colour'"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(mc.InputError, match=message):
        mc.survey(NET, **{"points": POINTS, **arguments})


def test_degenerate_points_stop_the_survey_before_it_counts() -> None:
    counted = []
    with pytest.raises(mc.DomainError, match="degenerate"):
        mc.survey(net(([[1]], [0])), [[0], [1], [2], [2]], progress=lambda s: counted.append(s))
    assert not counted
