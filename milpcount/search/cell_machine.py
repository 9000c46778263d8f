"""The compiled subdivision with its memory: built from a frame, run in portions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from milpcount.core.stage import Stage
from milpcount.core.units import UnitIndex
from milpcount.exact.forms import ExactStage
from milpcount.search.compiled import cells as cells_kernel
from milpcount.search.compiled import clipping as compiled
from milpcount.search.compiled import codes
from milpcount.search.compiled.cells import Cells
from milpcount.search.compiled.jit import compiling
from milpcount.search.exact_cell import ExactCells
from milpcount.search.frames.frame import Frame
from milpcount.search.numba_machine import Search, compiled_net, copy_memory, zonotope_memory

__all__ = ["MAX_DIMENSION", "CellMachine"]

MAX_DIMENSION = 6
_SLOTS = 24  # at first; doubled when the search goes deeper
_BUFFER = 2_000_000  # numbers in the points of leaves handed over at once
_VERTICES = {0: 4, 1: 8, 2: 96, 3: 128, 4: 256, 5: 512, 6: 1024}  # room a cell
_ROUNDOFF = 2.0**-53


class CellMachine(Search):
    """One depth-first subdivision over a frame; methods as of :class:`~.machine.Machine`."""

    def __init__(
        self,
        frame: Frame,
        stages: Sequence[Stage],
        exact: Sequence[ExactStage],
        emit: bool,
    ) -> None:
        """Set up the root; ``exact`` are the stages in the problem's coordinates."""
        self._emit = emit
        self.net, self.index = compiled_net(frame, stages, closed=False), UnitIndex.of(stages)
        self._exact = ExactCells(frame, exact, self.index)
        self._zono = zonotope_memory(frame, self.net)
        self._point_size = frame.point_size
        self.state: Cells = self._memory(_SLOTS)
        self.resolved = 0

    def _memory(self, slots: int) -> Cells:
        net = self.net
        n, n_units, cuts = net.n, int(net.widths.sum()), net.domain.shape[1]
        widest = int(net.widths.max())
        words = (max(widest, cuts) + 63) // 64
        room = _VERTICES[n]
        leaves = max(16, min(4096, _BUFFER // max(self._point_size, 1))) if self._emit else 1
        word, index = np.uint64, np.int64
        return Cells(
            corners=np.zeros(slots, index),
            at=np.zeros((slots, room, n)),
            error=np.zeros((slots, room)),
            facets=np.zeros((slots, room), word),
            pos=np.zeros((slots, room, words), word),
            neg=np.zeros((slots, room, words), word),
            open=np.zeros((slots, room, words), word),
            rows=np.zeros((slots, cells_kernel.MAX_FACETS), index),
            used=np.zeros(slots, word),
            sign=np.zeros((slots, n_units), np.int8),
            layer=np.zeros(slots, index),
            stage=np.zeros(slots, index),
            todo=np.zeros((slots, words), word),
            preset=np.zeros((slots, words), word),
            partial=np.zeros((slots, n + 2, widest)),
            share=np.zeros(slots),
            forms=np.zeros((len(net.widths), n + 2, widest)),
            rate=np.zeros((len(net.widths) + 1, 2, 64 * words)),
            fresh=np.zeros((room, n + 1)),
            fresh_facets=np.zeros(room, word),
            fresh_signs=np.zeros((room, 3, words), word),
            side=np.zeros(room, np.int8),
            z=np.zeros(n),
            values=np.zeros(64 * words),
            registers=np.zeros(codes.REGISTERS, index),
            counters=np.zeros(8, index),
            leaf_signs=np.zeros((leaves, n_units), np.int8),
            leaf_points=np.zeros((leaves, self._point_size)),
        )

    def start(self, signs: NDArray[np.int8], share: float = 1.0) -> bool:
        """Begin at the node with these signs."""
        self.state.sign[0] = signs
        self.state.share[0] = share
        with compiling("subdivision-start"):
            compiled.start(self.net, self.state)
        return True

    def run(self, steps: int, most: int | None = None) -> int:
        """Search on for so many steps, until about ``most`` regions more are found."""
        limit = np.iinfo(np.int64).max if most is None else self.regions + most
        while True:
            with compiling("subdivision"):
                code = int(compiled.run(self.net, self.state, self._zono, steps, limit, self._emit))
            if code == codes.DOUBT_SIGNS:
                self._resolve()
            elif code == codes.GROW:
                self._grow()
            else:
                return code

    def _grow(self) -> None:
        new = self._memory(2 * self.state.corners.shape[0])
        copy_memory(self.state, new, _PER_SLOT)
        self.state = new

    def _resolve(self) -> None:
        """Decide the open signs of the present slot exactly, and place their vertices anew."""
        c = self.state
        d = int(c.registers[codes.SLOT])
        layer = int(c.layer[d])
        signs = c.sign[d].tobytes()
        for v in range(int(c.corners[d])):
            if not c.open[d, v].any():
                continue
            facets = int(c.facets[d, v])
            named = (int(c.rows[d, f]) for f in range(cells_kernel.MAX_FACETS) if facets >> f & 1)
            vertex = self._exact.vertex(signs, named)
            for j, numerator in enumerate(vertex.numerators):
                c.at[d, v, j] = numerator / vertex.denominator
            exact = all(
                numerator << 60 == int(c.at[d, v, j] * 2.0**60) * vertex.denominator
                for j, numerator in enumerate(vertex.numerators)
            )
            c.error[d, v] = 0.0 if exact else _ROUNDOFF
            for w, word in enumerate(c.open[d, v].tolist()):
                for b in range(64):
                    if not word >> b & 1:
                        continue
                    i = 64 * w + b
                    if layer < 0:
                        row = self._exact.domain_row(i)
                    else:
                        row = self._exact.forms(signs, layer).row(i)
                    sign = vertex.sign(row)
                    self.resolved += 1
                    if sign:
                        which = c.pos if sign > 0 else c.neg
                        which[d, v, w] |= np.uint64(1 << b)
                c.open[d, v, w] = 0

    def at_leaf(self) -> bool:
        """Whether the present node has all units decided."""
        slot = int(self.state.registers[codes.SLOT])
        return int(self.state.layer[slot]) == len(self.net.widths)

    def last_cell(
        self,
    ) -> tuple[NDArray[np.int8], NDArray[np.float64], list[int], NDArray[np.bool_]]:
        """The leaf just left: signs, vertices in the cube, what the facets are, who lies where."""
        c = self.state
        d = int(c.registers[codes.SLOT]) + 1
        count, used = int(c.corners[d]), int(c.used[d])
        slots = [f for f in range(cells_kernel.MAX_FACETS) if used >> f & 1]
        words = c.facets[d, :count]
        on = np.array([(words >> np.uint64(f)) & np.uint64(1) for f in slots], dtype=np.bool_)
        rows = [int(c.rows[d, f]) for f in slots]
        return c.sign[d].copy(), c.at[d, :count].copy(), rows, on.reshape(len(slots), count).T

    def statistics(self) -> dict[str, int]:
        """Counters, by name."""
        c = self.state.counters
        return {
            "nodes": int(c[cells_kernel.NODES]),
            "vertices": int(c[cells_kernel.VERTICES]),
            "decided_by_vertices": int(c[cells_kernel.BY_VERTICES]),
            "decided_by_point": int(c[cells_kernel.BY_POINT]),
            "cells_outside_the_zonotope": int(c[cells_kernel.SEPARATED]),
            "signs_left_open_by_floats": int(c[cells_kernel.OPEN_SIGNS]),
            "signs_by_exact_vertices": self.resolved,
        }


_PER_SLOT = frozenset(
    (
        "corners", "at", "error", "facets", "pos", "neg", "open", "rows", "used", "sign", "layer",
        "stage", "todo", "preset", "partial", "share",
    )
)  # fmt: skip
