"""The MILP of Serra et al. 2018: the Pyomo model, solvers, enumeration with no-good cuts."""

from milpcount.engines.milp.model import add_nogood as add_nogood
from milpcount.engines.milp.model import build_model as build_model
