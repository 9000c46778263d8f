"""Random explorations of a problem's search tree: single runs, and a pilot that plans them."""

from __future__ import annotations

import math
import time

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Outcome, Watch
from milpcount.errors import UnsupportedError
from milpcount.exact.tree import ExactTree
from milpcount.kernels import native
from milpcount.sampling.unbiased import log2_sum
from milpcount.sampling.walker import Profile, Walker
from milpcount.sampling.walks import Plan, Walk, seed_of
from milpcount.search.frames.problem_frames import problem_frames, root_signs, sign_walls

__all__ = ["Explorer", "Plan", "Walk", "seed_of"]

MOST_CHARTS = 64  # of an unbounded domain in one run
CELL_LIMIT = 2000  # regions counted exactly in a cell that floats leave in doubt


class Explorer:
    """Explores one problem; not safe for use from several threads."""

    def __init__(self, problem: CountProblem, watch: Watch) -> None:
        """Set up the frames.

        Raises:
            UnsupportedError: floats do not reach it.
        """
        self.problem, self.watch = problem, watch
        self.outcome = Outcome()
        self.frames = problem_frames(problem)
        if len(self.frames) == 1 and self.frames[0] is None:
            raise UnsupportedError(
                "this problem is out of reach of floats (huge numbers, or an unbounded domain "
                "that linear units span), and random searches run in floats; give a bounded box"
            )
        self.profile = Profile(problem.widths)
        self.doubts = 0
        self._walkers: dict[int, Walker] = {}
        self._exact: ExactTree | None = None
        self._steps = 200

    # -- one run -------------------------------------------------------------------------

    def walk(
        self,
        sizes: NDArray[np.float64] | None,
        spacing: float,
        seed: np.uint64,
        most_nodes: int | None = None,
    ) -> Walk:
        """Search once.

        Arguments:
            sizes: of the subtrees, by class; None for a single descent to one leaf.
            spacing: log2 of the number of leaves that a sampled one stands for.
            seed: of all choices.
            most_nodes: where to break off.
        """
        single = sizes is None
        targets = np.zeros(self.profile.classes)
        if sizes is not None:
            targets = np.maximum(0.0, spacing - sizes[:-1])
        random = np.random.default_rng([int(seed), 0])
        total = len(self.frames)
        charts = [0]
        if total > 1:
            charts = self._charts(total, 1 if single else MOST_CHARTS, random)
        weight = math.log2(total) - math.log2(len(charts))
        values = [-math.inf]
        layers = [[-math.inf] for _ in self.problem.stages]
        complete, chance = True, weight > 0 or single
        regions = nodes = 0
        signs = np.zeros(self.problem.index.n_positions + 1, np.int64)
        for chart in charts:
            walker = self._walker(chart)
            if walker is None:
                raise UnsupportedError("a chart of this domain is out of reach of floats")
            before = walker.nodes
            room = None if most_nodes is None else most_nodes - nodes
            whole, extra = self._search(walker, chart, weight, targets, seed, single, room)
            sums = walker.sample.log2_sums()
            values += [float(sums[-1]), extra]
            for k in range(len(layers)):
                layers[k].append(float(sums[k]))
            chance = chance or walker.sample.thinned > 0
            complete = complete and whole
            regions += walker.sample.leaves_kept
            signs += walker.sample.signs()
            nodes += walker.nodes - before
            self.profile.steps += walker.sample.take_steps()
            if self.watch.exceeded() is not None:
                complete = complete and chart == charts[-1] and whole
                break
        return Walk(
            log2_sum(values),
            np.array([log2_sum(v) for v in layers]),
            complete,
            complete and not chance,
            regions,
            nodes,
            signs,
        )

    @staticmethod
    def _charts(total: int, most: int, random: np.random.Generator) -> list[int]:
        """Charts at equal distances from a random start: each is as likely as any other."""
        few = min(total, most)
        # Both are powers of two.
        step = total // few
        start = int.from_bytes(random.bytes(16), "little") % step
        return [start + k * step for k in range(few)]

    def _walker(self, chart: int) -> Walker | None:
        if chart in self._walkers:
            return self._walkers[chart]
        frame = self.frames[chart]
        if frame is None:
            return None
        if len(self._walkers) >= MOST_CHARTS:
            self._walkers.clear()
        closed = self.problem.definition is Definition.NONEMPTY
        walker = Walker(frame, self.problem.stages, closed)
        self._walkers[chart] = walker
        return walker

    def _search(
        self,
        walker: Walker,
        chart: int,
        weight: float,
        targets: NDArray[np.float64],
        seed: np.uint64,
        single: bool,
        most_nodes: int | None,
    ) -> tuple[bool, float]:
        """Run a walker to its end: whether it got there, and log2 of what was found exactly."""
        signs = root_signs(self.problem, self.frames.walls(chart))
        extra = [-math.inf]
        complete = True

        def settle(prefix: NDArray[np.int8], at: float) -> int:
            """Count the regions of a cell exactly; native.Verdict.EMPTY if there are none."""
            nonlocal complete
            self.doubts += 1
            count, whole = self._exactly(sign_walls(self.frames.walls(chart), prefix))
            complete = complete and whole
            if count:
                extra.append(at + math.log2(count))
            return native.Verdict.SETTLED if count or not whole else native.Verdict.EMPTY

        own = seed_of(int(seed), chart)
        if not walker.begin(signs, weight, targets, own):
            settle(walker.pop_node(), weight)
        nodes = 0
        while True:
            if self.watch.exceeded() is not None or (most_nodes is not None and nodes > most_nodes):
                return False, log2_sum(extra)
            start = time.perf_counter()
            code = walker.walk(self._steps, single)
            took = time.perf_counter() - start
            nodes += self._steps
            if code == native.Stop.DONE:
                return complete, log2_sum(extra)
            at = walker.weight()
            if code == native.Stop.DOUBT_SIDE:
                if not walker.prove_exactly():
                    walker.answer(settle(walker.doubt(), at))
            elif code == native.Stop.DOUBT_NODE:
                settle(walker.pop_node(), at)
            elif took < 0.01:
                self._steps = min(2 * self._steps, 20_000)
            elif took > 0.1:
                self._steps = max(self._steps // 2, 4)

    def _exactly(self, prefix: NDArray[np.int8]) -> tuple[int, bool]:
        """Regions of a cell in exact arithmetic, up to a limit: ``(count, all of them)``."""
        if self._exact is None:
            self._exact = ExactTree(self.problem, self.watch, self.outcome)
        count = 0
        # The search counts regions against the limits of the whole run; here they are no result.
        before = self.watch.regions
        try:
            for _ in self._exact.regions(prefix) or ():
                count += 1
                if count >= CELL_LIMIT:
                    return count, False
            return count, self.watch.exceeded() is None
        finally:
            self.watch.regions = before

    # -- the plan ------------------------------------------------------------------------

    def plan(self, seed: int, descents: int, leaves: int) -> Plan:
        """Learn the sizes of subtrees: single descents, then thinned searches of growing size.

        The plan decides how tight results are, never whether they hold.
        """
        start = time.perf_counter()
        limit = self.watch.remaining
        enough = math.inf if limit is None else start + 0.2 * limit
        signs = np.zeros(self.problem.index.n_positions + 1, np.int64)
        values = []
        walks = 0
        nodes = 1
        took = []
        for k in range(descents):
            began = time.perf_counter()
            walk = self.walk(None, 0.0, seed_of(seed, 0, k))
            walks += 1
            nodes = max(nodes, walk.nodes)
            values.append(walk.value)
            signs += walk.signs
            took.append(time.perf_counter() - began)
            if time.perf_counter() > enough:
                break
        # The first may have waited for the compiler.
        each = sorted(took)[len(took) // 2]
        layers = np.full(len(self.problem.stages), -math.inf)
        count = log2_sum(values) - math.log2(max(walks, 1))
        sizes = self.profile.sizes()
        done = [count]
        rounds = (leaves // 16, leaves // 4, leaves, leaves) if count > -math.inf else ()
        for k, many in enumerate(rounds):
            if time.perf_counter() + many * each > enough or self.watch.exceeded() is not None:
                break
            spacing = float(sizes[-1]) - math.log2(max(many, 1))
            walk = self.walk(sizes, spacing, seed_of(seed, 1, k), 100 * nodes * max(many, 1))
            sizes = self.profile.sizes()
            if walk.complete and walk.value > -math.inf:
                done.append(walk.value)
                layers = walk.layers
                signs += walk.signs
            if walk.exact:
                break
        found, many = int(signs[-1]), max(int(signs[-1]), 1)
        count = done[-1] if done[-1] > -math.inf else float(sizes[-1])
        active = signs[self.problem.index.positions] / many
        return Plan(sizes, count, np.append(layers, count), active, each, found)
