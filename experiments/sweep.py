"""Regions of random networks of many sizes and initialisations, against theory.

Hanin and Rolnick (NeurIPS 2019) bound the expected number of activation regions at
initialisation by a polynomial in the number of units, ``(T N)^{n_0} / n_0!``, whatever the
depth.  The sweep counts exactly, over input dimensions, depths, widths and initialisations, and
puts the means beside that polynomial at ``T = 1`` and beside the worst-case bounds.

``milpcount run`` makes everything; the networks are drawn from seeds, none is stored.
"""

from __future__ import annotations

SMOKE = "configs/sweep/smoke.yaml"
PAPER = "configs/sweep/paper.yaml"
RESULTS = "results/sweep/paper"
TABLES = ("sweep",)
FIGURES = ("sweep",)
