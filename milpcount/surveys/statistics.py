"""Statistics over many counts: segments between points, boxes around points, planes through them.

What papers report as "the number of regions along lines between data points" is one call and one
table here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal, overload

from numpy.typing import ArrayLike

from milpcount.api import count as count_regions
from milpcount.arguments import budget_of, network_of, require_flag, seed_of, watched
from milpcount.core.choice import checked_points, groups_of
from milpcount.core.result import Budget, Definition, Limit, Progress, ProgressCallback
from milpcount.errors import InputError
from milpcount.support.text import nearest
from milpcount.surveys.neighbourhoods import NeighbourhoodSurvey, neighbourhoods
from milpcount.surveys.segments import SegmentCounts
from milpcount.surveys.selection import KINDS, TAKES, Domains
from milpcount.surveys.survey_table import SurveyResult, SurveyRow

__all__ = ["survey"]


@overload
def survey(
    net: Any,
    points: ArrayLike,
    kind: Literal["neighbourhoods"],
    *,
    distance: int = 1,
    with_output: bool = False,
    budget: Budget | float | None = None,
    lo: ArrayLike | None = None,
    hi: ArrayLike | None = None,
    progress: ProgressCallback | bool | None = None,
) -> NeighbourhoodSurvey: ...


@overload
def survey(
    net: Any,
    points: ArrayLike,
    kind: str = "segments",
    *,
    radius: float | None = None,
    pairs: str | None = None,
    count: int | None = None,
    seed: int = 0,
    engine: str = "auto",
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    budget: Budget | float | None = None,
    lo: ArrayLike | None = None,
    hi: ArrayLike | None = None,
    progress: ProgressCallback | bool | None = None,
    distance: int | None = None,
    **options: Any,
) -> SurveyResult: ...


def survey(
    net: Any,
    points: ArrayLike,
    kind: str = "segments",
    *,
    radius: float | None = None,
    pairs: str | None = None,
    count: int | None = None,
    seed: int = 0,
    engine: str = "auto",
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    budget: Budget | float | None = None,
    lo: ArrayLike | None = None,
    hi: ArrayLike | None = None,
    progress: ProgressCallback | bool | None = None,
    distance: int | None = None,
    **options: Any,
) -> SurveyResult | NeighbourhoodSurvey:
    """Count regions on many small domains made of the given points, or look around each of them.

    Arguments:
        net: the network, or what :func:`milpcount.load_network` reads.
        points: shape (points, inputs), for example rows of a data set.
        kind: "segments" between two points, "planes" through three (see
            :meth:`milpcount.Slice.plane`), "boxes" around one, or "neighbourhoods": the regions
            that surround each point's own, see :class:`~milpcount.surveys.NeighbourhoodSurvey`.
        radius: of boxes, in every coordinate.
        pairs: which points go together: "consecutive" (0-1, 1-2, ...; 0-1-2, 1-2-3, ... for
            planes; every point for boxes), "all" combinations, or "random" ones, all different.
            By default "random" where ``count`` is given, otherwise "consecutive".
        count: how many random ones.
        seed: of the random choice.
        engine: as in :func:`milpcount.count`.
        definition: as in :func:`milpcount.count`.
        with_output: as in :func:`milpcount.count`.
        budget: limits of *each* count, a number is seconds; one that reaches a limit gives an
            interval in its row.
        lo: for boxes, the least inputs, where they are cut (none by default); for segments and
            planes, the lower ends of the slice's coordinates (0 by default).
        hi: the upper ends, likewise (1 by default for segments and planes).
        progress: called as by :func:`milpcount.count`, with the regions of all counts so far.
        distance: of neighbourhoods: how many facets away regions may lie (1 by default); ``lo`` and
            ``hi`` are then the ends of a box that all lie in (the whole space by default).
        options: of the engine, as in :func:`milpcount.count`.

    Full regions on segments between 0 and 1 are counted by :func:`milpcount.walk` where the engine
    is "auto".

    Ctrl-C ends the survey: the rows that are done come back, fewer than ``requested``.

    Raises:
        InputError: arguments that do not fit together; the message says what to do.
        DomainError: points that do not fit the network, or that span no domain (equal points).
    """
    start = time.perf_counter()
    net, budget, definition = network_of(net), budget_of(budget), Definition.of(definition)
    require_flag("with_output", with_output)
    if kind == "neighbourhoods":
        with watched(progress) as shown:
            return neighbourhoods(
                net,
                points,
                1 if distance is None else distance,
                with_output=with_output,
                budget=budget,
                lo=lo,
                hi=hi,
                progress=shown,
            )
    if distance is not None:
        raise InputError(f"a distance goes with neighbourhoods, not {kind}")
    if kind not in TAKES:
        raise InputError(f"no survey of {kind!r}; {nearest(kind, KINDS)}")
    if (radius is None) == (kind == "boxes"):
        raise InputError(
            "boxes need a radius" if kind == "boxes" else f"a radius goes with boxes, not {kind}"
        )
    array = checked_points(points, net, TAKES[kind])
    pairs = pairs or ("consecutive" if count is None else "random")
    groups = groups_of(len(array), TAKES[kind], pairs, count, seed_of(seed))
    domains = Domains(kind, array, radius, lo, hi)
    # All before the first count, which may take long.
    for group in groups:
        domains.of(group)
    rows: list[SurveyRow] = []
    plain = engine == "auto" and definition is Definition.FULL and lo is None and hi is None
    walks = None
    if kind == "segments" and plain and not options:
        walks = SegmentCounts(net, with_output)
    with watched(progress) as shown:
        try:
            for group in groups:
                if walks is not None:
                    result = walks.count(array[group[0]], array[group[1]])
                    rows.append(SurveyRow(group, result, domains.measure(group)))
                    report = _within(shown, rows, len(groups), start)
                    if report is not None and len(rows) < len(groups):
                        report(Progress("walking", 0, 0.0))
                    continue
                result = count_regions(
                    net,
                    domains.of(group),
                    engine=engine,
                    definition=definition,
                    with_output=with_output,
                    budget=budget,
                    progress=_within(shown, rows, len(groups), start),
                    **options,
                )
                rows.append(SurveyRow(group, result, domains.measure(group)))
                if result.termination.limit is Limit.INTERRUPT:
                    break
        except KeyboardInterrupt:
            pass  # between two counts: the rows so far are the answer
    return SurveyResult(
        kind,
        pairs,
        tuple(rows),
        len(groups),
        definition,
        with_output,
        net.sha256,
        time.perf_counter() - start,
        net.notes,
    )


def _within(
    progress: ProgressCallback | None, rows: Sequence[SurveyRow], total: int, start: float
) -> ProgressCallback | None:
    """The callback of one count: its progress as a part of the survey's."""
    if progress is None:
        return None
    done, before = len(rows), sum(row.lower for row in rows)

    def report(part: Progress) -> None:
        progress(
            Progress(
                f"{done + 1} of {total}: {part.phase}",
                before + part.regions,
                time.perf_counter() - start,
                (done + (part.fraction or 0.0)) / total,
            )
        )

    return report
