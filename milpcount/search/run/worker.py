"""What a worker process runs; see :mod:`milpcount.support.child`."""

from __future__ import annotations

from milpcount.core.problem import CountProblem
from milpcount.errors import InvariantError, MilpcountError, SolverError
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.run.bundle import Bundle, BundleRunner, Report
from milpcount.search.searcher import Method

__all__ = ["Worker"]


class Worker:
    """Searches bundles of one problem."""

    def __init__(self) -> None:
        self._runner: BundleRunner | None = None

    def load(
        self, problem: CountProblem, method: Method, keep: bool, coordinates: Coordinates | None
    ) -> None:
        """Take the problem."""
        self._runner = BundleRunner(problem, method, keep, coordinates)

    def run(self, bundle: Bundle, seconds: float) -> Report | MilpcountError:
        """Search for so long, or until :meth:`stop`; what the search raises is the answer."""
        assert self._runner is not None
        self._runner.ready()
        try:
            return self._runner.run(bundle, seconds)
        except InvariantError as error:
            return error
        except MilpcountError as error:
            return SolverError(str(error))

    def stop(self) -> None:
        """Let :meth:`run` end; called by another thread."""
        if self._runner is not None:
            self._runner.stop()
