"""The counts of a survey as a table: rows, statistics, CSV and JSON."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount.core.result import CountResult, Definition
from milpcount.errors import InputError
from milpcount.support.decimal_text import to_decimal
from milpcount.support.version import __version__

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Statistics", "SurveyResult", "SurveyRow"]

_MEASURE = {"boxes": None, "segments": "length", "planes": "area"}


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
        notes: what an importer changed when it read the network.
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
    notes: tuple[str, ...] = ()
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
            "notes": list(self.notes),
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


def _cell(value: Any) -> Any:
    """A value as CSV shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return to_decimal(value) if isinstance(value, int) else value
