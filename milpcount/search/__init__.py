"""Exact search for regions: tree search, cells by their vertices, runs shared and resumed.

:mod:`milpcount.search.run.driver` runs a count, :mod:`milpcount.search.searcher` one portion of it
with :mod:`milpcount.kernels`; :mod:`milpcount.exact.tree` settles what floats leave open.
"""
