"""What the two searches have in common: why a run stops, and their registers."""

from __future__ import annotations

# What run returns.
STEPS, DONE, DOUBT_SIDE, DOUBT_NODE, FULL, GROW, DOUBT_SIGNS = range(7)
# Verdicts on a doubtful side: none given, empty, or settled elsewhere though it is not empty.
OPEN, EMPTY, SETTLED = range(3)
# Registers.
SLOT, DOUBT_UNIT, DOUBT_SIGN, VERDICT, REGIONS, LEAVES, TAPE, TAPE_SLACK = range(8)
REGISTERS = 8
