"""milpcount counts, bounds and explains the linear regions of ReLU networks, exactly.

>>> import milpcount as mc
>>> net = mc.ReLUNetwork([[[1.0], [1.0]], [[1.0, 1.0]]], [[0.0, -0.5], [0.0]])
>>> mc.count(net, mc.Box(-1, 1)).lower
3
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from milpcount.errors import CertificateError as CertificateError
from milpcount.errors import ConfigError as ConfigError
from milpcount.errors import DomainError as DomainError
from milpcount.errors import InputError as InputError
from milpcount.errors import InvariantError as InvariantError
from milpcount.errors import MilpcountError as MilpcountError
from milpcount.errors import MissingDependencyError as MissingDependencyError
from milpcount.errors import NetworkError as NetworkError
from milpcount.errors import OutputError as OutputError
from milpcount.errors import SolverError as SolverError
from milpcount.errors import UnsupportedError as UnsupportedError
from milpcount.support.version import __version__ as __version__

if TYPE_CHECKING:
    from milpcount import draw as draw
    from milpcount import zoo as zoo
    from milpcount.api import bound as bound
    from milpcount.api import count as count
    from milpcount.api import enumerate_regions as enumerate_regions
    from milpcount.api import estimate as estimate
    from milpcount.certificates import verify as verify
    from milpcount.cluster import DaskCluster as DaskCluster
    from milpcount.core.domain import Box as Box
    from milpcount.core.domain import Domain as Domain
    from milpcount.core.domain import Polytope as Polytope
    from milpcount.core.domain import Slice as Slice
    from milpcount.core.domain import WholeSpace as WholeSpace
    from milpcount.core.gate import LinearGate as LinearGate
    from milpcount.core.gate import ReLUGate as ReLUGate
    from milpcount.core.matrix import SparseMatrix as SparseMatrix
    from milpcount.core.network import ReLUNetwork as ReLUNetwork
    from milpcount.core.pattern import ActivationPattern as ActivationPattern
    from milpcount.core.result import BoundResult as BoundResult
    from milpcount.core.result import Budget as Budget
    from milpcount.core.result import CountResult as CountResult
    from milpcount.core.result import Definition as Definition
    from milpcount.core.result import EstimateResult as EstimateResult
    from milpcount.core.result import Guarantee as Guarantee
    from milpcount.core.result import Limit as Limit
    from milpcount.core.result import Progress as Progress
    from milpcount.core.result import Termination as Termination
    from milpcount.core.result import TerminationReason as TerminationReason
    from milpcount.core.stage import Stage as Stage
    from milpcount.definitions import Notion as Notion
    from milpcount.definitions import Notions as Notions
    from milpcount.definitions import notions as notions
    from milpcount.geometry.complexes.complex_file import load_complex as load_complex
    from milpcount.geometry.complexes.polyhedral import PolyhedralComplex as PolyhedralComplex
    from milpcount.geometry.complexes.polyhedral import polyhedral_complex as polyhedral_complex
    from milpcount.geometry.complexes.subcomplex import SubComplex as SubComplex
    from milpcount.geometry.exploration import dual_graph as dual_graph
    from milpcount.geometry.exploration import explore as explore
    from milpcount.geometry.folding import MaxFolding as MaxFolding
    from milpcount.geometry.folding import max_folding as max_folding
    from milpcount.geometry.local_maps.around_points import local_maps as local_maps
    from milpcount.geometry.local_maps.census import MapCensus as MapCensus
    from milpcount.geometry.local_maps.census import map_census as map_census
    from milpcount.geometry.local_maps.clusters import MapClusters as MapClusters
    from milpcount.geometry.local_maps.clusters import (
        accuracy_with_clusters as accuracy_with_clusters,
    )
    from milpcount.geometry.local_maps.clusters import cluster_maps as cluster_maps
    from milpcount.geometry.local_maps.linearity import PiecewiseLinearity as PiecewiseLinearity
    from milpcount.geometry.local_maps.linearity import (
        check_piecewise_linear as check_piecewise_linear,
    )
    from milpcount.geometry.local_maps.map_array import LocalMaps as LocalMaps
    from milpcount.geometry.local_maps.transfer import MapTransfer as MapTransfer
    from milpcount.geometry.local_maps.transfer import accuracy_after as accuracy_after
    from milpcount.geometry.local_maps.transfer import map_between as map_between
    from milpcount.geometry.locate import Locations as Locations
    from milpcount.geometry.locate import locate as locate
    from milpcount.geometry.locate import region_at as region_at
    from milpcount.geometry.locate import regions_at as regions_at
    from milpcount.geometry.maps import affine_maps as affine_maps
    from milpcount.geometry.region import Facet as Facet
    from milpcount.geometry.region import Region as Region
    from milpcount.geometry.region_graph import Edge as Edge
    from milpcount.geometry.region_graph import RegionGraph as RegionGraph
    from milpcount.geometry.walk import Folding as Folding
    from milpcount.geometry.walk import Walk as Walk
    from milpcount.geometry.walk import walk as walk
    from milpcount.importers import load_boxes as load_boxes
    from milpcount.importers import load_network as load_network
    from milpcount.surveys import SurveyResult as SurveyResult
    from milpcount.surveys import SurveyRow as SurveyRow
    from milpcount.surveys import survey as survey
    from milpcount.zoo.folds import cantornet as cantornet

# Imported on first use: NumPy and all that counts comes with the first name that needs it.
_NAMES = {
    "ActivationPattern": "milpcount.core.pattern",
    "BoundResult": "milpcount.core.result",
    "Box": "milpcount.core.domain",
    "Budget": "milpcount.core.result",
    "CountResult": "milpcount.core.result",
    "DaskCluster": "milpcount.cluster",
    "Definition": "milpcount.core.result",
    "Domain": "milpcount.core.domain",
    "Edge": "milpcount.geometry.region_graph",
    "EstimateResult": "milpcount.core.result",
    "Facet": "milpcount.geometry.region",
    "Folding": "milpcount.geometry.walk",
    "Guarantee": "milpcount.core.result",
    "Limit": "milpcount.core.result",
    "LinearGate": "milpcount.core.gate",
    "LocalMaps": "milpcount.geometry.local_maps.map_array",
    "Locations": "milpcount.geometry.locate",
    "MapCensus": "milpcount.geometry.local_maps.census",
    "MapClusters": "milpcount.geometry.local_maps.clusters",
    "MapTransfer": "milpcount.geometry.local_maps.transfer",
    "MaxFolding": "milpcount.geometry.folding",
    "Notion": "milpcount.definitions",
    "Notions": "milpcount.definitions",
    "PiecewiseLinearity": "milpcount.geometry.local_maps.linearity",
    "PolyhedralComplex": "milpcount.geometry.complexes.polyhedral",
    "Polytope": "milpcount.core.domain",
    "Progress": "milpcount.core.result",
    "ReLUGate": "milpcount.core.gate",
    "ReLUNetwork": "milpcount.core.network",
    "Region": "milpcount.geometry.region",
    "RegionGraph": "milpcount.geometry.region_graph",
    "Slice": "milpcount.core.domain",
    "SparseMatrix": "milpcount.core.matrix",
    "Stage": "milpcount.core.stage",
    "SubComplex": "milpcount.geometry.complexes.subcomplex",
    "SurveyResult": "milpcount.surveys",
    "SurveyRow": "milpcount.surveys",
    "Termination": "milpcount.core.result",
    "TerminationReason": "milpcount.core.result",
    "Walk": "milpcount.geometry.walk",
    "WholeSpace": "milpcount.core.domain",
    "accuracy_after": "milpcount.geometry.local_maps.transfer",
    "accuracy_with_clusters": "milpcount.geometry.local_maps.clusters",
    "affine_maps": "milpcount.geometry.maps",
    "bound": "milpcount.api",
    "cantornet": "milpcount.zoo.folds",
    "check_piecewise_linear": "milpcount.geometry.local_maps.linearity",
    "cluster_maps": "milpcount.geometry.local_maps.clusters",
    "count": "milpcount.api",
    "dual_graph": "milpcount.geometry.exploration",
    "enumerate_regions": "milpcount.api",
    "estimate": "milpcount.api",
    "explore": "milpcount.geometry.exploration",
    "load_boxes": "milpcount.importers",
    "load_complex": "milpcount.geometry.complexes.complex_file",
    "load_network": "milpcount.importers",
    "local_maps": "milpcount.geometry.local_maps.around_points",
    "locate": "milpcount.geometry.locate",
    "map_between": "milpcount.geometry.local_maps.transfer",
    "map_census": "milpcount.geometry.local_maps.census",
    "max_folding": "milpcount.geometry.folding",
    "notions": "milpcount.definitions",
    "polyhedral_complex": "milpcount.geometry.complexes.polyhedral",
    "region_at": "milpcount.geometry.locate",
    "regions_at": "milpcount.geometry.locate",
    "survey": "milpcount.surveys",
    "verify": "milpcount.certificates",
    "walk": "milpcount.geometry.walk",
}

_SUBPACKAGES = {
    "bounds": "milpcount.bounds",
    "draw": "milpcount.draw",
    "exact": "milpcount.exact",
    "geometry": "milpcount.geometry",
    "importers": "milpcount.importers",
    "milp": "milpcount.engines.milp",
    "preactivation": "milpcount.preactivation",
    "sampling": "milpcount.sampling",
    "search": "milpcount.search",
    "study": "milpcount.study",
    "zoo": "milpcount.zoo",
}


def __getattr__(name: str) -> Any:
    """Import a subpackage, or where a name lives, on first use."""
    if name in _SUBPACKAGES:
        return importlib.import_module(_SUBPACKAGES[name])
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = value  # found without this function from now on
        return value
    raise AttributeError(f"module 'milpcount' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All names, imported or not."""
    return sorted({*globals(), *_NAMES, *_SUBPACKAGES})
