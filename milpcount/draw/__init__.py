"""Pictures of regions, boundaries and surfaces: for paper by Matplotlib, to turn in a browser.

Every function takes axes or makes them, returns them, and never shows a window: no state of
``matplotlib.pyplot`` is touched.  Coordinates are rounded, what lies where is exact.
"""

from __future__ import annotations

from milpcount.draw.cells_in_space import complex3d
from milpcount.draw.dual_points import local_maps
from milpcount.draw.film import evolution
from milpcount.draw.gradient_images import gradients
from milpcount.draw.graph_picture import dual_graph
from milpcount.draw.layer_panels import layers
from milpcount.draw.output_surface import surface
from milpcount.draw.region_map import regions
from milpcount.draw.save import save

__all__ = [
    "complex3d",
    "dual_graph",
    "evolution",
    "gradients",
    "layers",
    "local_maps",
    "regions",
    "save",
    "surface",
]
