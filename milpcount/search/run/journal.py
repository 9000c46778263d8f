"""The file of a search that can be resumed.

Lines of JSON: a header that names the problem, then one line for each bundle that was finished
or cut off, with its count, the bundles that it left, and the patterns found where they are
wanted.  A line is written whole and flushed to
the disk before the next bundle starts, so a run killed at any moment has lost only the bundles
at work.  A torn last line is dropped.  Long files are rewritten as a snapshot.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.problem import CountProblem
from milpcount.errors import InputError
from milpcount.search.run.bundle import Bundle, decode, encode
from milpcount.support.decimal_text import from_decimal, to_decimal
from milpcount.support.locks import try_lock
from milpcount.support.regular_files import require_regular, require_writable, writing

__all__ = ["Journal", "holding"]

# 2: over unbounded domains nonempty patterns are searched chart by chart, so that a bundle of an
# earlier file, which stands for the whole search, would be taken for one chart.
_FORMAT = 2
_LONG = 2000  # lines before a snapshot
_PATIENCE = 3.0  # seconds for another process to let go of the file
_HEADER = 1 << 16  # bytes, far more than a header has
_KEPT = "what it holds is whole: make room, and the same count goes on from it"


@contextmanager
def holding(path: Path | None) -> Iterator[None]:
    """Keep other processes off the file of a run: two that write it would lose regions.

    Raises:
        InputError: another process has it, or it is no file that can be written.
    """
    if path is None:
        yield
        return
    require_writable(path)
    # Not the file itself, in whose place snapshots are put.
    guard = path.with_name(path.name + ".lock")
    try:
        file = _locked(guard)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    if file is None:
        raise InputError(
            f"{path} is being written by another count; wait for its end, or name another file"
        )
    with file:
        try:
            yield
        finally:
            with suppress(OSError):
                guard.unlink()


def _locked(guard: Path) -> IO[bytes] | None:
    """The open file once it is locked, None if another process keeps it.

    What a process that was just killed has started ends within a second, and its locks with it.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        with ExitStack() as stack:
            file = stack.enter_context(guard.open("ab"))
            if try_lock(file) and _is_there(guard, file.fileno()):
                stack.pop_all()
                return file
        if time.monotonic() > end:
            return None
        time.sleep(0.05)


def _is_there(path: Path, number: int) -> bool:
    """Whether the open file was not removed by who held it before."""
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except FileNotFoundError:
        return False


