"""The result store: one JSON line a finished run, appended by one process, never rewritten."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from milpcount.errors import ConfigError

__all__ = ["ResultStore"]


class ResultStore:
    """``runs.jsonl`` in a folder.

    A line that was torn by a kill is dropped before the next append.  Of several lines with one
    key the last counts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "runs.jsonl"

    def read(self) -> dict[str, dict[str, Any]]:
        """All finished runs by key, in the order of their first appearance.

        Raises:
            ConfigError: a line in the middle of the file is no run.
        """
        if not self.path.exists():
            return {}
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        runs: dict[str, dict[str, Any]] = {}
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                record = json.loads(line)
                runs[record["key"]] = record
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(
                    f"{self.path}:{number}: not a stored run; remove the line, or the file"
                ) from error
        return runs

    @contextmanager
    def appending(self) -> Iterator[ResultStore]:
        """Hold the store for writing; refuses while another process holds it.

        Raises:
            ConfigError: another process writes to this store.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self.folder / "runs.lock"
        _acquire(lock)
        try:
            self._drop_torn_line()
            yield self
        finally:
            lock.unlink(missing_ok=True)

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one finished run through to the disk."""
        line = json.dumps(record, allow_nan=False) + "\n"
        with self.path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def _drop_torn_line(self) -> None:
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            with self.path.open("r+b") as file:
                file.truncate(end)


def _acquire(lock: Path) -> None:
    """Create the lock file with our process id; take over one whose process is gone."""
    for _ in range(2):
        try:
            descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            holder = lock.read_text(encoding="utf-8").strip()
            if holder.isdigit() and not _alive(int(holder)):
                lock.unlink(missing_ok=True)
                continue
            raise ConfigError(
                f"{lock.parent} is being written by process {holder or '?'}; wait for it, "
                f"or remove {lock.name} if it is gone"
            ) from None
        with os.fdopen(descriptor, "w") as file:
            file.write(str(os.getpid()))
        return
    raise ConfigError(f"{lock} cannot be taken; remove it if no run is going on")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
