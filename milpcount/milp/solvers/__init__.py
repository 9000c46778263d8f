"""MILP solvers behind one interface: HiGHS, and OR-tools' HiGHS and SCIP."""

from milpcount.milp.solvers.registry import SOLVERS as SOLVERS
from milpcount.milp.solvers.registry import Availability as Availability
from milpcount.milp.solvers.registry import check_solver as check_solver
from milpcount.milp.solvers.registry import make_solver as make_solver
