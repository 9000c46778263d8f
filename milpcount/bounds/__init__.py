"""Analytic bounds on the number of linear regions, as exact integers of any size.

Bounds come from widths alone, or from widths and ranks of a network's weights; no solver runs.
Widths are ``[n_0, n_1, ..., n_L]``: the inputs, then every layer whose units count as ReLUs.
"""

from milpcount.bounds.activation import bound_activation_based as bound_activation_based
from milpcount.bounds.estimates import estimate_hanin_rolnick2019 as estimate_hanin_rolnick2019
from milpcount.bounds.hinz import bound_hinz2019 as bound_hinz2019
from milpcount.bounds.lower import bound_arora2018_lower as bound_arora2018_lower
from milpcount.bounds.lower import bound_montufar2014_lower as bound_montufar2014_lower
from milpcount.bounds.lower import bound_serra2018_lower as bound_serra2018_lower
from milpcount.bounds.lower import count_dimension_one as count_dimension_one
from milpcount.bounds.maxout import bound_maxout_montufar2022 as bound_maxout_montufar2022
from milpcount.bounds.maxout import (
    bound_maxout_montufar2022_shallow as bound_maxout_montufar2022_shallow,
)
from milpcount.bounds.maxout import bound_maxout_serra2018 as bound_maxout_serra2018
from milpcount.bounds.serra import bound_serra2018 as bound_serra2018
from milpcount.bounds.table import bound_architecture as bound_architecture
from milpcount.bounds.table import bound_network as bound_network
from milpcount.bounds.table import proved_upper as proved_upper
from milpcount.bounds.upper import bound_montufar2017 as bound_montufar2017
from milpcount.bounds.upper import bound_naive as bound_naive
from milpcount.bounds.upper import bound_raghu2017 as bound_raghu2017
from milpcount.bounds.upper import count_arrangement as count_arrangement
