"""Ctrl-C while foreign code runs that would swallow the exception or be left half done by it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["deferred_interrupts"]


@contextmanager
def deferred_interrupts(stop: Callable[[], None]) -> Iterator[None]:
    """Within the block Ctrl-C calls ``stop``, again and again until the block ends.

    KeyboardInterrupt is raised after the block, whatever the code in it made of the stop.  Does
    nothing outside the main thread, which alone receives signals, or where Ctrl-C is ignored.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (
        signal.SIG_IGN,
        None,
    ):
        yield
        return
    over = threading.Event()
    hit = False

    def insist() -> None:
        # A request that comes just before the code starts may be forgotten by it.
        while not over.wait(0.05):
            stop()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal hit
        if not hit:
            hit = True
            threading.Thread(target=insist, daemon=True).start()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        over.set()
        signal.signal(signal.SIGINT, before)
    if hit:
        raise KeyboardInterrupt
