"""A second checker of certificates, written from the description in milpcount/proof/format.py.

Nothing of milpcount is imported.  Plain and slow: every number is a Fraction, every sign of a point
is found by running the network forward from the input, and every row is computed anew.  The test
oracle of the first one.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

F = Fraction
OPEN, ACTIVE, INACTIVE, LINEAR = 0, 1, 2, 3


class RefusedError(Exception):
    """The certificate proves nothing."""


def require(condition: object, why: str) -> None:
    if not condition:
        raise RefusedError(why)


class Bytes:
    """A place in bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def ended(self) -> bool:
        return self.at == len(self.data)

    def take(self, size: int) -> bytes:
        require(self.at + size <= len(self.data), "too short")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return sum(b << (8 * k) for k, b in enumerate(self.take(size)))

    def floats(self, count: int) -> list[float]:
        return list(struct.unpack(f"<{count}d", self.take(8 * count)))

    def table(self, rows: int, columns: int) -> list[list[F]]:
        return [[F(v) for v in self.floats(columns)] for _ in range(rows)]

    def varint(self) -> int:
        value, factor = 0, 1
        while True:
            byte = self.number(1)
            value += byte % 128 * factor
            if byte < 128:
                return value
            factor *= 128

    def zigzag(self) -> int:
        v = self.varint()
        return -(v + 1) // 2 if v % 2 else v // 2

    def packed(self) -> Bytes | None:
        length = self.number(4)
        if length == 0:
            return None
        size = self.number(4)
        try:
            raw = zlib.decompress(self.take(length))
        except zlib.error as error:
            raise RefusedError(str(error)) from None
        require(len(raw) == size <= 2**28, "size of a part")
        return Bytes(raw)


class Stage:
    """Weights by what they read, biases and slopes as Fractions; which units are linear."""

    def __init__(self, reads: dict[int, Any], bias: Any, slope: Any, linear: Any) -> None:
        self.reads = {k: [[F(v) for v in row] for row in w.tolist()] for k, w in reads.items()}
        self.bias, self.slope = [F(v) for v in bias.tolist()], [F(v) for v in slope.tolist()]
        self.linear = [bool(v) for v in linear.tolist()]

    @property
    def width(self) -> int:
        return len(self.bias)


