"""The child's side: run as ``python -P serve.py CONNECTION PARENT``; imports nothing of milpcount.

``CONNECTION`` is the number of an inherited descriptor (on Windows a handle) that belongs to the
protocol alone, ``PARENT`` the process number of the parent.  Messages are pickles:

* from the parent first ``(search path, kind, name)``, which names the class ``Worker`` of a file
  or of a module; then ``(command, values)``, a call of a method, or None, a call of ``stop`` at
  once, while another method is at work;
* to the parent ``("ready", None)``, then for each call ``("done", value)`` or ``("failed", text)``,
  and while a call is at work ``("busy", None)`` every second.

When the connection breaks or the parent is gone, the process ends at once.
"""

from __future__ import annotations

import importlib
import os
import queue
import runpy
import signal
import sys
import threading
import traceback
from multiprocessing import connection
from typing import Any

__all__ = ["main"]

_BEAT = 1.0  # seconds between two signs of life

Call = tuple[str, dict[str, Any]]


def main() -> None:
    """Serve calls until the parent is gone."""
    # Ctrl-C is for the parent, which decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.excepthook = _end
    line = _Line(int(sys.argv[1]), int(sys.argv[2]))
    path, kind, name = line.receive()
    sys.path[:] = path
    # A file is run alone: as a module it would bring its package along.
    made = runpy.run_path(name) if kind == "file" else vars(importlib.import_module(name))
    worker: Any = made["Worker"]()
    line.send("ready", None)
    threading.Thread(target=line.listen, args=(worker,), daemon=True).start()
    while True:
        command, values = line.calls.get()
        try:
            message = ("done", getattr(worker, command)(**values))
        except (RuntimeError, ValueError) as error:
            message = ("failed", " ".join(str(error).split()) or type(error).__name__)
        line.send(*message)


class _Line:
    """The connection: written by two threads, read by one that calls are not waiting for."""

    def __init__(self, number: int, parent: int) -> None:
        if sys.platform == "win32":
            self._connection: Any = connection.PipeConnection(number)
        else:
            self._connection = connection.Connection(number)
        self._parent = parent
        self._lock = threading.Lock()
        self._at_work = 0
        self.calls: queue.SimpleQueue[Call] = queue.SimpleQueue()

    def receive(self) -> Any:
        """The next message; ends the process when there is none to come."""
        try:
            while not self._connection.poll(_BEAT):
                # A copy of the parent's end may live on in a process that it forked.
                if sys.platform != "win32" and os.getppid() != self._parent:
                    os._exit(0)
                if self._at_work:
                    self.send("busy", None)
            return self._connection.recv()
        except (EOFError, OSError):
            os._exit(0)

    def send(self, kind: str, value: Any) -> None:
        """Send a message."""
        with self._lock:
            self._at_work -= kind in ("done", "failed")
            try:
                self._connection.send((kind, value))
            except OSError:
                os._exit(0)

    def listen(self, worker: Any) -> None:
        """Put calls in the queue, and pass a stop on at once."""
        while True:
            message = self.receive()
            if message is None:
                worker.stop()
                continue
            with self._lock:
                self._at_work += 1
            self.calls.put(message)


def _end(failure: threading.ExceptHookArgs) -> None:
    """A message that cannot be read is the end: nobody would answer."""
    traceback.print_exception(failure.exc_value)
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
