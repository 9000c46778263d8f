"""MILP solvers behind one interface: HiGHS, and OR-tools' HiGHS and SCIP."""

from milpcount.engines.milp.solvers.solver_table import SOLVERS as SOLVERS
from milpcount.engines.milp.solvers.solver_table import Availability as Availability
from milpcount.engines.milp.solvers.solver_table import check_solver as check_solver
from milpcount.engines.milp.solvers.solver_table import make_solver as make_solver
