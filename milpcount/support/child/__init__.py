"""Solvers in a process of their own, which is sent requests, one JSON object a line.

highspy and ortools ship different HiGHS libraries under one name and cannot be imported into the
same process (or-tools issue 5246), so what uses ortools lives in a child.
"""

from __future__ import annotations

from milpcount.support.child.process import Child as Child
