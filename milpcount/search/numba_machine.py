"""The compiled tree search with its memory: built from a frame, run in portions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.matrix import dense
from milpcount.core.stage import Stage
from milpcount.core.units import UnitIndex
from milpcount.search.compiled import codes, node
from milpcount.search.compiled import tree as compiled
from milpcount.search.compiled.cells import Cells
from milpcount.search.compiled.jit import compiling
from milpcount.search.compiled.node import Net, State
from milpcount.search.compiled.segments import POINTS, SLOTS, Segments
from milpcount.search.compiled.zonotope import Zonotope
from milpcount.search.frames.frame import Frame

__all__ = ["Machine", "Search", "compiled_net", "copy_memory", "zonotope_memory"]

_SLOTS = 24  # at first; doubled when the search goes deeper
_MARKS = 96  # vertices whose signs are remembered
_TAPE = 1 << 15  # bytes of a certificate handed over at once
_BUFFER = 2_000_000  # numbers in the points of leaves handed over at once


def compiled_net(frame: Frame, stages: Sequence[Stage], closed: bool) -> Net:
    """What compiled searches read; of the first stage only the width and the slopes are used."""
    widths = np.array([stage.width for stage in stages], dtype=np.int64)
    # What a stage reads of the one before, laid out unit by unit of that one; then the older ones.
    before = [np.zeros(0)]
    skips: list[tuple[int, NDArray[np.float64]]] = []
    skip_begin = [0, 0]
    for k, stage in enumerate(stages[1:], 1):
        reads = {s - 1: dense(w) for s, w in zip(stage.reads, stage.weights, strict=True)}
        nearest = reads.pop(k - 1, None)
        if nearest is None:
            nearest = np.zeros((stage.width, stages[k - 1].width))
        before.append(np.ascontiguousarray(nearest.T).ravel())
        skips += [(s, np.ascontiguousarray(w.T).ravel()) for s, w in reads.items()]
        skip_begin.append(len(skips))
    reads_of = [sum(w.shape[1] for w in stage.weights) for stage in stages[1:]]
    return Net(
        n=frame.n,
        widths=widths,
        starts=np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(np.int64),
        layer_of=np.repeat(np.arange(len(stages)), widths).astype(np.int64),
        first=np.ascontiguousarray(frame.first),
        one=np.ascontiguousarray(frame.one),
        domain=np.ascontiguousarray(frame.domain),
        weights=np.concatenate(before),
        offsets=np.cumsum([0, *(w.size for w in before)])[: len(stages)].astype(np.int64),
        biases=np.concatenate([stage.bias for stage in stages]),
        slopes=np.concatenate([stage.slope for stage in stages]),
        terms=np.array([0, *reads_of], dtype=np.int64),
        skip_begin=np.array(skip_begin, dtype=np.int64),
        skip_source=np.array([s for s, _ in skips], dtype=np.int64),
        skip_offset=np.cumsum([0, *(w.size for _, w in skips)])[: len(skips)].astype(np.int64),
        skip_weights=np.concatenate([np.zeros(0), *(w for _, w in skips)]),
        closed=closed,
        walls=bool(frame.signs),
    )


def zonotope_memory(frame: Frame, net: Net) -> Zonotope:
    """What the check of leaves works on; empty where the cube is no relaxation."""
    v = np.zeros((0, 0)) if frame.generators is None else np.ascontiguousarray(frame.generators)
    rows = int(net.widths.sum()) + net.domain.shape[1]
    n, many = v.shape
    unit = np.argmax(frame.first[:n] > 0, axis=1).astype(np.int64) if n else np.zeros(0, np.int64)
    return Zonotope(
        v=v,
        blur=2.0 * (2 * many + 24) * 2.0**-53,  # twice gamma(many + 4)
        gram=v @ v.T,
        rows=np.zeros((rows, net.n + 1)),
        errors=np.zeros(rows),
        length=np.zeros(rows),
        normal=np.zeros((rows, n)),
        single=np.zeros(rows, dtype=np.int64),
        u=np.zeros(many),
        image=np.zeros(net.n),
        columns=np.ascontiguousarray(v.T),
        side=np.zeros(many),
        now=np.zeros(many),
        free=v @ v.T,
        fixed=np.zeros(n),
        rounds=np.zeros(2, dtype=np.int64),
        product=np.zeros((rows, n)),
        kernel=np.zeros((rows, rows)),
        right=np.zeros(rows),
        shift=np.zeros(n),
        multipliers=np.zeros(rows),
        trial=np.zeros(rows),
        factor=np.zeros((rows, rows)),
        passive=np.zeros(rows, dtype=np.int64),
        active=np.zeros(rows, dtype=np.bool_),
        names=np.zeros(rows, dtype=np.int64),
        was_active=np.zeros(rows, dtype=np.bool_),
        steps=np.zeros((net.n, net.n + 1)),
        across=np.zeros((n, many)),
        scaled=np.zeros((n, many)),
        room=np.zeros((3, many)),
        inverse=np.zeros((net.n, net.n)),
        reach=np.array([frame.first[c, u] for c, u in enumerate(unit)], dtype=np.float64),
        unit=unit,
    )


def segments_memory(net: Net, zono: Zonotope) -> Segments:
    """What :mod:`.compiled.segments` works on; empty where the search does without."""
    widest = int(net.widths.max())
    # The last stage has to be a function of the one before it.
    alone = len(net.widths) > 1 and net.skip_begin[-1] == net.skip_begin[-2]
    used = bool(alone) and zono.v.shape[0] > 0 and int(net.widths[-2:].max()) <= 64
    points = POINTS + 1 if used else 0
    return Segments(
        numbers=np.zeros(3, np.int64),
        at=np.zeros((widest if used else 0, points)),
        blur=np.zeros(widest),
        reach=np.zeros(widest),
        doubt=np.zeros((2, widest)),
        patterns=np.zeros((SLOTS if used else 1, 3), np.uint64),
        stops=np.zeros(widest),
        units=np.zeros(widest, np.int64),
        crossings=np.zeros(widest),
        here=np.zeros(widest),
        there=np.zeros(widest),
        table=np.zeros((2 * widest + 2, points)),
        values=np.zeros(2 * widest + 2),
        basic=np.zeros(2 * widest + 2, np.int64),
        nonbasic=np.zeros(points, np.int64),
    )


def copy_memory(old: State | Cells, new: State | Cells, per_slot: frozenset[str]) -> None:
    """Copy what the search remembers into more room; ``per_slot`` names what has one entry a slot.

    Arrays of both are named alike.
    """
    for name in old._fields:
        before: NDArray[Any] = getattr(old, name)
        after: NDArray[Any] = getattr(new, name)
        if name in per_slot:
            after[: before.shape[0]] = before
        else:
            after[...] = before


class Search:
    """What both machines tell of their searches."""

    net: Net
    index: UnitIndex
    state: State | Cells
    _taken = 0

    @property
    def regions(self) -> int:
        """Regions counted so far."""
        return int(self.state.registers[codes.REGIONS])

    def take_count(self) -> int:
        """Regions found since the last call."""
        count, self._taken = self.regions - self._taken, self.regions
        return count

    def take_leaves(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Patterns and points of the leaves found since the last call."""
        count = int(self.state.registers[codes.LEAVES])
        self.state.registers[codes.LEAVES] = 0
        bits = self.index.states(self.state.leaf_signs[:count])
        return bits, self.state.leaf_points[:count].copy()

    def open_share(self) -> float:
        """Part of the tree that is still to be searched; every branching halves it."""
        top = int(self.state.registers[codes.SLOT])
        return float(self.state.share[: top + 1].sum())

    def pop_node(self) -> NDArray[np.int8]:
        """Take the present node out of the search, as a prefix of signs."""
        slot = int(self.state.registers[codes.SLOT])
        self.state.registers[codes.SLOT] = slot - 1
        return self.open_node(slot)

    def open_nodes(self) -> list[tuple[NDArray[np.int8], float]]:
        """All nodes that are still to be searched, with their shares; they are disjoint."""
        slots = range(int(self.state.registers[codes.SLOT]) + 1)
        return [(self.open_node(d), float(self.state.share[d])) for d in slots]

    def open_node(self, slot: int) -> NDArray[np.int8]:
        """The node that waits in a slot, as a prefix of signs."""
        signs: NDArray[np.int8] = self.state.sign[slot].copy()
        return signs


