"""Probabilistic lower bounds and estimates, each with the guarantee that it claims."""

from __future__ import annotations

from milpcount.sampling.methods import METHODS as METHODS
from milpcount.sampling.methods import run_method as run_method
