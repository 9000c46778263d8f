"""Bounds on pre-activations over a domain: the constants H and H_bar of the MILP, stable units."""

from milpcount.preactivation.compute import METHODS as METHODS
from milpcount.preactivation.compute import (
    compute_preactivation_bounds as compute_preactivation_bounds,
)
from milpcount.preactivation.ranges import PreactivationBounds as PreactivationBounds
