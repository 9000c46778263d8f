"""A counting problem as every engine receives it: layers, resolved domain, definition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from milpcount.core.domain import Box, Domain, Polytope, Slice, WholeSpace
from milpcount.core.network import Layer, ReLUNetwork
from milpcount.core.point import Point
from milpcount.core.result import Definition
from milpcount.errors import DomainError, UnsupportedError

__all__ = ["CountProblem"]


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
            UnsupportedError: the definition "linear", whose pieces are unions of full regions
                and are asked of :func:`milpcount.count`.
        """
        definition = Definition(definition)
        if definition is Definition.LINEAR:
            raise UnsupportedError(
                "linear pieces are unions of full regions, not a problem of their own: "
                'take definition "full", or count them with mc.count(definition="linear")'
            )
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
            definition,
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
