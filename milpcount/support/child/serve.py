"""The child's side: run as ``python -P serve.py WORKER.py``; imports nothing of this package.

Reads one JSON request a line on stdin, calls the method of ``Worker`` that it names, and answers
with one JSON object a line.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Serve requests until stdin ends."""
    # Solvers write to file descriptor 1 at times; the protocol keeps its own copy of it.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker: Any = runpy.run_path(sys.argv[1])["Worker"]()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = getattr(worker, request.pop("command"))(request)
        except (RuntimeError, ValueError) as error:
            reply = {"error": " ".join(str(error).split())}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
