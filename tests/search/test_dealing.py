"""How bundles are dealt out to workers."""

from __future__ import annotations

from collections import deque
from itertools import count

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.search import searcher
from milpcount.search.frames.problem_frames import problem_frames
from milpcount.search.run.bundle import Bundle, BundleRunner, Report
from milpcount.search.run.journal import Journal
from milpcount.search.run.portions import _Run
from milpcount.search.searcher import root_tasks
from tests.shared import random_net


class OneAtWork:
    """Two workers, of which one is at its first bundle until it is asked for its report."""

    size, slice, short = 2, 1.0, 0.02

    def __init__(self, runner: BundleRunner) -> None:
        self._runner = runner
        self._held: tuple[int, Bundle] | None = None
        self._done: deque[tuple[int, Report]] = deque()
        self.stops = 0

    @property
    def idle(self) -> int:
        return self.size - len(self._done) - (self._held is not None)

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        if self._held is None and not self.stops:
            assert seconds == self.slice
            self._held = number, bundle
        else:
            self._done.append((number, self._runner.run(bundle, float("inf"))))

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        assert self._done, "a worker has nothing to do, and is not given what another one has"
        return [self._done.popleft()]

    def stop(self) -> None:
        self.stops += 1
        assert self._held is not None
        number, bundle = self._held
        self._held = None
        self._done.append((number, Report(0, bundle, 0.0, {})))

    def close(self) -> None:
        raise AssertionError("not asked for here")


def test_who_is_at_work_shares_with_who_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher, "_STEPS", 60)
    network, box = random_net(np.random.default_rng(5), [4, 12, 6, 1]), mc.Box(-1, 1)
    problem = CountProblem.of(network, box)
    runner = BundleRunner(problem, "tree", keep=False)
    journal = Journal(None, problem, "tree", keep=False)
    # One portion, and a bundle for each of the nodes that it leaves.
    roots, looks = list(root_tasks(problem, problem_frames(problem))), count()
    begun = runner.run(roots, float("inf"), lambda: next(looks) > 1)
    assert len(begun.left) >= 4
    journal.begin([[task] for task in begun.left])
    pool = OneAtWork(runner)
    watch = Watch()
    run = _Run(problem, watch, Outcome(keep=False), journal, pool, None)
    found = begun.count + sum(found.count for found in run.run())
    assert found == mc.count(network, box, engine="subdivision").lower
    assert pool.stops == 1
