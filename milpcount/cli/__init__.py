"""The command line: thin commands over the façade.

Exit codes: 0 done and exact (or what was asked), 2 bad usage or bad input, 3 stopped by a limit,
4 failed.  With ``--json`` exactly one JSON object goes to stdout; messages go to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from milpcount.cli.streams import reserved_stdout

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # Threads of OpenBLAS, one a core, that wait for work by spinning cost more than a small count;
    # these sleep.  It is read when NumPy is imported.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    code = 4  # failed
    try:
        with reserved_stdout():
            # Brings the libraries, which may print when they are imported.
            from milpcount.cli.app import run

            code = run(arguments)
    except BrokenPipeError:
        pass  # who read the answer has enough of it
    except OSError as error:
        sys.stderr.write(f"milpcount: cannot write: {error.strerror}\n")
        code = 4
    sys.exit(code)
