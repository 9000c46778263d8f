"""A counting problem as every engine receives it: stages, resolved domain, definition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from milpcount.core.domain import Box, Domain, Polytope, Slice, WholeSpace
from milpcount.core.keeping import Keeps
from milpcount.core.network import ReLUNetwork
from milpcount.core.point import Point
from milpcount.core.result import Definition
from milpcount.core.stage import Stage
from milpcount.core.units import UnitIndex
from milpcount.errors import DomainError, UnsupportedError

__all__ = ["CountProblem"]


def _shown(value: object) -> str:
    """A value in few words, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"a {type(value).__name__}"


@dataclass(frozen=True)
class CountProblem(Keeps):
    """Count the activation patterns of ``stages`` over ``domain``.

    Engines work in the problem's own coordinates: the network's inputs, or on a slice the
    slice's coordinates.  There the first of ``stages`` is *not* the first stage of the problem:
    :func:`milpcount.exact.forms.problem_stages` gives the stages on these coordinates, exactly.

    What several engines, or several parts of one, need of a problem (stages in integers, exact
    ranges of the coordinates) is made once and kept with it: :meth:`once`.  What depends on the
    stages alone is kept with the network, for the next problem.

    Attributes:
        network: where the stages come from.
        stages: the counted stages of the network, output included when asked; the first one
            reads the network's inputs.
        domain: a :class:`Box` with one entry per coordinate (infinite ends for the whole space),
            or a :class:`Polytope`.
        definition: FULL or NONEMPTY.
        with_output: whether the last of ``stages`` is the network's output.
        slice: the slice whose coordinates ``domain`` is about, None where they are the inputs.
    """

    network: ReLUNetwork
    stages: tuple[Stage, ...]
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
            UnsupportedError: a definition whose pieces are unions of full regions ("linear",
                "closed", "affine"): these are asked of :func:`milpcount.count`.
        """
        definition = Definition.of(definition)
        if definition.merges:
            raise UnsupportedError(
                f"{definition} pieces are unions of full regions, not a problem of their own: "
                f'take definition "full", or count them with mc.count(definition="{definition}")'
            )
        if domain is None:
            domain = network.input_box
        if domain is None:
            raise DomainError(
                f"{network.name}: no input domain: the network carries none; give one "
                "(mc.Box(lo, hi) in Python, --box LO HI or --whole-space on the command line)"
            )
        if not isinstance(domain, Box | Polytope | WholeSpace | Slice):
            raise DomainError(
                f"{_shown(domain)} is not a domain; use Box(lo, hi), Polytope, Slice or WholeSpace "
                "(boxes of a .vnnlib file: load_boxes)"
            )
        resolved = domain.resolve(network.input_dimension)
        return cls(
            network,
            network.counted_stages(with_output),
            resolved.box if isinstance(resolved, Slice) else resolved,
            definition,
            with_output,
            resolved if isinstance(resolved, Slice) else None,
        )

    @property
    def dimension(self) -> int:
        """Number of coordinates: inputs, or coordinates of the slice."""
        return self.network.input_dimension if self.slice is None else self.slice.dimension

    @cached_property
    def index(self) -> UnitIndex:
        """Where the units stand in arrays and in patterns."""
        return self.network.once(_index, self.stages)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per counted stage, linear ones among them: the layout of arrays."""
        return self.index.widths

    @property
    def counted_widths(self) -> tuple[int, ...]:
        """Units with a state per counted stage: the layout of patterns."""
        return self.index.counted_widths

    @property
    def n_units(self) -> int:
        """Units with a state in all counted stages."""
        return self.index.n_units

    @cached_property
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
        """Refuse a slice on behalf of code that works on the network's float stages.

        Raises:
            UnsupportedError: the domain is a slice.
        """
        if self.slice is not None:
            raise UnsupportedError(
                f"{what} does not serve slices, whose first stage floats cannot hold; {remedy}"
            )


def _index(_: ReLUNetwork, stages: tuple[Stage, ...]) -> UnitIndex:
    return UnitIndex.of(stages)
