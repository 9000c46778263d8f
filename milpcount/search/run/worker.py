"""A worker process: ``python -m milpcount.search.run.worker``, fed through its standard input.

Messages are pickles: first ``(problem, method, keep, coordinates)``, then ``(bundle, seconds)``
each answered by a report, or None, which stops the bundle at work.  When the input ends, because
the parent is done or dead, the worker ends too.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from typing import BinaryIO

from milpcount.search.run.bundle import BundleRunner

__all__ = ["main"]


def main() -> None:
    """Serve bundles until the input ends."""
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    # Nothing else may write where the reports go.
    sys.stdout = sys.stderr
    first = pickle.load(source)  # noqa: S301 - from our own parent
    runner = BundleRunner(*first)
    work: queue.Queue[tuple[object, float] | None] = queue.Queue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(source, work, stop), daemon=True).start()
    while True:
        item = work.get()
        if item is None:
            continue
        stop.clear()
        report = runner.run(*item, stop.is_set)  # type: ignore[arg-type]
        pickle.dump(report, sink, protocol=pickle.HIGHEST_PROTOCOL)
        sink.flush()


def _listen(
    source: BinaryIO, work: queue.Queue[tuple[object, float] | None], stop: threading.Event
) -> None:
    while True:
        try:
            item = pickle.load(source)  # noqa: S301 - from our own parent
        except EOFError:
            os._exit(0)
        if item is None:
            stop.set()
        else:
            work.put(item)


if __name__ == "__main__":
    main()
