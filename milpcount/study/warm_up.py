"""Loads what engines and methods need before a run's clock starts.

The first count of a process loads compiled code, or compiles it, which takes a minute or two; in
the seconds of a table that would be the first network's, and its time limit would pay for it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from milpcount.domain import Box
from milpcount.errors import MilpcountError
from milpcount.facade import count, estimate
from milpcount.network import ReLUNetwork
from milpcount.result import Limit

__all__ = ["load_engine", "load_method"]

# The search runs over the inputs of the first, and over the first layer's image of the second.
_INPUTS = (1, 20)


@cache
def load_engine(engine: str, definition: str) -> None:
    """Count tiny networks, once in this process; what is wrong with the engine its run will say.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    for inputs in _INPUTS:
        with suppress(MilpcountError):
            result = count(_network(inputs), Box(-1, 1), engine=engine, definition=definition)
            if result.termination.limit is Limit.INTERRUPT:
                raise KeyboardInterrupt


@cache
def load_method(method: str, definition: str) -> None:
    """Estimate the counts of tiny networks, as :func:`load_engine` counts them."""
    for inputs in _INPUTS:
        with suppress(MilpcountError):
            result = estimate(_network(inputs), Box(-1, 1), method=method, definition=definition)
            if result.termination.limit is Limit.INTERRUPT:
                raise KeyboardInterrupt


def _network(inputs: int) -> ReLUNetwork:
    return ReLUNetwork([[[1.0] * inputs], [[1.0]]], [[0.0], [0.0]])
