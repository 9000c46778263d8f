"""Processes that the standard library's pools or Dask start: they end with their parent too."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from multiprocessing import connection

__all__ = ["end_with_parent"]

_LOOK = 0.25  # seconds


def end_with_parent() -> None:
    """From now on end this process when the process that started it ends.

    For processes started by :mod:`multiprocessing`, as the initializer of a pool; elsewhere it
    does nothing.  What is at work is cut off: nobody would take its result.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel, os.getppid()), daemon=True).start()


def _watch(sentinel: int, above: int) -> None:
    # The sentinel tells at once, unless a process that the parent forked keeps a copy of it.
    while not connection.wait([sentinel], _LOOK):
        if sys.platform != "win32" and os.getppid() != above:
            break
    os._exit(1)
