"""Statistics over many counts: segments between points, boxes around points, planes through them.

What papers report as "the number of regions along lines between data points" is one call and one
table here.
"""

from __future__ import annotations

import csv
import itertools
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount._version import __version__
from milpcount.decimal_text import to_decimal
from milpcount.domain import Box, Slice
from milpcount.errors import DomainError, InputError
from milpcount.facade import count as count_regions
from milpcount.network import ReLUNetwork
from milpcount.result import Budget, CountResult, Definition, Limit, Progress, ProgressCallback

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "PAIRS", "Statistics", "SurveyResult", "SurveyRow", "survey"]

# How many points each domain of a kind takes.
_TAKES = {"boxes": 1, "segments": 2, "planes": 3}
_MEASURE = {"boxes": None, "segments": "length", "planes": "area"}

KINDS = tuple(_TAKES)
PAIRS = ("consecutive", "random", "all")

Float = NDArray[np.float64]


@dataclass(frozen=True)
class SurveyRow:
    """One count of a survey.

    Attributes:
        points: which points the domain was made of (0-based places in the array).
        result: the count, exact or an interval.
        measure: length of the segment or area of the parallelogram, rounded; None for boxes and
            where it is not a finite number above 0.
    """

    points: tuple[int, ...]
    result: CountResult
    measure: float | None

    @property
    def lower(self) -> int:
        """Proved lower end of the count."""
        return self.result.lower

    @property
    def upper(self) -> int | None:
        """Proved upper end of the count, None where unknown."""
        return self.result.upper

    @property
    def exact(self) -> bool:
        """Whether the count is exact."""
        return self.result.exact

    @property
    def density(self) -> float | None:
        """Regions per unit of the measure; None where it has none or the count is not exact."""
        return self.lower / self.measure if self.exact and self.measure else None


@dataclass(frozen=True)
class Statistics:
    """Of a column of ``n`` numbers; quartiles are interpolated linearly.

    ``std`` is the sample's (divisor ``n - 1``), None for one number.
    """

    n: int
    mean: float
    std: float | None
    min: float
    q25: float
    median: float
    q75: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Statistics:
        """Of at least one finite number."""
        array = np.array([float(v) for v in values])
        low, q25, median, q75, high = np.quantile(array, (0.0, 0.25, 0.5, 0.75, 1.0)).tolist()
        std = float(array.std(ddof=1)) if array.size > 1 else None
        return cls(array.size, float(array.mean()), std, low, q25, median, q75, high)


