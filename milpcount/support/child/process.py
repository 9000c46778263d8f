"""The parent's side."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from milpcount.errors import SolverError

__all__ = ["PATIENCE", "Child", "Message"]

# Seconds without a sign of life from a process that works (it gives one a second) or starts.
PATIENCE = 120.0

_SERVE = Path(__file__).with_name("serve.py")
_ENDING = 10.0  # seconds for a killed process to end
_TAIL = 4000  # bytes kept of what the process prints


@dataclass(frozen=True, eq=False)
class Message:
    """What a child says.

    Attributes:
        child: which one.
        kind: "ready", "busy", "done", "failed" (:mod:`.serve`), or "ended": the last of all.
        value: the answer, the text of the failure, or None.
    """

    child: Child
    kind: str
    value: Any = None


class Child:
    """A process that runs a class ``Worker`` and is called through a connection of its own.

    Whatever it and its libraries print, on either descriptor, goes nowhere near the connection;
    the last lines are kept for messages.  Two threads of this process write and read, so that
    nothing here waits on the child but :meth:`ask`, which has a limit.  The child ends when this
    process does, however that ends.

    Arguments:
        worker: a file, which is run alone and must not import from its package, or the name of a
            module.
        name: of what it runs, for messages.
        inbox: where its messages go, of several children if need be; its own if None.
        environment: variables that it gets besides those of this process.

    Raises:
        SolverError: the system starts no process.
    """

    def __init__(
        self,
        worker: Path | str,
        name: str,
        inbox: queue.SimpleQueue[Message] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue() if inbox is None else inbox
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._tail = b""
        self._closed = False
        self._connection, theirs = multiprocessing.Pipe()
        with theirs:
            try:
                self._process = _start(theirs.fileno(), environment or {})
            except OSError as error:
                self._connection.close()
                raise SolverError(f"the {name} process cannot be started: {error}") from error
        self.heard = time.monotonic()
        kind = "file" if isinstance(worker, Path) else "module"
        self._send(([path or str(Path.cwd()) for path in sys.path], kind, str(worker)))
        self._threads = [
            threading.Thread(target=run, daemon=True)
            for run in (self._write, self._read, self._drain)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def silent(self) -> bool:
        """Whether it has given no sign of life for too long; asked while a call is at work."""
        return time.monotonic() - self.heard > PATIENCE

    def post(self, command: str, **values: Any) -> None:
        """Call a method of the worker; its answer comes to the inbox."""
        self.heard = time.monotonic()
        self._send((command, values))

    def stop(self) -> None:
        """Call the worker's method ``stop``, now."""
        self._send(None)

    def ask(self, command: str, **values: Any) -> Any:
        """Call a method of the worker and wait for its answer; Ctrl-C ends the child.

        Only where the inbox is its own.

        Raises:
            SolverError: the method failed, or the process ended or gave no sign of life.
        """
        if self._closed:
            raise SolverError(f"the {self._name} process ended: {self.last_words}")
        self.post(command, **values)
        try:
            while not self.silent:
                with contextlib.suppress(queue.Empty):
                    message = self._inbox.get(timeout=1.0)
                    if message.kind == "done":
                        return message.value
                    if message.kind == "failed":
                        raise SolverError(f"{self._name}: {message.value}")
                    if message.kind == "ended":
                        self.close()
                        raise SolverError(f"the {self._name} process ended: {self.last_words}")
        except KeyboardInterrupt:
            self.close()
            raise
        self.close()
        raise SolverError(
            f"the {self._name} process gave no sign of life for {PATIENCE:.0f} s and was ended"
        )

    @property
    def last_words(self) -> str:
        """The last line that it printed, and how it ended."""
        lines = self._tail.decode("utf-8", "replace").strip().splitlines()
        code = self._process.poll()
        last = " ".join(lines[-1].split()) if lines else "no message"
        return last if code is None else f"{last} (exit code {code})"

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._process.kill()
        self._outbox.put(None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDING)
        for thread in self._threads:
            thread.join(_ENDING)
        if not any(thread.is_alive() for thread in self._threads):
            self._connection.close()

    def _send(self, message: object) -> None:
        self._outbox.put(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))

    def _write(self) -> None:
        # If it has died, the reader will say so.
        with contextlib.suppress(OSError):
            while (data := self._outbox.get()) is not None:
                self._connection.send_bytes(data)

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, value = self._connection.recv()
                self.heard = time.monotonic()
                self._inbox.put(Message(self, kind, value))
        self._inbox.put(Message(self, "ended"))

    def _drain(self) -> None:
        """Read what it prints: a full pipe would stop it."""
        pipe = self._process.stdout
        assert pipe is not None
        with pipe:
            while part := pipe.read1(_TAIL):  # type: ignore[attr-defined]
                self._tail = (self._tail + part)[-_TAIL:]


def _start(number: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the process with the descriptor (on Windows the handle) of its end."""
    given: dict[str, Any]
    if sys.platform == "win32":
        os.set_handle_inheritable(number, True)
        given = {"close_fds": False, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    else:
        # In a session of its own, where no Ctrl-C reaches it.
        given = {"pass_fds": (number,), "start_new_session": True}
    return subprocess.Popen(
        # A file, its folder not on the path: as a module it would import its package, and highspy.
        [sys.executable, "-P", str(_SERVE), str(number), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environment},
        **given,
    )
