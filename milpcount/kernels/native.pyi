"""Types of the extension; arrays are C-contiguous and have the types stated here.

A wrong type, shape or layout of an array raises ``InvariantError``, a size beyond a kernel's limit
or the memory ``UnsupportedError``.
"""

import enum
from typing import Any, Final

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

class Wanted(enum.Enum):
    """Which faces are made of the cells that are found."""

    FACETS = 0  # cells, their facets, and vertices
    ALL = 1
    EDGES = 2  # cells (without their facets), edges and vertices

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

class Subdivision:
    """Cells by their vertices, cut unit by unit; see ``src/subdivision.hpp``.

    A node is named by its slot: ``0 .. top`` wait to be searched, ``top`` is the present one.
    """

    stage: Final[int]  # of the present node: -1 for the rows of the domain, then the layers
    regions: Final[int]
    top: Final[int]

    def __init__(
        self,
        net: Net,
        *,
        leaf_room: int,
        collect: bool,
        integers: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int] | None,
    ) -> None:
        """With ``collect`` whole cells are kept for :meth:`complex`.

        ``integers`` are the frame's forms exactly, where 64 bits hold them: those of the first
        layer times a common factor and ``2**shift``, the form of one times that factor, the
        domain's rows; each a row of ``n + 1`` numbers; and the shift.
        """

    def complex(self, wanted: Wanted) -> dict[str, Any]:
        """The faces of the cells found so far, once; see :mod:`milpcount.search.cell_complex`."""

    def start(self, signs: NDArray[np.int8], share: float) -> None:
        """Begin at the node with these signs, of all units."""

    def run(self, steps: int, limit: int, emit: bool, seconds: float) -> Stop:
        """Search for so many steps or seconds, up to so many regions, without the lock."""

    def stop(self) -> None:
        """Make a run in another thread return."""

    def open_signs(self) -> list[tuple[int, list[int], list[int]]]:
        """After DOUBT_SIGNS: vertices, the rows that meet there, the units whose sign is open."""

    def place_vertex(self, vertex: int, at: NDArray[np.float64], error: float) -> None: ...
    def sign_vertex(self, vertex: int, unit: int, sign: int) -> None: ...
    def signs(self, slot: int) -> NDArray[np.int8]: ...
    def shares(self) -> NDArray[np.float64]: ...
    def drop(self) -> None:
        """Take the present node out of the search."""

    def take_leaves(self) -> tuple[NDArray[np.int8], NDArray[np.float64]]: ...
    def last_cell(
        self,
    ) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int64], NDArray[np.uint8]]:
        """The leaf emitted last: signs, vertices, rows of facets, which vertex lies on which."""

    def counters(self) -> dict[str, int]: ...

