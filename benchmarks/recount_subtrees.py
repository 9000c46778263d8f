r"""Recount random parts of counts that are too long to be counted twice, by another engine.

A part is the set of regions with given signs of the first units; it is found by going down from
the whole domain, unit by unit, to a random side that is not empty, until few enough regions are
left.  Engine tree counts it as it counts the whole; tree-highs, which decides every side by an LP
whose answer is proved in exact arithmetic, and shares none of its floats or shortcuts, counts it
again.  Run it from the root of the repository:

    python benchmarks/recount_subtrees.py results/mnist22/networks/*_s0.npz --with-output \
        --output results/mnist22/recounts.md
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.exact.tree import ExactTree
from milpcount.search.searcher import Searcher, Task


@dataclass
class Part:
    """Signs of the first units, and how many regions have them by either engine."""

    signs: NDArray[np.int8]
    tree: int
    tree_seconds: float = 0.0
    exact: int = 0
    exact_seconds: float = 0.0

    @property
    def fixed(self) -> int:
        """How many units have their sign given."""
        return int(np.count_nonzero(self.signs))


class Recount:
    """The parts of one problem."""

    def __init__(self, problem: CountProblem, rng: np.random.Generator) -> None:
        self._problem, self._rng = problem, rng
        self._searcher = Searcher(problem, Watch(), Outcome(keep=False), "tree")
        if len(self._searcher.frames) != 1:
            raise mc.UnsupportedError("parts are taken of bounded domains only")

    def part(self, most: int) -> Part:
        """A random part with at most ``most`` regions, as engine tree counts it."""
        signs = self._problem.index.open_signs()
        for unit in self._problem.index.positions.tolist():
            start = time.perf_counter()
            count = self._count(signs, most)
            if count is not None:
                return Part(signs, count, time.perf_counter() - start)
            signs[unit] = self._rng.choice((-1, 1))
            if self._count(signs, 1) == 0:
                signs[unit] = -signs[unit]
        return Part(signs, 1)

    def recount(self, part: Part) -> None:
        """Count the part with tree-highs."""
        start = time.perf_counter()
        search = ExactTree(self._problem, Watch(), Outcome(keep=False))
        part.exact = sum(1 for _ in search.regions(part.signs) or ())
        part.exact_seconds = time.perf_counter() - start

    def _count(self, signs: NDArray[np.int8], most: int) -> int | None:
        """The regions with these signs, None if there are more than ``most``."""
        count = 0
        watch = Watch(mc.Budget(regions=most + 1))
        self._searcher.renew(watch, Outcome(keep=False))
        for found in self._searcher.run(Task(0, signs.copy(), 1.0)):
            count += found.count
        return count if count <= most and not self._searcher.left else None


def main() -> int:
    """Print and write the table; 1 if a part was counted differently, 2 for bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", type=Path, nargs="+")
    parser.add_argument("--box", type=float, nargs=2, default=(0.0, 1.0), metavar=("LO", "HI"))
    parser.add_argument("--with-output", action="store_true")
    parser.add_argument("--parts", type=int, default=3, help="parts of each network")
    parser.add_argument("--regions", type=int, default=1000, help="the most in one part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="file for the table, in Markdown")
    arguments = parser.parse_args()
    if min(arguments.parts, arguments.regions) < 1:
        parser.error("--parts and --regions must be at least 1")
    try:
        return recount_all(arguments)
    except mc.MilpcountError as error:
        print(f"recount_subtrees: {error}", file=sys.stderr)
        return 2


def recount_all(arguments: argparse.Namespace) -> int:
    """Print and write the table."""
    lines = [
        "| network | parts | signs given | regions by tree | by tree-highs "
        "| seconds, tree | seconds, tree-highs |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    wrong = 0
    for path in arguments.networks:
        problem = CountProblem.of(
            mc.load_network(path), mc.Box(*arguments.box), with_output=arguments.with_output
        )
        recount = Recount(problem, np.random.default_rng([arguments.seed, len(lines)]))
        parts = []
        for _ in range(arguments.parts):
            part = recount.part(arguments.regions)
            recount.recount(part)
            parts.append(part)
            if part.tree != part.exact:
                wrong += 1
                print(f"{path}: {part.tree} and {part.exact} regions in {part.signs.tolist()}")
        fixed = sorted(part.fixed for part in parts)
        lines.append(
            f"| {path.stem} | {len(parts)} | {fixed[0]} to {fixed[-1]} "
            f"| {sum(p.tree for p in parts):,} | {sum(p.exact for p in parts):,} "
            f"| {sum(p.tree_seconds for p in parts):.2f} "
            f"| {sum(p.exact_seconds for p in parts):.1f} |"
        )
        print(lines[-1], flush=True)
    if arguments.output is not None:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
