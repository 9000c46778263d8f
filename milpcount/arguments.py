"""What users pass, turned into what the package takes; where it cannot be, the nearest that can.

Every public function takes its arguments through here, so that misuse is one of the package's
errors, says which argument it is about, and is found before any work is done.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.core.domain import Domain
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.result import Budget, Definition, ProgressCallback
from milpcount.errors import InputError
from milpcount.importers import load_network

__all__ = [
    "budget_of",
    "is_widths",
    "network_of",
    "problem_of",
    "require_flag",
    "require_progress",
    "seed_of",
    "share_of",
    "watched",
    "workers_of",
]


def network_of(source: Any) -> ReLUNetwork:
    """The network itself, or what :func:`milpcount.load_network` reads from a path or an object.

    Raises:
        NetworkError: nothing can be read from it.
    """
    return source if isinstance(source, ReLUNetwork) else load_network(source)


def is_widths(value: Any) -> bool:
    """Whether a value is an architecture, or wants to be one: numbers, a single one, "784 11"."""
    if isinstance(value, numbers.Number):
        return True
    if isinstance(value, str) and re.fullmatch(r"[\d\s,x-]+", value):
        return True  # no file, and refused with what to write instead
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray):
        return False
    return all(isinstance(part, numbers.Number) for part in value)


def problem_of(
    net: Any, domain: Domain | None, definition: Definition | str, with_output: bool
) -> CountProblem:
    """The question that a count or an estimate answers.

    Raises:
        InputError: an argument that is none.
    """
    require_flag("with_output", with_output)
    return CountProblem.of(network_of(net), domain, definition, with_output)


def budget_of(value: Any) -> Budget | None:
    """A budget or None as it is; a number is a limit in seconds.

    Raises:
        InputError: anything else, or a number that is not above 0.
    """
    if value is None or isinstance(value, Budget):
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InputError(f"budget: give seconds or Budget(seconds=..., regions=...), not {value!r}")
    return Budget(seconds=float(value))


def workers_of(value: Any) -> int | DaskCluster | None:
    """A number of processes or a cluster.

    Raises:
        InputError: anything else; of a Dask client or cluster the message names its scheduler.
    """
    if value is None or isinstance(value, DaskCluster):
        return value
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if whole:
        if value < 1:
            raise InputError(f"the number of workers must be at least 1, not {value}")
        return int(value)
    kind = type(value).__module__.partition(".")[0]
    if kind in ("distributed", "dask", "dask_jobqueue"):
        address = getattr(getattr(value, "scheduler", None), "address", None) or "tcp://HOST:PORT"
        raise InputError(
            f"workers: give a number or DaskCluster({str(address)!r}), "
            f"not the {type(value).__name__} itself"
        )
    hint = ""
    if isinstance(value, float | str) and str(value).removesuffix(".0").isdecimal():
        hint = f"; did you mean {str(value).removesuffix('.0')}?"
    raise InputError(f"workers: give a whole number or a DaskCluster, not {value!r}{hint}")


def seed_of(value: Any) -> int:
    """A whole number of at least 0.

    Raises:
        InputError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
        raise InputError(f"the seed must be a whole number of at least 0, not {value!r}")
    return int(value)


def share_of(name: str, value: Any) -> float:
    """A number between 0 and 1, both left out.

    Raises:
        InputError: anything else; of a percentage the message names the share.
    """
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if number and 0 < value < 1:
        return float(value)
    hint = f"; did you mean {float(value) / 100:g}?" if number and 1 < value < 100 else ""
    raise InputError(f"the {name} must lie between 0 and 1, not {value!r}{hint}")


def require_flag(name: str, value: Any) -> None:
    """Refuse what is neither True nor False.

    Raises:
        InputError: another value.
    """
    if not isinstance(value, bool):
        raise InputError(f"{name}: give True or False, not {value!r}")


def require_progress(value: Any) -> None:
    """Refuse what is neither a flag nor can be called.

    Raises:
        InputError: another value.
    """
    if value is not None and not isinstance(value, bool) and not callable(value):
        raise InputError(
            f"progress: give True for a bar, or a function of one Progress, not {value!r}"
        )


@contextmanager
def watched(progress: ProgressCallback | bool | None) -> Iterator[ProgressCallback | None]:
    """The callback, or for True one that shows a bar on stderr until the work is done.

    Raises:
        InputError: what cannot be called.
    """
    require_progress(progress)
    if isinstance(progress, bool):
        if not progress:
            yield None
            return
        # Needs rich; counts without a bar do not.
        from milpcount.progress_bar import progress_bar

        with progress_bar() as show:
            yield show
    else:
        yield progress
