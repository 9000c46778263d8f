"""Exact search for regions: tree search, cells by their vertices, runs shared and resumed.

:mod:`.driver` runs a count, :mod:`.searcher` one portion of it, :mod:`.compiled` has the kernels;
:mod:`milpcount.exact.tree` is the plain search that settles what floats leave open.
"""