@dataclass(frozen=True)
class SurveyResult:
    """The counts of a survey, in order, and what they say together.

    Attributes:
        kind: "segments", "boxes" or "planes".
        pairs: how the points were put together.
        rows: one for each domain that was counted.
        requested: how many domains there were; fewer rows when Ctrl-C ended the survey.
        definition, with_output: what was counted.
        network_sha256: content hash of the network.
        seconds: wall-clock time.
        version: of milpcount.
    """

    kind: str
    pairs: str
    rows: tuple[SurveyRow, ...]
    requested: int
    definition: Definition
    with_output: bool
    network_sha256: str
    seconds: float
    version: str = __version__

    @property
    def exact(self) -> bool:
        """Whether every domain was counted, exactly."""
        return len(self.rows) == self.requested and all(row.exact for row in self.rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns."""
        names = ("points", "lower", "upper", "exact", "engine", "seconds", "stopped_by")
        measure = _MEASURE[self.kind]
        return names if measure is None else (*names, measure, f"regions_per_{measure}")

    @property
    def summary(self) -> Mapping[str, Statistics]:
        """Statistics of the counts, and of regions per length or area.

        Where all rows are exact: ``regions``, and ``regions_per_length`` (``_per_area``).
        Otherwise ``regions_lower`` alone, of the proved lower ends: its mean, quartiles and
        extremes are proved lower ends of the true ones, its ``std`` says nothing about theirs.
        """
        if not self.rows:
            return {}
        counts = Statistics.of(row.lower for row in self.rows)
        if not all(row.exact for row in self.rows):
            return {"regions_lower": counts}
        out = {"regions": counts}
        measure = _MEASURE[self.kind]
        densities = [row.density for row in self.rows]
        known = [d for d in densities if d is not None]
        if measure is not None and len(known) == len(densities):
            out[f"regions_per_{measure}"] = Statistics.of(known)
        return out

    def to_frame(self) -> pd.DataFrame:
        """The table as a data frame; counts stay whole numbers (objects above 2^63)."""
        import pandas as pd

        values = [self._values(row) for row in self.rows]
        frame = pd.DataFrame(values, columns=list(self.columns), dtype=object)
        for name in self.columns:
            if name in ("lower", "upper"):
                present = [v for v in frame[name] if v is not None]
                kind = "Int64" if max(present, default=0) < 2**63 else "object"
            else:
                kind = {"exact": "bool", "points": "object"}.get(name, "")
                kind = kind or ("string" if name in ("engine", "stopped_by") else "float64")
            frame[name] = frame[name].astype(kind)  # type: ignore[call-overload]
        return frame

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table as CSV: counts are decimal numbers of any size, unknown is empty.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            with Path(path).open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(self.columns)
                writer.writerows([_cell(value) for value in self._values(row)] for row in self.rows)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise InputError(f"{path} cannot be written: {reason}; name another file") from error

    def to_json(self) -> dict[str, Any]:
        """The object that ``milpcount survey --json`` prints; counts are decimal strings."""
        rows = []
        for row in self.rows:
            values = dict(zip(self.columns, self._values(row), strict=True))
            values["points"] = list(row.points)
            values["lower"] = to_decimal(row.lower)
            values["upper"] = None if row.upper is None else to_decimal(row.upper)
            rows.append(values)
        return {
            "kind": self.kind,
            "pairs": self.pairs,
            "requested": self.requested,
            "exact": self.exact,
            "definition": str(self.definition),
            "with_output": self.with_output,
            "rows": rows,
            "summary": {name: vars(s) for name, s in self.summary.items()},
            "seconds": self.seconds,
            "network_sha256": self.network_sha256,
            "version": self.version,
        }

    def _values(self, row: SurveyRow) -> list[Any]:
        """The row's cells, column by column."""
        result = row.result
        limit = result.termination.limit
        values = [
            row.points,
            row.lower,
            row.upper,
            row.exact,
            result.engine,
            result.seconds,
            None if limit is None else str(limit),
        ]
        return values if _MEASURE[self.kind] is None else [*values, row.measure, row.density]

    def __repr__(self) -> str:
        state = "exact" if self.exact else "not all exact"
        return f"SurveyResult({len(self.rows)} of {self.requested} {self.kind}, {state})"


def survey(
    net: ReLUNetwork,
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
    budget: Budget | None = None,
    lo: ArrayLike | None = None,
    hi: ArrayLike | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> SurveyResult:
    """Count regions on many small domains made of the given points.

    Arguments:
        net: the network.
        points: shape (points, inputs), for example rows of a data set.
        kind: "segments" between two points, "planes" through three (see
            :meth:`milpcount.Slice.plane`), or "boxes" around one.
        radius: of boxes, in every coordinate.
        pairs: which points go together: "consecutive" (0-1, 1-2, ...; 0-1-2, 1-2-3, ... for
            planes; every point for boxes), "all" combinations, or "random" ones, all different.
            By default "random" where ``count`` is given, otherwise "consecutive".
        count: how many random ones.
        seed: of the random choice.
        engine: as in :func:`milpcount.count`.
        definition: as in :func:`milpcount.count`.
        with_output: as in :func:`milpcount.count`.
        budget: limits of *each* count; one that reaches a limit gives an interval in its row.
        lo: for boxes, the least inputs, where they are cut (none by default); for segments and
            planes, the lower ends of the slice's coordinates (0 by default).
        hi: the upper ends, likewise (1 by default for segments and planes).
        progress: called as by :func:`milpcount.count`, with the regions of all counts so far.
        options: of the engine, as in :func:`milpcount.count`.

    Ctrl-C ends the survey: the rows that are done come back, fewer than ``requested``.

    Raises:
        InputError: arguments that do not fit together; the message says what to do.
        DomainError: points that do not fit the network, or that span no domain (equal points).
    """
    start = time.perf_counter()
    if kind not in _TAKES:
        raise InputError(f"no survey of {kind!r}; known: {', '.join(KINDS)}")
    if (radius is None) == (kind == "boxes"):
        raise InputError(
            "boxes need a radius" if kind == "boxes" else f"a radius goes with boxes, not {kind}"
        )
    array = _checked(points, net, _TAKES[kind])
    pairs = pairs or ("consecutive" if count is None else "random")
    groups = _groups(len(array), _TAKES[kind], pairs, count, seed)
    domains = _Domains(kind, array, radius, lo, hi)
    # All before the first count, which may take long.
    for group in groups:
        domains.of(group)
    rows: list[SurveyRow] = []
    definition = Definition(definition)
    try:
        for group in groups:
            result = count_regions(
                net,
                domains.of(group),
                engine=engine,
                definition=definition,
                with_output=with_output,
                budget=budget,
                progress=_within(progress, rows, len(groups), start),
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
    )


class _Domains:
    """Makes the domain of a group of points, and measures it."""

    def __init__(
        self,
        kind: str,
        points: Float,
        radius: float | None,
        lo: ArrayLike | None,
        hi: ArrayLike | None,
    ) -> None:
        self._kind, self._points, self._radius = kind, points, radius
        open_end = np.inf if kind == "boxes" else None
        self._lo: ArrayLike = (-open_end if open_end else 0.0) if lo is None else lo
        self._hi: ArrayLike = (open_end or 1.0) if hi is None else hi

    def of(self, group: tuple[int, ...]) -> Box | Slice:
        """The domain.

        Raises:
            DomainError: the points span none; the message names them.
        """
        chosen = self._points[list(group)]
        try:
            if self._radius is not None:
                return Box.around(chosen[0], self._radius, self._lo, self._hi)
            return Slice.through(chosen, self._lo, self._hi)
        except DomainError as error:
            places = ", ".join(map(str, group))
            raise DomainError(
                f"{self._kind} of point(s) {places} of the survey: {error}"
            ) from error

    def measure(self, group: tuple[int, ...]) -> float | None:
        """Length or area; None for boxes, and where it is not a finite number above 0."""
        domain = self.of(group)
        if isinstance(domain, Box):
            return None
        sides = domain.hi - domain.lo
        origin, *others = domain.points
        size = math.dist(origin, others[0]) * float(sides[0])
        if len(others) == 2:
            # Heights by QR lose less to cancellation than the Gram determinant.
            edges = (np.array(others) - origin).T
            size = abs(float(np.prod(np.diag(np.linalg.qr(edges, mode="r"))))) * math.prod(sides)
        return size if 0 < size < math.inf else None


def _checked(points: ArrayLike, net: ReLUNetwork, needed: int) -> Float:
    """The points as a matrix of finite floats."""
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(
            f"the points of the survey are not a matrix of numbers: {error}"
        ) from error
    if array.ndim != 2:
        raise DomainError(
            f"the points of the survey have shape {array.shape}; give (points, inputs)"
        )
    if array.shape[1] != net.input_dimension:
        raise DomainError(
            f"the points of the survey have {array.shape[1]} coordinates, "
            f"the network {net.input_dimension} inputs"
        )
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        raise DomainError(
            f"point {bad[0, 0]} of the survey has a NaN or infinite value; correct it"
        )
    if len(array) < needed:
        raise DomainError(f"{len(array)} point(s) given, at least {needed} needed")
    return array


def _groups(n: int, size: int, pairs: str, count: int | None, seed: int) -> list[tuple[int, ...]]:
    """Which of the ``n`` points go together, ``size`` at a time."""
    if pairs not in PAIRS:
        raise InputError(f"no choice of pairs {pairs!r}; known: {', '.join(PAIRS)}")
    if (pairs == "random") != (count is not None):
        raise InputError("random pairs and their count go together; give both or neither")
    if count is None:
        if pairs == "all":
            return list(itertools.combinations(range(n), size))
        return [tuple(range(i, i + size)) for i in range(n - size + 1)]
    total = math.comb(n, size)
    if not 1 <= count <= total:
        raise InputError(f"{n} points make {total} choices of {size}; the count {count} is not one")
    if seed < 0:
        raise InputError(f"the seed must be a whole number >= 0, not {seed}")
    rng = np.random.default_rng(seed)
    if total <= 4 * count:
        every = list(itertools.combinations(range(n), size))
        return [every[i] for i in rng.choice(total, count, replace=False)]
    chosen: dict[tuple[int, ...], None] = {}
    while len(chosen) < count:
        group = tuple(sorted(rng.choice(n, size, replace=False).tolist()))
        chosen[group] = None
    return list(chosen)


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


def _cell(value: Any) -> Any:
    """A value as CSV shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return to_decimal(value) if isinstance(value, int) else value