class Network:
    """Stages, the output among them, and the hash, from an .npz archive.

    Either a chain (W0, b0, slope0, ...) or stages: ``reads``, as "1-0 2-0-1 3-2" (stage, what it
    reads), then ``W1_0``, ``b1``, ``slope1``, ``linear1`` and so on; the last is the output.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = {name: file[name] for name in file
                                      if not name.startswith("meta_")}  # fmt: skip
        if "reads" in arrays:
            self.of_stages(arrays)
        else:
            self.of_chain({name: a.astype("<f8") for name, a in arrays.items()})

    def of_chain(self, arrays: dict[str, Any]) -> None:
        depth = sum(name.startswith("W") for name in arrays) - 1
        w = [arrays[f"W{k}"] for k in range(depth + 1)]
        b = [arrays[f"b{k}"] for k in range(depth + 1)]
        slopes = [np.zeros(len(b[k])) + arrays.get(f"slope{k}", 0.0) for k in range(depth)]
        sizes = [w[0].shape[1], *map(len, b)]
        text = "milpcount network 1\n" + " ".join(map(str, sizes)) + "\n"
        numbers = b"".join((a + 0.0).astype("<f8").tobytes() for a in (*w, *b, *slopes))
        self.sha256 = hashlib.sha256(text.encode() + numbers).digest()
        self.inputs = sizes[0]
        slopes.append(np.zeros(sizes[-1]))
        self.stages = [
            Stage({k: w[k]}, b[k], slopes[k], np.zeros(len(b[k]))) for k in range(depth + 1)
        ]

    def of_stages(self, arrays: dict[str, Any]) -> None:
        names = [[int(v) for v in name.split("-")] for name in str(arrays["reads"]).split()]
        self.inputs = arrays["W1_0"].shape[1]
        self.stages = []
        data = f"milpcount network 2\n{self.inputs} {len(names) - 1}\n".encode()
        for k, *reads in names:
            weights = {s: arrays[f"W{k}_{s}"] for s in reads}
            bias, slope, linear = (arrays[f"{what}{k}"] for what in ("b", "slope", "linear"))
            data += f"stage {len(bias)} reads {' '.join(map(str, reads))}\n".encode()
            data += bytes(int(v) for v in linear)
            data += struct.pack(f"<{2 * len(bias)}d", *(v + 0.0 for v in (*slope, *bias)))
            for w in weights.values():
                entries = [(i, j, v) for i, row in enumerate(w) for j, v in enumerate(row) if v]
                data += struct.pack("<Q", len(entries))
                for part, code in zip(zip(*entries, strict=True), "QQd", strict=False):
                    data += struct.pack(f"<{len(entries)}{code}", *part)
            self.stages.append(Stage(weights, bias, slope, linear))
        self.sha256 = hashlib.sha256(data).digest()

    def counted(self, output: bool) -> list[Stage]:
        if output:
            last = self.stages[-1]
            last.slope, last.linear = [F(0)] * last.width, [False] * last.width
            return self.stages
        hidden = self.stages[:-1]
        while hidden and all(hidden[-1].linear):
            hidden.pop()
        return hidden


class Checker:
    """The check of one file."""

    def __init__(self, path: Path, network: Path) -> None:
        data, net = path.read_bytes(), Network(network)
        require(len(data) > 32 and data[:8] == b"RLUCERT1", "no certificate")
        require(hashlib.sha256(data[:-32]).digest() == data[-32:], "checksum")
        file = Bytes(data[:-32])
        file.take(8)
        self.relation, self.stated = file.number(1), file.number(8)
        require(file.take(32) == net.sha256, "network")
        definition, output, kind, self.base = file.take(4)
        require(max(definition, output, kind, self.base) < 2 and self.relation < 3, "statement")
        self.full, self.is_list = definition == 0, kind == 1
        self.stages = net.counted(bool(output))
        self.linear = [is_linear for stage in self.stages for is_linear in stage.linear]
        domain = file.packed()
        require(domain, "no domain")
        self.read_domain(domain, net.inputs)  # type: ignore[arg-type]
        self.parts: list[Bytes] = []
        while (part := file.packed()) is not None:
            self.parts.append(part)
        require(file.ended, "something follows")

    def read_domain(self, part: Bytes, inputs: int) -> None:
        kind, n = part.number(1), part.number(4)
        require(n == inputs and kind < 3, "another domain")
        rows: list[list[F]] = []
        inf = float("inf")
        if kind == 0:
            lo, hi = part.floats(n), part.floats(n)
        elif kind == 1:
            m = part.number(4)
            a, c = part.table(m, n), part.table(1, m)[0]
            for normal, bound in zip(a, c, strict=True):
                row = [*(-v for v in normal), bound]
                factor = 1
                while any((factor * v).denominator > 1 for v in row):
                    factor *= 2
                rows.append([factor * v for v in row])
            lo, hi = [-inf] * n, [inf] * n
            if part.number(1):
                lo, hi = part.floats(n), part.floats(n)
                require(all(-inf < p < q < inf for p, q in zip(lo, hi, strict=True)), "the box")
                for j in range(n):
                    for end, sign in ((lo[j], -1), (hi[j], 1)):
                        weights = [part.varint() for _ in range(m + 1)]
                        beyond = [F(0)] * (n + 1)
                        beyond[j], beyond[n] = F(sign), -sign * F(end)
                        total = combine(weights, [*rows, beyond], n + 1)
                        proved = weights[-1] > 0 and not any(total[:-1]) and total[-1] <= 0
                        require(proved, "the box around the polytope")
        else:
            k = part.number(4)
            points = part.table(k + 1, n)
            steps = [[q - p for p, q in zip(points[0], point, strict=True)] for point in points[1:]]
            if self.stages:
                first = self.stages[0]
                pairs = list(zip(first.reads[0], first.bias, strict=True))
                first.reads = {0: [[dot(w, s) for s in steps] for w, _ in pairs]}
                first.bias = [dot(w, points[0]) + c for w, c in pairs]
            lo, hi = part.floats(k), part.floats(k)
        require(part.ended, "something follows the domain")
        require(all(p <= q and p < inf and q > -inf for p, q in zip(lo, hi, strict=True)), "empty")
        top = self.stages[:1]
        forms = [[*w, c] for s in top for w, c in zip(s.reads[0], s.bias, strict=True)]
        moved = self.place([*forms, *rows], lo, hi)
        self.first, self.domain = moved[: len(forms)], moved[len(forms) :]

    def place(self, rows: list[list[F]], lo: list[float], hi: list[float]) -> list[list[F]]:
        """Rows on the inputs as rows on the coordinates, whose ends are kept."""
        self.ends: list[tuple[F | None, F | None]] = []
        out: list[list[F]] = [[] for _ in rows]
        constants = [row[-1] for row in rows]
        for j, (p, q) in enumerate(zip(lo, hi, strict=True)):
            a, b = (None if abs(v) == float("inf") else F(v) for v in (p, q))
            origin = a if a is not None else b if b is not None else F(0)
            length = b - a if a is not None and b is not None else F(1)
            constants = [c + row[j] * origin for c, row in zip(constants, rows, strict=True)]
            if p == q or not any(row[j] for row in rows):
                continue
            for target, row in zip(out, rows, strict=True):
                target.append(row[j] * length)
            self.ends.append(
                (None if a is None else F(0),
                 None if b is None else F(1) if a is not None else F(0))
            )  # fmt: skip
        return [[*row, c] for row, c in zip(out, constants, strict=True)]

    def pattern(self, z: list[F]) -> list[int]:
        """The signs at a point that is fit to be a witness."""
        for row in self.domain:
            value = dot(row, z) + row[-1]
            require(value > 0 or (value == 0 and not (self.full and any(row))), "outside")
        signs: list[int] = []
        zeros = []
        outputs: list[list[F]] = [[]]  # of the input, which the first stage alone reads
        for k, stage in enumerate(self.stages):
            if k == 0:
                values = [dot(row, z) + row[-1] for row in self.first]
            else:
                values = list(stage.bias)
                for source, weights in stage.reads.items():
                    values = [v + dot(w, outputs[source])
                              for v, w in zip(values, weights, strict=True)]  # fmt: skip
            for v, is_linear in zip(values, stage.linear, strict=True):
                if v == 0 and not is_linear:
                    zeros.append(len(signs))
                signs.append(LINEAR if is_linear else ACTIVE if v > 0 else INACTIVE)
            pairs = zip(values, stage.slope, strict=True)
            outputs.append([v if v > 0 else s * v for v, s in pairs])
        for unit in zeros if self.full else ():
            require(not any(self.preactivation(unit, signs)), "a unit is 0 at a point")
        return signs

    def preactivation(self, unit: int, signs: list[int]) -> list[F]:
        """As a function of the coordinates, where the units before have these signs."""
        start, outputs, width = 0, [list[list[F]]()], len(self.ends) + 1
        for k, stage in enumerate(self.stages):
            rows = self.first
            if k:
                rows = [[*[F(0)] * (width - 1), c] for c in stage.bias]
                for source, weights in stage.reads.items():
                    more = [combine(w, outputs[source], width) for w in weights]
                    rows = [combine([1, 1], pair, width) for pair in zip(rows, more, strict=True)]
            if unit < start + stage.width:
                return rows[unit - start]
            outputs.append([])
            for i, row in enumerate(rows):
                sign = signs[start + i]
                require(sign != OPEN, "a unit of an earlier stage is open")
                factor = F(1) if sign == ACTIVE else stage.slope[i]
                outputs[-1].append([factor * v for v in row])
            start += stage.width
        raise RefusedError("no such unit")

    def contradiction(self, part: Bytes, signs: list[int], own: int | None) -> None:
        """Read a sum and require that it proves what it should."""
        terms = [] if own is None else [(len(self.domain) + own, F(1))]
        count = part.varint()
        size = part.varint() if count else 0
        for _ in range(count):
            number, e, m = part.varint(), part.zigzag(), part.number(size)
            require(m > 0 and abs(e) <= 2**16 and size <= 2**16, "a weight")
            terms.append((number, F(2) ** e * m))
        rows, decides = [], False
        for number, _ in terms:
            unit = number - len(self.domain)
            if unit < 0:
                row = self.domain[number]
            else:
                require(unit < len(signs), "no such row")
                require(signs[unit] in (ACTIVE, INACTIVE), "a row of a unit without a sign")
                row = self.preactivation(unit, signs)
                if signs[unit] == INACTIVE:
                    row = [-v for v in row]
                decides = decides or signs[unit] == ACTIVE
            decides = decides or (self.full and any(row))
            rows.append(row)
        require(terms, "an empty sum")
        total = combine([w for _, w in terms], rows, len(self.ends) + 1)
        top = total[-1]
        for c, (a, b) in zip(total, self.ends, strict=False):
            if c:
                end = b if c > 0 else a
                require(end is not None, "a sum without bound")
                top += c * end  # type: ignore[operator]
        require(top < 0 or (top == 0 and decides), "a sum proves nothing")

    def point(self, part: Bytes, step: int) -> list[F]:
        n = len(self.ends)
        if step == 2:
            d = part.varint()
            require(d > 0, "no denominator")
            z = [F(part.zigzag(), d) for _ in range(n)]
            for v, (a, b) in zip(z, self.ends, strict=True):
                require((a is None or v >= a) and (b is None or v <= b), "outside of the box")
            return z
        require(not any(None in pair for pair in self.ends), "a point of a bounded box")
        if step == 0:
            q = part.number(1)
            require(q > 0, "no bytes")
            return [F(2 * part.number(q) + 1, 2 ** (8 * q + 1)) for _ in range(n)]
        e = part.zigzag()
        require(abs(e) <= 2**16, "exponent")
        moved = combine([part.zigzag() * F(2) ** -e for _ in self.first], self.first, n + 1)
        return [min(max(F(1, 2) + v, F(0)), F(1)) for v in moved[:-1]]

    def check(self) -> tuple[str, int, int]:
        """Relation, the number stated, and the regions proved."""
        if self.base:
            bounded = not any(None in pair for pair in self.ends)
            require(self.stages and not self.domain and bounded, "base 1")
        widths = [stage.width for stage in self.stages]
        units = sum(widths)
        root = [LINEAR if is_linear else OPEN for is_linear in self.linear]
        open_nodes, found, unproved = [root], 0, 0
        patterns: set[tuple[int, ...]] = set()
        for part in self.parts:
            opens = part.varint()
            require(opens <= len(part.data) and not (self.is_list and opens), "nodes")
            stack = []
            for _ in range(opens):
                packed = part.take((units + 3) // 4)
                signs = [packed[k // 4] >> (2 * (k % 4)) & 3 for k in range(4 * len(packed))]
                require(not any(signs[units:]), "bits left over")
                require(signs[:units] in open_nodes, "a node that is not open")
                open_nodes.remove(signs[:units])
                stack.append(signs[:units])
            while not part.ended:
                step = part.number(1)
                if self.is_list:
                    require(step < 3, "a step in a list")
                    patterns.add(tuple(self.pattern(self.point(part, step))))
                    found += 1
                    continue
                require(stack and step < 9, "a step")
                node = stack.pop()
                if step < 3:
                    require(self.pattern(self.point(part, step)) == node, "other signs")
                    found += 1
                elif step == 3:
                    require(OPEN not in node, "an open unit")
                    unproved += 1
                elif step == 8:
                    self.contradiction(part, node, None)
                else:
                    require(OPEN in node, "no open unit")
                    place, start, layer = part.varint(), 0, 0
                    while OPEN not in node[start : start + widths[layer]]:
                        start, layer = start + widths[layer], layer + 1
                    require(place < widths[layer] and node[start + place] == OPEN, "place")
                    tried = ACTIVE if step in (4, 6) else INACTIVE
                    one, other = list(node), list(node)
                    one[start + place], other[start + place] = tried, ACTIVE + INACTIVE - tried
                    stack.append(other)
                    if step < 6:
                        stack.append(one)
                    else:
                        self.contradiction(part, one, start + place)
            open_nodes += stack
        require(not self.is_list or len(patterns) == found, "a pattern twice")
        require(self.relation == 2 or found >= self.stated, "too few regions")
        if self.relation != 1:
            require(not open_nodes and found + unproved <= self.stated, "more may be there")
        return ("==", ">=", "<=")[self.relation], self.stated, found


def dot(row: list[F], vector: list[F]) -> F:
    """Of as many entries as the vector has."""
    return sum((a * b for a, b in zip(row, vector, strict=False)), F(0))


def combine(weights: list[Any], rows: Any, width: int) -> list[F]:
    """The sum of the rows, each times its weight."""
    total = [F(0)] * width
    for w, row in zip(weights, rows, strict=True):
        if w:
            total = [t + w * v for t, v in zip(total, row, strict=True)]
    return total


def check(certificate: Path, network: Path) -> tuple[str, int, int]:
    """Relation, number stated, regions proved; or RefusedError."""
    return Checker(certificate, network).check()
