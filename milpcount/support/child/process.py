"""The parent's side."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from milpcount.errors import SolverError

__all__ = ["Child"]

_SERVE = Path(__file__).with_name("serve.py")


class Child:
    """A process that runs the class ``Worker`` of a file; it starts at once.

    Arguments:
        worker: the file, which is run alone: it must not import from its own package.
        name: of what it runs, for messages.
    """

    def __init__(self, worker: Path, name: str) -> None:
        self._name = name
        self._process: subprocess.Popen[str] | None = subprocess.Popen(
            # As files, without their folders on the path: importing them as modules of this
            # package would import highspy along.
            [sys.executable, "-P", str(_SERVE), str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C reaches the parent alone, which then ends the child.
            start_new_session=True,
        )

    def ask(self, command: str, **values: Any) -> dict[str, Any]:
        """Call a method of the worker; Ctrl-C ends the child.

        Raises:
            SolverError: the method failed, or the process ended.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise SolverError(f"the {self._name} process is not running")
        try:
            process.stdin.write(json.dumps({"command": command, **values}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        except KeyboardInterrupt:
            self.close()
            raise
        if not line:
            _, errors = process.communicate()
            self._process = None
            last = errors.strip().splitlines()[-1:] or ["no message"]
            raise SolverError(f"the {self._name} process ended: {last[0]}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise SolverError(f"{self._name}: {reply['error']}")
        return reply

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
