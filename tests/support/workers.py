"""Workers for child processes: what libraries and luck can do to them; run as a file, alone."""

from __future__ import annotations

import os
import sys
import time

print("printed on import, by Python")  # noqa: T201
os.write(1, b"printed on import, on descriptor 1\n")
os.write(2, b"printed on import, on descriptor 2\n")


class Worker:
    def echo(self, value: object) -> object:
        print("printed on use, by Python", flush=True)  # noqa: T201
        os.write(1, b"printed on use, on descriptor 1\n")
        os.write(2, b"printed on use, on descriptor 2\n")
        return value

    def flood(self, size: int) -> int:
        """More than any pipe holds, on both descriptors, without a line end."""
        for descriptor in (1, 2):
            for _ in range(size // 1000):
                os.write(descriptor, b"x" * 1000)
        return size

    def refuse(self) -> None:
        raise RuntimeError("no\nanswer")

    def die(self) -> None:
        sys.stderr.write("these are my last words\n")
        sys.stderr.flush()
        os._exit(7)

    def sleep(self, seconds: float) -> str:
        self.stopped = False
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopped:
            time.sleep(0.01)
        return "stopped" if self.stopped else "slept"

    def stop(self) -> None:
        self.stopped = True

    def hold(self, path: str) -> None:
        """Lock a file and work for ever, never letting go of the interpreter for long."""
        import fcntl

        file = open(path, "ab")  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(b"held\n")
        file.flush()
        while True:
            sum(range(1000))
