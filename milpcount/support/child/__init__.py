"""Child processes: one protocol for workers of a search and for solvers.

highspy and ortools ship different HiGHS libraries under one name and cannot be imported into the
same process (or-tools issue 5246), so what uses ortools lives in a child.
"""

from __future__ import annotations

from milpcount.support.child.parent import end_with_parent as end_with_parent
from milpcount.support.child.process import Child as Child
from milpcount.support.child.process import Message as Message
