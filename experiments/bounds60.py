"""The bound for 60 units in 1 to 6 equal layers by the number of inputs, and for other totals.

After Serra, Tjandraatmadja and Ramalingam (ICML 2018): with few inputs depth raises the bound, with
many it lowers it.  Arithmetic only: ``milpcount run`` does no runs here.
"""

from __future__ import annotations

PAPER = "configs/mnist22/bounds60.yaml"
RESULTS = "results/mnist22/bounds60"
TABLES = ("bounds_by_depth",)
FIGURES = ("bounds_by_depth",)
