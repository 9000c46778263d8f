"""A counting problem as every engine receives it: layers, resolved domain, definition."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from milpcount.domain import Box, Domain, Polytope, Slice, WholeSpace
from milpcount.errors import DomainError, UnsupportedError
from milpcount.network import Layer, ReLUNetwork
from milpcount.point import Point
from milpcount.result import (
    Budget,
    Definition,
    Limit,
    Progress,
    ProgressCallback,
    Termination,
)

__all__ = ["CountProblem", "Watch"]


@dataclass(frozen=True)
class CountProblem:
    """Count the activation patterns of ``layers`` over ``domain``.

    Engines work in the problem's own coordinates: the network's inputs, or on a slice the
    slice's coordinates.  There the first of ``layers`` is *not* the first layer of the problem:
    :func:`milpcount.exact.forms.problem_layers` gives the layers on these coordinates, exactly.

    Attributes:
        network: where the layers come from.
        layers: the counted layers of the network, output included when asked; the first one
            takes the network's inputs.
        domain: a :class:`Box` with one entry per coordinate (infinite ends for the whole space),
            or a :class:`Polytope`.
        definition: FULL or NONEMPTY.
        with_output: whether the last of ``layers`` is the network's output layer.
        slice: the slice whose coordinates ``domain`` is about, None where they are the inputs.
    """

    network: ReLUNetwork
    layers: tuple[Layer, ...]
    domain: Box | Polytope
    definition: Definition = Definition.FULL
    with_output: bool = False
    slice: Slice | None = None

    @classmethod
    def of(
        cls,
        network: ReLUNetwork,
        domain: Domain | None = None,
        definition: Definition | str = Definition.FULL,
        with_output: bool = False,
    ) -> CountProblem:
        """Resolve the domain against the network; the network's own box when None is given.

        Raises:
            DomainError: no domain at all, or one of another dimension.
        """
        if domain is None:
            domain = network.input_box
        if domain is None:
            raise DomainError(
                f"{network.name}: no input domain: the network carries none; give one "
                "(mc.Box(lo, hi) in Python, --box LO HI or --whole-space on the command line)"
            )
        if not isinstance(domain, Box | Polytope | WholeSpace | Slice):
            raise DomainError(f"{domain!r} is not a domain; use Box, Polytope, Slice or WholeSpace")
        resolved = domain.resolve(network.input_dimension)
        return cls(
            network,
            network.counted_layers(with_output),
            resolved.box if isinstance(resolved, Slice) else resolved,
            Definition(definition),
            with_output,
            resolved if isinstance(resolved, Slice) else None,
        )

    @property
    def dimension(self) -> int:
        """Number of coordinates: inputs, or coordinates of the slice."""
        return self.network.input_dimension if self.slice is None else self.slice.dimension

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per counted layer."""
        return tuple(layer.width for layer in self.layers)

    @property
    def n_units(self) -> int:
        """Units in all counted layers."""
        return sum(self.widths)

    @property
    def box(self) -> Box:
        """Ends of every coordinate: the domain itself, or R^n around a polytope."""
        if isinstance(self.domain, Box):
            return self.domain
        return WholeSpace().resolve(self.dimension)

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """``(A, c)`` of the polytope, without rows for a box."""
        if isinstance(self.domain, Polytope):
            return self.domain.A, self.domain.c
        return np.zeros((0, self.dimension)), np.zeros(0)

    def input_point(self, point: Point) -> Point:
        """The network's input at a point in the problem's coordinates, exactly."""
        return point if self.slice is None else self.slice.lift(point)

    def require_no_slice(
        self, what: str, remedy: str = "use engine auto, tree, tree-highs, subdivision or brute"
    ) -> None:
        """Refuse a slice on behalf of code that works on the network's float layers.

        Raises:
            UnsupportedError: the domain is a slice.
        """
        if self.slice is not None:
            raise UnsupportedError(
                f"{what} does not serve slices, whose first layer floats cannot hold; {remedy}"
            )


class Watch:
    """Clock, limits and progress of one run; the only mutable thing that engines share."""

    def __init__(
        self, budget: Budget | None = None, progress: ProgressCallback | None = None
    ) -> None:
        """Start the clock."""
        self.budget = budget or Budget()
        self._progress = progress
        self._start = time.perf_counter()
        self._last_report = -1.0
        self.regions = 0
        self.seconds_before = 0.0  # of the runs that this one goes on with
        self.stopped: Termination | None = None

    @property
    def seconds(self) -> float:
        """Since the start; limits are those of this run."""
        return time.perf_counter() - self._start

    @property
    def remaining(self) -> float | None:
        """Seconds left, None without a time limit; never below 0."""
        if self.budget.seconds is None:
            return None
        return max(0.0, self.budget.seconds - self.seconds)

    def exceeded(self) -> Termination | None:
        """Return the limit that is reached, if one is; engines then stop for good."""
        if self.stopped is None:
            if self.budget.regions is not None and self.regions >= self.budget.regions:
                self.stop(Limit.REGIONS, f"{self.budget.regions} regions")
            elif self.remaining == 0.0:
                self.stop(Limit.TIME, f"{self.budget.seconds:g} s")
        return self.stopped

    def stop(self, limit: Limit, detail: str = "") -> Termination:
        """Record that a limit stopped the run."""
        self.stopped = Termination.stopped(limit, detail)
        return self.stopped

    def report(self, phase: str, fraction: float | None = None, force: bool = False) -> None:
        """Call the progress callback, at most ten times a second."""
        if self._progress is None:
            return
        now = self.seconds
        if force or now - self._last_report >= 0.1:
            self._last_report = now
            self._progress(Progress(phase, self.regions, now, fraction))
