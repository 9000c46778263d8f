"""milpcount counts, bounds and explains the linear regions of ReLU networks, exactly.

>>> import milpcount as mc
>>> net = mc.ReLUNetwork([[[1.0], [1.0]], [[1.0, 1.0]]], [[0.0, -0.5], [0.0]])
>>> mc.count(net, mc.Box(-1, 1)).lower
3
"""

from __future__ import annotations

import importlib
from types import ModuleType

from milpcount._version import __version__ as __version__
from milpcount.certificates import verify as verify
from milpcount.cluster import DaskCluster as DaskCluster
from milpcount.domain import Box as Box
from milpcount.domain import Domain as Domain
from milpcount.domain import Polytope as Polytope
from milpcount.domain import Slice as Slice
from milpcount.domain import WholeSpace as WholeSpace
from milpcount.errors import CertificateError as CertificateError
from milpcount.errors import ConfigError as ConfigError
from milpcount.errors import DomainError as DomainError
from milpcount.errors import InputError as InputError
from milpcount.errors import InvariantError as InvariantError
from milpcount.errors import MilpcountError as MilpcountError
from milpcount.errors import MissingDependencyError as MissingDependencyError
from milpcount.errors import NetworkError as NetworkError
from milpcount.errors import SolverError as SolverError
from milpcount.errors import UnsupportedError as UnsupportedError
from milpcount.facade import bound as bound
from milpcount.facade import count as count
from milpcount.facade import enumerate_regions as enumerate_regions
from milpcount.facade import estimate as estimate
from milpcount.importers import load_boxes as load_boxes
from milpcount.importers import load_network as load_network
from milpcount.network import Layer as Layer
from milpcount.network import ReLUNetwork as ReLUNetwork
from milpcount.pattern import ActivationPattern as ActivationPattern
from milpcount.region import Region as Region
from milpcount.result import BoundResult as BoundResult
from milpcount.result import Budget as Budget
from milpcount.result import CountResult as CountResult
from milpcount.result import Definition as Definition
from milpcount.result import EstimateResult as EstimateResult
from milpcount.result import Guarantee as Guarantee
from milpcount.result import Limit as Limit
from milpcount.result import Progress as Progress
from milpcount.result import Termination as Termination
from milpcount.result import TerminationReason as TerminationReason
from milpcount.survey import SurveyResult as SurveyResult
from milpcount.survey import SurveyRow as SurveyRow
from milpcount.survey import survey as survey

_SUBPACKAGES = (
    "bounds",
    "exact",
    "importers",
    "milp",
    "preactivation",
    "sampling",
    "search",
    "study",
)


def __getattr__(name: str) -> ModuleType:
    """Import a subpackage on first use, so that ``import milpcount`` stays light."""
    if name in _SUBPACKAGES:
        return importlib.import_module(f"milpcount.{name}")
    raise AttributeError(f"module 'milpcount' has no attribute {name!r}")
