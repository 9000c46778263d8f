"""Takes certificates apart and puts them together again, with right checksums."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

HEAD = 54
FIXED = struct.Struct("<8sBQ32sBBBB")


@dataclass
class Step:
    """A step: its code, the place of steps 4 to 7, the terms of 6 to 8, the point of 0 to 2."""

    code: int
    place: int = 0
    size: int = 1
    terms: list[list[int]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


@dataclass
class Certificate:
    """The parts of the file; ``segments`` are pairs of packed nodes and steps."""

    fixed: list[object]
    domain: bytes
    segments: list[tuple[list[bytes], list[Step]]]

    def write(self, path: Path) -> None:
        data = FIXED.pack(*self.fixed) + _pack(self.domain)
        for nodes, steps in self.segments:
            raw = varint(len(nodes)) + b"".join(nodes) + b"".join(map(encode, steps))
            data += _pack(raw)
        data += bytes(4)
        path.write_bytes(data + hashlib.sha256(data).digest())

    @property
    def steps(self) -> list[Step]:
        """Those of the first segment."""
        return self.segments[0][1]


def _pack(raw: bytes) -> bytes:
    packed = zlib.compress(raw)
    return struct.pack("<II", len(packed), len(raw)) + packed


def varint(v: int) -> bytes:
    out = b""
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def zigzag(v: int) -> bytes:
    return varint(2 * v if v >= 0 else -2 * v - 1)


def encode(step: Step) -> bytes:
    out = bytes([step.code])
    if step.code == 0:
        return out + bytes([step.size]) + b"".join(
            k.to_bytes(step.size, "little") for k in step.numbers
        )  # fmt: skip
    if step.code == 1:
        return out + b"".join(map(zigzag, step.numbers))
    if step.code == 2:
        return out + varint(step.numbers[0]) + b"".join(map(zigzag, step.numbers[1:]))
    if 4 <= step.code <= 7:
        out += varint(step.place)
    if 6 <= step.code <= 8:
        out += varint(len(step.terms))
        if step.terms:
            out += varint(step.size)
            for row, e, m in step.terms:
                out += varint(row) + zigzag(e) + m.to_bytes(step.size, "little")
    return out


def read(path: Path, coordinates: int, first_width: int, units: int) -> Certificate:
    """Take a certificate apart, with no code of the package."""
    data = path.read_bytes()
    fixed = list(FIXED.unpack(data[: FIXED.size]))
    at = FIXED.size
    parts = []
    while int.from_bytes(data[at : at + 4], "little"):
        length = int.from_bytes(data[at : at + 4], "little")
        parts.append(zlib.decompress(data[at + 8 : at + 8 + length]))
        at += 8 + length
    assert len(data) == at + 36
    return Certificate(
        fixed, parts[0], [_segment(raw, coordinates, first_width, units) for raw in parts[1:]]
    )


def _segment(
    raw: bytes, coordinates: int, first_width: int, units: int
) -> tuple[list[bytes], list[Step]]:
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = raw[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed() -> int:
        v = number()
        return -(v + 1) // 2 if v % 2 else v // 2

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        return raw[at - size : at]

    nodes = [take((units + 3) // 4) for _ in range(number())]
    steps = []
    while at < len(raw):
        step = Step(take(1)[0])
        if step.code == 0:
            step.size = take(1)[0]
            step.numbers = [int.from_bytes(take(step.size), "little") for _ in range(coordinates)]
        elif step.code == 1:
            step.numbers = [signed() for _ in range(first_width + 1)]
        elif step.code == 2:
            step.numbers = [number(), *(signed() for _ in range(coordinates))]
        if 4 <= step.code <= 7:
            step.place = number()
        if 6 <= step.code <= 8:
            count = number()
            step.size = number() if count else 1
            step.terms = [
                [number(), signed(), int.from_bytes(take(step.size), "little")]
                for _ in range(count)
            ]
        steps.append(step)
    return nodes, steps