def betti(
    counts: NDArray[np.int64], begin: NDArray[np.int64], facets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Betti numbers over GF(2) of a closed complex of regular cells; see ``src/chains.hpp``.

    Cells are numbered dimension by dimension, ``counts`` of each; cell ``c`` has the facets
    ``facets[begin[c] : begin[c + 1]]``.
    """

def cube_ranges(
    forms: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Outward ranges of forms (columns first, errors last) over the unit cube."""

def residue_primes() -> NDArray[np.uint64]:
    """Primes modulo which the tree search decides in integers; see ``src/exact_side.hpp``."""

class TreeSearch:
    """The tree search with its memory; see ``src/tree.hpp``.

    ``generators`` is the matrix of a frame whose cube is a relaxation (None elsewhere).
    """

    slot: Final[int]
    regions: Final[int]
    nodes: Final[int]
    doubt_unit: Final[int]
    doubt_sign: Final[int]

    def __init__(
        self, net: Net, generators: NDArray[np.float64] | None, emit: bool, record: bool
    ) -> None: ...
    def start(self, signs: NDArray[np.int8], share: float) -> bool: ...
    def run(self, steps: int, limit: int, seconds: float) -> Stop: ...
    def run_sample(self, sample: Sample, steps: int, single: bool) -> Stop: ...
    def run_parity(self, parity: Parity, steps: int, limit: int) -> Stop: ...
    def stop(self) -> None: ...
    def answer(self, verdict: int) -> None: ...
    def doubt(self) -> NDArray[np.int8]: ...
    def prove_exactly(
        self,
        first: NDArray[np.uint64],
        one: NDArray[np.uint64],
        domain: NDArray[np.uint64],
        shift: int,
        spans: bool,
    ) -> None:
        """Decide sides that only touch a cell in integers from now on, but in certificates.

        The frame's forms, of shape ``(rows, n + 1, limbs)``; see ``search/long_frame.py``.
        """

    def open_node(self, slot: int) -> NDArray[np.int8]: ...
    def share(self, slot: int) -> float: ...
    def drop_node(self) -> None: ...
    def take_steps(self) -> bytes: ...
    def take_leaves(self) -> tuple[NDArray[np.int8], NDArray[np.float64]]: ...
    def forms(self, layer: int) -> NDArray[np.float64]:
        """Forms of the present path, columns first, with the bound on their errors last."""

    def check_cell(
        self, rows: NDArray[np.float64], errors: NDArray[np.float64]
    ) -> tuple[int, NDArray[np.float64]]:
        """Whether an input's image satisfies the rows (1, 0, or -1 for unknown), and an input."""

    def check_face(
        self,
        rows: NDArray[np.float64],
        errors: NDArray[np.float64],
        steps: NDArray[np.float64],
    ) -> tuple[int, NDArray[np.float64]]:
        """The same where the first rows, as many as steps, are to vanish and show all signs around.

        ``steps`` are directions in the zonotope, one a row, along which each of them changes.
        """

    def statistics(self) -> dict[str, int]: ...

class Sample:
    """What a random search keeps besides the tree search; see ``src/sample.hpp``."""

    thinned: Final[int]
    leaves_kept: Final[int]

    def __init__(self, class_of: NDArray[np.int64], classes: int, units: int) -> None: ...
    def begin(
        self,
        seed: int,
        targets: NDArray[np.float64],
        points: NDArray[np.float64],
        weight: float,
    ) -> None: ...
    def keeps(self, c: int, p: float) -> bool: ...
    def weight(self, slot: int) -> float: ...
    def log2_sums(self) -> NDArray[np.float64]: ...
    def take_steps(self) -> NDArray[np.int64]: ...
    def signs(self) -> NDArray[np.int64]: ...

class Parity:
    """Parity constraints on the units; see ``src/parity.hpp``."""

    closed: Final[int]
    decided: Final[int]

    def __init__(self, sets: NDArray[np.uint64], odd: NDArray[np.uint8]) -> None: ...

class Partition:
    """A partition of ``0 .. n - 1`` that merges; see ``src/partition.hpp``."""

    def __init__(self, n: int) -> None: ...
    def unite(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> int: ...
    def find(self, a: int) -> int: ...
    def roots(self) -> NDArray[np.int64]: ...

class Residues:
    """A chain modulo a prime at a point; see ``src/modular.hpp``."""

    def __init__(
        self,
        widths: NDArray[np.int64],
        first: NDArray[np.int64],
        weights: NDArray[np.int64],
        biases: NDArray[np.int64],
        slopes: NDArray[np.int64],
        prime: int,
    ) -> None: ...
    def fingerprints(
        self, bits: NDArray[np.uint8], row: NDArray[np.int64], constant: int
    ) -> NDArray[np.int64]: ...
    def coincident(
        self,
        second: NDArray[np.int64],
        bits: NDArray[np.uint8],
        constant: NDArray[np.uint8],
        linear: NDArray[np.uint8],
    ) -> NDArray[np.uint8]: ...

class Chain:
    """A chain of layers in floats over a domain; see ``src/rays.hpp``."""

    def __init__(
        self,
        widths: NDArray[np.int64],
        weights: NDArray[np.float64],
        biases: NDArray[np.float64],
        slopes: NDArray[np.float64],
        lo: NDArray[np.float64],
        hi: NDArray[np.float64],
        matrix: NDArray[np.float64],
        right: NDArray[np.float64],
    ) -> None: ...
    def proves(
        self,
        bits: NDArray[np.uint8],
        dependent: NDArray[np.uint8],
        u: int,
        x: NDArray[np.float64],
    ) -> bool: ...

class Rays:
    """Regions explored by rays; see ``src/rays.hpp``."""

    idle: Final[bool]

    def __init__(
        self,
        chain: Chain,
        directions: NDArray[np.float64],
        bits: NDArray[np.uint8],
        addresses: NDArray[np.uint64],
        order: NDArray[np.int64],
        words: NDArray[np.uint64],
        address_of: NDArray[np.uint64],
        dependent: NDArray[np.uint8],
        map_of: NDArray[np.int64],
    ) -> None: ...
    def begin(self, rows: NDArray[np.int64]) -> None: ...
    def seed(self, row: int, point: NDArray[np.float64]) -> None: ...
    def visited(self, row: int) -> bool: ...
    def run(self, parts: Partition, steps: int, lines: int) -> int: ...

class Deletion:
    """Regions of an arrangement by deletion and restriction; see ``src/deletion.hpp``."""

    total: Final[tuple[int, int]]  # what is counted so far: times 2**64, and the rest
    done: Final[bool]
    coincident: Final[bool]  # two vectors were proportional in some restriction
    unlucky: Final[bool]  # some of the primes, not all, divide a minor: nothing is proved

    def advance(self, work: int) -> None:
        """Go on until about ``work`` vectors are restricted."""

    def statistics(self) -> dict[str, int]:
        """Restrictions, look-ups in the memory, what was found, kept and takes bytes, if full."""

def make_deletion(
    residues: NDArray[np.int64], primes: NDArray[np.int64], memory: int, generic: bool
) -> Deletion:
    """Prepare vectors, shape ``(primes, vectors, entries)``; ``memory`` is in bytes.

    One prime below 2^15, or primes of 33 to 62 bits.  With ``generic`` the search ends when two
    vectors coincide.
    """

class Cone:
    """Regions within an open cone by sections, in integers; see ``src/cone.hpp``."""

    total: Final[tuple[int, int]]  # what is counted so far: times 2**64, and the rest
    done: Final[bool]
    overflow: Final[bool]  # numbers grew beyond 62 bits: nothing more is counted

    def advance(self, work: int) -> None:
        """Go on until about ``work`` values are computed."""

    def statistics(self) -> dict[str, int]:
        """Sections, how many were found in the memory, its bytes, if it is full."""

def make_cone(forms: NDArray[np.int64], sides: NDArray[np.int64], memory: int) -> Cone:
    """Forms, shape ``(forms, entries)``, on the cone where all sides are positive; not empty.

    ``memory`` is in bytes.  More than 64 sides or 5,000 extreme rays raise ``UnsupportedError``.
    """
