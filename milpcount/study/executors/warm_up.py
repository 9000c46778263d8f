"""Loads what engines and methods need before a run's clock starts.

The first count of a process loads compiled code, or compiles it, which takes a minute or two; in
the seconds of a table that would be the first network's, and its time limit would pay for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from milpcount.api import count, estimate
from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.core.result import CountResult, EstimateResult, Limit, ProgressCallback
from milpcount.errors import MilpcountError

__all__ = ["load_engine", "load_method"]

# The search runs over the inputs of the first, and over the first layer's image of the second.
_NETWORKS = tuple(ReLUNetwork([[[1.0] * n], [[1.0]]], [[0.0], [0.0]]) for n in (1, 20))
_BOX = Box(-1, 1)

_loaded: set[tuple[str, str, str]] = set()


def load_engine(engine: str, definition: str, progress: ProgressCallback | None = None) -> None:
    """Count tiny networks, once in this process; what is wrong with the engine its run will say.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    _once(
        ("engine", engine, definition),
        lambda network: count(
            network, _BOX, engine=engine, definition=definition, progress=progress
        ),
    )


def load_method(method: str, definition: str, progress: ProgressCallback | None = None) -> None:
    """Estimate the counts of tiny networks, as :func:`load_engine` counts them."""
    _once(
        ("method", method, definition),
        lambda network: estimate(
            network, _BOX, method=method, definition=definition, progress=progress
        ),
    )


def _once(
    what: tuple[str, str, str], run: Callable[[ReLUNetwork], CountResult | EstimateResult]
) -> None:
    if what in _loaded:
        return
    for network in _NETWORKS:
        with suppress(MilpcountError):
            if run(network).termination.limit is Limit.INTERRUPT:
                raise KeyboardInterrupt
    _loaded.add(what)
