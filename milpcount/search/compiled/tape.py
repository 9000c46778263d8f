"""The tape: steps of a certificate, written while the search takes them.

The format is that of :mod:`milpcount.proof.format`.  ``st.tape`` is empty where none is wanted.
"""

from __future__ import annotations

from milpcount.search.compiled.codes import TAPE
from milpcount.search.compiled.jit import jit

# Steps.
POINT, SPREAD, BRANCH_ACTIVE, BRANCH_INACTIVE, NEVER_ACTIVE, NEVER_INACTIVE, EMPTY_CELL = (
    0, 1, 4, 5, 6, 7, 8,
)  # fmt: skip


@jit
def put(st, byte):
    """Write a byte."""
    k = st.registers[TAPE]
    st.tape[k] = byte
    st.registers[TAPE] = k + 1


@jit
def put_number(st, value):
    """Write an unsigned number."""
    while value > 127:
        put(st, value & 127 | 128)
        value >>= 7
    put(st, value)


@jit
def put_signed(st, value):
    """Write a signed number."""
    put_number(st, 2 * value if value >= 0 else -2 * value - 1)


@jit
def record_range(st, place, sign):
    """A unit has this sign all over the cube."""
    if st.tape.shape[0] > 0:
        put(st, NEVER_INACTIVE if sign > 0 else NEVER_ACTIVE)
        put_number(st, place)
        put(st, 0)


@jit
def record_branch(st, place, sign):
    """A unit has both signs; this one is searched first."""
    if st.tape.shape[0] > 0:
        put(st, BRANCH_ACTIVE if sign > 0 else BRANCH_INACTIVE)
        put_number(st, place)
