"""The certificate file while it is written: header, domain, segments, checksum."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box, Polytope
from milpcount.core.point import scaled_integers
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.errors import InputError, InvariantError, UnsupportedError
from milpcount.exact.feasibility import Row, decide
from milpcount.exact.forms import domain_rows, exact_box
from milpcount.proof.limits import beyond
from milpcount.search.frames.problem_frames import searches_image
from milpcount.search.recording import encode
from milpcount.support.regular_files import require_writable, writing

__all__ = ["CertificateWriter"]

_FIXED = struct.Struct("<8sBQ32sBBBB")
_RELATIONS = {"==": 0, ">=": 1, "<=": 2}
_LEVEL = 6  # of zlib


class CertificateWriter:
    """Writes to a temporary name beside the file, and renames it when all is written.

    Used as a context manager: left by an exception, nothing remains.  All methods raise OutputError
    when the system does not take what they write.
    """

    def __init__(self, path: Path, problem: CountProblem) -> None:
        """Begin the file.

        Raises:
            InputError: the file cannot be written.
            UnsupportedError: no certificate of this problem would be read.
        """
        self._path, self._problem = path, problem
        require_writable(path)
        _require_readable(problem)
        self._temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
        self.reduced = False
        self.is_list = False
        try:
            # Read back for its checksum.
            self._file = self._temporary.open("w+b")
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror})") from None
        self._begun = False
        self.regions = 0

    def __enter__(self) -> CertificateWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # of what could not be written its writer has told
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def begin(self, around: Box | None = None, reduced: bool = False) -> None:
        """Write the domain; before the first segment.

        Arguments:
            around: of a bounded polytope: a box in which it lies.
            reduced: whether sums are bounded over the pre-activations of the first layer.
        """
        if self._begun:
            raise InvariantError("a certificate was begun twice")
        self._begun = True
        self.reduced = reduced
        with self._writing():
            self._file.write(self._fixed(">=", 0))
        self._pack(self._domain(around))

    def segment(self, nodes: Sequence[NDArray[np.int8]], steps: bytes, regions: int) -> None:
        """Write a segment.

        Arguments:
            nodes: that it opens, the last one first to be searched; one sign a unit.
            steps: the steps, encoded.
            regions: how many of them are regions.
        """
        if not self._begun:
            self.begin()
        self.regions += regions
        opened = b"".join(encode.node(signs, self._problem.index.linear) for signs in nodes)
        self._pack(encode.varint(len(nodes)) + opened + steps)

    def finish(self, relation: str) -> None:
        """State that the count is ``relation`` the number of regions written; end the file."""
        if not self._begun:
            self.begin()
        with self._writing():
            self._file.write(bytes(4))
            self._file.seek(0)
            self._file.write(self._fixed(relation, self.regions))
            self._file.seek(0)
            digest = hashlib.sha256()
            while part := self._file.read(1 << 20):
                digest.update(part)
            self._file.write(digest.digest())
            self._file.close()
            self._temporary.replace(self._path)

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self._path, "what was there before is untouched: make room and count again")

    def _fixed(self, relation: str, count: int) -> bytes:
        problem = self._problem
        return _FIXED.pack(
            b"RLUCERT1",
            _RELATIONS[relation],
            count,
            bytes.fromhex(problem.network.sha256),
            int(problem.definition is Definition.NONEMPTY),
            int(problem.with_output),
            int(self.is_list),
            int(self.reduced),
        )

    def _pack(self, data: bytes) -> None:
        packed = zlib.compress(data, _LEVEL)
        with self._writing():
            self._file.write(struct.pack("<II", len(packed), len(data)))
            self._file.write(packed)

    def _domain(self, around: Box | None) -> bytes:
        problem = self._problem
        if problem.slice is not None:
            cut = problem.slice
            head = struct.pack("<BII", 2, cut.input_dimension, cut.dimension)
            return head + _doubles(cut.points, cut.lo, cut.hi)
        if isinstance(problem.domain, Box):
            box = problem.domain
            return struct.pack("<BI", 0, problem.dimension) + _doubles(box.lo, box.hi)
        body = struct.pack("<BII", 1, problem.dimension, len(problem.domain.c))
        body += _doubles(problem.domain.A, problem.domain.c)
        if around is None:
            return body + b"\x00"
        body += b"\x01" + _doubles(around.lo, around.hi)
        return body + b"".join(encode.varint(w) for w in _weights(problem, around))


def _require_readable(problem: CountProblem) -> None:
    """Refuse before counting what nobody could verify.

    Raises:
        UnsupportedError: it is beyond the limits of :mod:`milpcount.proof.limits`.
    """
    # Of its size alone: a network that is too wide takes long to prepare.
    vary = int((problem.box.lo < problem.box.hi).sum())
    too_much = beyond(
        problem.domain if problem.slice is None else problem.slice,
        not problem.box.is_bounded,
        problem.stages,
        problem.widths[0] if searches_image(problem) else vary,
    )
    if too_much is not None:
        raise UnsupportedError(
            f"no certificate can be checked of {too_much}; count without a certificate"
        )


def _doubles(*arrays: NDArray[np.float64]) -> bytes:
    return b"".join(np.ascontiguousarray(a, dtype="<f8").tobytes() for a in arrays)


def _weights(problem: CountProblem, around: Box) -> list[int]:
    """For every end of the box the weights that prove that the polytope does not pass it."""
    assert isinstance(problem.domain, Polytope)
    rows, n = list(domain_rows(problem)), problem.dimension
    everywhere = exact_box(problem)
    out: list[int] = []
    for j in range(n):
        for end, sign in ((around.lo[j], -1), (around.hi[j], 1)):
            (value,), shift = scaled_integers(np.array([end]))
            row = [0] * (n + 1)
            row[j], row[n] = sign << shift, -sign * value
            decision = decide([*rows, Row(tuple(row), True)], everywhere)
            if decision.multipliers is None:
                raise InvariantError("a polytope passes the box around it")
            *weights, own = decision.multipliers
            # The rows stand for themselves; the last is 2**shift times the one of the format.
            out += [*weights, own << shift]
    return out
