"""The result store: one JSON line a finished run, appended by one process, never rewritten."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from milpcount.errors import ConfigError
from milpcount.support.locks import try_lock
from milpcount.support.regular_files import require_regular, writing

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
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        whole = content[: _end_of_whole_lines(content)]
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
    def appending(self, *, fresh: bool = False) -> Iterator[StoreWriter]:
        """Hold the store for writing, emptied first if ``fresh``.

        The lock belongs to the open file: the system frees it however the process ends, so that
        there is nothing to clean up after a kill.

        Raises:
            ConfigError: another process writes to this store.
            InputError, OutputError: there can be no such file.
        """
        require_regular(self.path)
        with writing(self.path, "name another output folder"):
            self.folder.mkdir(parents=True, exist_ok=True)
            store = self.path.open("a+b")
        try:
            if not try_lock(store):
                raise ConfigError(
                    f"{self.path} is being written by another milpcount run; wait for its end"
                )
            store.seek(0)
            store.truncate(0 if fresh else _end_of_whole_lines(store.read()))
            yield StoreWriter(store, self.path)
        finally:
            # Every line was written through; of one that was not its writer has told.
            with suppress(OSError):
                store.close()


class StoreWriter:
    """Appends to a store that is held."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one finished run through to the disk.

        Raises:
            OutputError: the system refuses.
        """
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        with writing(self._path, "the runs before are kept: make room, and run again to go on"):
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())


def _end_of_whole_lines(content: bytes) -> int:
    return content.rfind(b"\n") + 1
