"""``python -m milpcount``: the command line."""

from milpcount.cli import main

main()
