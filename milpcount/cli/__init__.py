"""The command line: thin commands over the façade.

Exit codes: 0 done and exact (or what was asked), 2 bad usage or bad input, 3 stopped by a limit,
4 failed.  With ``--json`` exactly one JSON object goes to stdout; messages go to stderr.
"""

from milpcount.cli.app import main as main