class Machine(Search):
    """One depth-first search over a frame.

    Attributes:
        net, state: what the compiled code reads and writes.
        index: where its units stand.
    """

    def __init__(
        self,
        frame: Frame,
        stages: Sequence[Stage],
        closed: bool,
        emit: bool,
        record: bool = False,
    ) -> None:
        """Set up the root.

        Arguments:
            frame: coordinates and forms of the first layer.
            stages: the counted stages; of the first only the width and the slopes are used.
            closed: whether inactive sides include their boundary (definition ``nonempty``).
            emit: whether leaves are kept for :meth:`take_leaves` or only counted.
            record: whether the steps of a certificate are kept for :meth:`take_steps`.
        """
        self._emit, self._record = emit, record
        self.net, self.index = compiled_net(frame, stages, closed), UnitIndex.of(stages)
        self._zono = zonotope_memory(frame, self.net)
        self._segments = segments_memory(self.net, self._zono)
        self._point_size = frame.point_size
        self.state: State = self._memory(_SLOTS)

    def _memory(self, slots: int) -> State:
        net = self.net
        n, n_units, cuts = net.n, int(net.widths.sum()), net.domain.shape[1]
        rows = n + n_units + cuts
        widest = int(net.widths.max())
        leaves = max(16, min(4096, _BUFFER // max(self._point_size, 1))) if self._emit else 1

        # What one step of the search writes at most.
        slack = 64 + (widest + 1) * (16 + 13 * n) + 13 * rows if self._record else 0
        registers = np.zeros(codes.REGISTERS, np.int64)
        registers[codes.TAPE_SLACK] = slack
        index = np.int64
        return State(
            table=np.zeros((slots, n + 1, rows)),
            kind=np.zeros((slots, rows), np.uint8),
            rowvar=np.zeros((slots, rows), index),
            colvar=np.zeros((slots, n), index),
            flip=np.zeros((slots, n), np.bool_),
            m=np.zeros(slots, index),
            sign=np.zeros((slots, n_units), np.int8),
            layer=np.zeros(slots, index),
            stage=np.zeros(slots, index),
            partial=np.zeros((slots, n + 2, widest)),
            share=np.zeros(slots),
            unit=np.zeros(slots, index),
            side=np.zeros(slots, index),
            forms=np.zeros((len(net.widths), n + 2, widest)),
            scale=np.zeros(n_units + cuts),
            seen=np.zeros(rows, np.uint8),
            marks=np.zeros((slots, _MARKS, 2), np.uint64),
            marked=np.zeros(slots, index),
            z=np.zeros(n),
            total=np.zeros(n + 1),
            registers=registers,
            counters=np.zeros(9, index),
            joint=np.zeros((64, 2), index),
            leaf_signs=np.zeros((leaves, n_units), np.int8),
            leaf_points=np.zeros((leaves, self._point_size)),
            tape=np.zeros(slack + _TAPE if self._record else 0, np.uint8),
        )

    def start(self, signs: NDArray[np.int8], share: float = 1.0) -> bool:
        """Begin at the node with these signs; False if floats cannot find it.

        Arguments:
            signs: one a unit, 0 for undecided; those of complete layers and of one more.
            share: of the whole tree, below this node.
        """
        self.state.sign[0] = signs
        self.state.share[0] = share
        with compiling("start"):
            return bool(node.start(self.net, self.state))

    def run(self, steps: int, most: int | None = None) -> int:
        """Search on for so many steps, until about ``most`` regions more are found.

        See :func:`milpcount.search.compiled.tree.run` for what is returned.
        """
        limit = np.iinfo(np.int64).max if most is None else self.regions + most
        while True:
            with compiling("tree"):
                code = int(
                    compiled.run(
                        self.net, self.state, self._zono, self._segments, steps, limit, self._emit
                    )
                )
            if code != codes.GROW:
                return code
            self._grow()

    def _grow(self) -> None:
        new = self._memory(2 * self.state.table.shape[0])
        copy_memory(self.state, new, _PER_SLOT)
        self.state = new

    def doubt(self) -> NDArray[np.int8]:
        """The side in doubt, as a prefix of signs."""
        reg = self.state.registers
        unit, sign = int(reg[codes.DOUBT_UNIT]), int(reg[codes.DOUBT_SIGN])
        signs: NDArray[np.int8] = self.state.sign[int(reg[codes.SLOT])].copy()
        signs[unit] = sign
        return signs

    def take_steps(self) -> bytes:
        """The steps of the certificate since the last call."""
        count = int(self.state.registers[codes.TAPE])
        self.state.registers[codes.TAPE] = 0
        return self.state.tape[:count].tobytes()

    def answer(self, verdict: int) -> None:
        """Give the verdict on the side in doubt."""
        self.state.registers[codes.VERDICT] = verdict

    def open_node(self, slot: int) -> NDArray[np.int8]:
        """The node that waits in a slot, on the side to come back for."""
        signs = super().open_node(slot)
        reg = self.state.registers
        if self.state.stage[slot] == node.COME_BACK:
            signs[self.state.unit[slot]] = self.state.side[slot]
        elif slot == reg[codes.SLOT] and reg[codes.VERDICT] != codes.OPEN:
            # One side is done with: what is open is the other.
            other = -int(reg[codes.DOUBT_SIGN])
            settled = reg[codes.VERDICT] == codes.SETTLED
            signs[int(reg[codes.DOUBT_UNIT])] = other if settled else 2 * other
        return signs

    def statistics(self) -> dict[str, int]:
        """Counters, by name."""
        c = self.state.counters
        return {
            "pivots": int(c[node.PIVOTS]),
            "nodes": int(c[node.NODES]),
            "decided_by_range": int(c[node.BY_RANGE]),
            "decided_by_multipliers": int(c[node.BY_MULTIPLIERS]),
            "decided_by_point": int(c[node.BY_POINT]),
            "regions_without_branching": int(c[node.JOINTLY]),
            "regions_on_segments": int(c[node.ON_SEGMENTS]),
            "regions_in_hulls": int(c[node.IN_HULLS]),
            "cells_outside_the_zonotope": int(c[node.SEPARATED]),
            "rounds_of_the_zonotope_check": int(self._zono.rounds[1]),
        }


_PER_SLOT = frozenset(
    (
        "table", "kind", "rowvar", "colvar", "flip", "m", "sign", "layer", "stage", "partial",
        "share", "unit", "side", "marks", "marked",
    )
)  # fmt: skip
