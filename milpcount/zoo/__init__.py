"""Networks and arrangements whose numbers of regions are known, with the numbers and sources.

>>> from milpcount import zoo
>>> zoo.braid(4).regions
24
"""

from __future__ import annotations

from milpcount.zoo.arrangements import braid as braid
from milpcount.zoo.arrangements import catalan as catalan
from milpcount.zoo.arrangements import general_position as general_position
from milpcount.zoo.arrangements import linial as linial
from milpcount.zoo.arrangements import resonance as resonance
from milpcount.zoo.arrangements import shi as shi
from milpcount.zoo.arrangements import threshold as threshold
from milpcount.zoo.folds import cantor as cantor
from milpcount.zoo.folds import montufar as montufar
from milpcount.zoo.folds import tent_map as tent_map
from milpcount.zoo.specimen import Specimen as Specimen
