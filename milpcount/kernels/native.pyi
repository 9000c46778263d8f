"""Types of the extension; arrays are C-contiguous and have the types stated here.

A wrong type, shape or layout of an array raises ``InvariantError``, a size beyond a kernel's limit
or the memory ``UnsupportedError``.
"""

import enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

VARIANT: Final[str]

class Stop(enum.IntEnum):
    """Why a run stopped."""

    STEPS = 0
    DONE = 1
    DOUBT_SIDE = 2
    DOUBT_NODE = 3
    FULL = 4
    GROW = 5
    DOUBT_SIGNS = 6

class Verdict(enum.IntEnum):
    """What exact arithmetic says of a side in doubt."""

    OPEN = 0
    EMPTY = 1
    SETTLED = 2

class Net:
    """The network as the searches read it; see ``src/net.hpp``."""

    n: Final[int]
    layers: Final[int]
    units: Final[int]
    domain_rows: Final[int]

    def __init__(
        self,
        *,
        n: int,
        widths: NDArray[np.int64],
        first: NDArray[np.float64],
        one: NDArray[np.float64],
        domain: NDArray[np.float64],
        weights: NDArray[np.float64],
        biases: NDArray[np.float64],
        slopes: NDArray[np.float64],
        terms: NDArray[np.int64],
        skip_begin: NDArray[np.int64],
        skip_source: NDArray[np.int64],
        skip_offset: NDArray[np.int64],
        skip_weights: NDArray[np.float64],
        closed: bool,
        walls: bool,
    ) -> None: ...