class Journal:
    """Counts and open bundles of a run, on disk when there is a file."""

    def __init__(
        self, path: Path | None, problem: CountProblem, method: str, keep: bool = False
    ) -> None:
        """Read what an earlier run left; with ``keep`` it holds patterns too.

        Raises:
            InputError: the file belongs to another problem or is no such file.
        """
        self._path = path
        self._units = problem.n_units
        self._patterns: list[str] = []
        self.count = 0
        self.closed = 0.0
        self.seconds = 0.0
        self._since = time.perf_counter()
        self.statistics: Counter[str] = Counter()
        self.open: dict[int, Bundle] = {}
        self._next = 0
        self._lines = 0
        self._header = {"milpcount_resume": _FORMAT, "problem": _identity(problem, method, keep)}
        self.resumed = path is not None and require_regular(path) and self._read(path)

    def add(self, bundle: Bundle) -> int:
        """A new open bundle; returns its number."""
        number = self._next
        self._next += 1
        self.open[number] = bundle
        return number

    def begin(self, bundles: list[Bundle]) -> None:
        """Start a run with these bundles."""
        for bundle in bundles:
            self.add(bundle)
        self._snapshot()

    def finish(
        self, number: int, count: int, closed: float, statistics: dict[str, int],
        left: list[Bundle], patterns: NDArray[np.uint8] | None = None,
    ) -> list[int]:  # fmt: skip
        """A bundle is finished, or cut off with bundles left; returns the numbers of those."""
        del self.open[number]
        self.count += count
        self.closed += closed
        self.statistics.update(statistics)
        numbers = [self.add(bundle) for bundle in left]
        if self._path is not None:
            line = {
                "done": number,
                "count": to_decimal(count),
                "closed": closed,
                "seconds": self._take_seconds(),
                "statistics": statistics,
                "left": {str(k): encode(b) for k, b in zip(numbers, left, strict=True)},
            }
            if patterns is not None:
                packed = _pack(patterns)
                line["patterns"] = [packed]
                self._patterns.append(packed)
            self._lines += 1
            if self._lines > _LONG:
                self._snapshot()
            else:
                self._append(line)
        return numbers

    def split(self, number: int, halves: tuple[Bundle, Bundle]) -> tuple[int, int]:
        """Two bundles instead of one; the file learns of it when they are finished."""
        left = self.finish(number, 0, 0.0, {}, list(halves))
        return left[0], left[1]

    def patterns(self) -> list[NDArray[np.uint8]]:
        """The patterns found until now, 0/1, one row a region."""
        return [_unpack(text, self._units) for text in self._patterns]

    def _take_seconds(self) -> float:
        """Wall time since the last line, added to the total."""
        now = time.perf_counter()
        passed, self._since = now - self._since, now
        self.seconds += passed
        return passed

    def _snapshot(self) -> None:
        if self._path is None:
            return
        self._take_seconds()
        state = {
            "count": to_decimal(self.count),
            "closed": self.closed,
            "seconds": self.seconds,
            "statistics": dict(self.statistics),
            "left": {str(k): encode(b) for k, b in self.open.items()},
            "patterns": self._patterns,
        }
        new = self._path.with_name(self._path.name + ".new")
        try:
            with writing(self._path, _KEPT), new.open("w", encoding="utf-8") as file:
                file.write(json.dumps(self._header) + "\n" + json.dumps(state) + "\n")
                file.flush()
                os.fsync(file.fileno())
            with writing(self._path, _KEPT):
                new.replace(self._path)
        finally:
            with suppress(OSError):
                new.unlink()
        self._lines = 0

    def _append(self, line: dict[str, Any]) -> None:
        assert self._path is not None
        with writing(self._path, _KEPT), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self, path: Path) -> bool:
        foreign = f"{path} is no file of a run to resume; name another one"
        try:
            with path.open(encoding="utf-8") as file:
                # Not all of a large file that is none of ours.
                text = file.read(_HEADER)
                if text.strip() and not text.startswith('{"milpcount_resume"'):
                    raise InputError(foreign)
                text += file.read()
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InputError(foreign) from error
        # What follows the last line end was torn off.
        lines = text.split("\n")[:-1]
        if not lines:
            if text.strip():
                raise InputError(foreign)
            return False
        try:
            header = json.loads(lines[0])
            if not isinstance(header, dict) or "milpcount_resume" not in header:
                raise InputError(foreign)
            if header != self._header:
                raise InputError(
                    f"{path} belongs to another count ({_difference(header, self._header)}); "
                    "resume with the network, domain and options it was made with, or name "
                    "another file"
                )
            for line in lines[1:]:
                self._replay(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is damaged and cannot be resumed: {error}") from error
        if not self.open and len(lines) < 2:
            return False
        if not text.endswith("\n") or len(lines) > _LONG:
            self._snapshot()
        self._lines = len(lines)
        return True

    def _replay(self, line: dict[str, Any]) -> None:
        if "done" in line:
            del self.open[int(line["done"])]
        self.count += from_decimal(line["count"])
        self.closed += float(line["closed"])
        self.seconds += float(line.get("seconds", 0.0))
        self.statistics.update({str(k): int(v) for k, v in line["statistics"].items()})
        self._patterns += line.get("patterns", [])
        for k, data in line["left"].items():
            self.open[int(k)] = decode(data)
            self._next = max(self._next, int(k) + 1)


def _pack(patterns: NDArray[np.uint8]) -> str:
    """Rows of bits as text."""
    return base64.b64encode(zlib.compress(np.packbits(patterns, axis=1).tobytes())).decode("ascii")


def _unpack(text: str, units: int) -> NDArray[np.uint8]:
    """The rows that were packed.

    Raises:
        ValueError: the text is damaged.
    """
    try:
        data = zlib.decompress(base64.b64decode(text))
    except zlib.error as error:
        raise ValueError(f"patterns: {error}") from error
    rows = np.frombuffer(data, dtype=np.uint8).reshape(-1, (units + 7) // 8)
    return np.unpackbits(rows, axis=1, count=units)


def _identity(problem: CountProblem, method: str, keep: bool) -> dict[str, Any]:
    """What must agree for a run to go on."""
    digest = hashlib.sha256()
    domain = problem.domain
    arrays = [domain.lo, domain.hi] if isinstance(domain, Box) else [domain.A, domain.c]
    if problem.slice is not None:
        arrays.append(problem.slice.points)
    for array in arrays:
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return {
        "network_sha256": problem.network.sha256,
        "domain_sha256": digest.hexdigest(),
        # Regions are kept to be merged.
        "definition": "linear" if keep else str(problem.definition),
        "with_output": problem.with_output,
        "engine": method,
    }


def _difference(theirs: dict[str, Any], mine: dict[str, Any]) -> str:
    """The names of what differs."""
    if theirs.get("milpcount_resume") != mine["milpcount_resume"]:
        return "another version of the format"
    other, own = theirs.get("problem", {}), mine["problem"]
    return ", ".join(k for k in own if other.get(k) != own[k]) or "unknown fields"
