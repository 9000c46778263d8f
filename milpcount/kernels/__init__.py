"""The inner loops of the searches in C++; ``milpcount.kernels.native`` is the extension.

One source (``src/``) is compiled for several kinds of processor; :mod:`.variants` chooses the one
to load.  Results do not depend on the choice.  Nothing here is imported before a kernel is needed,
and a checkout whose kernels were not built still counts with ``tree-highs`` and ``brute``.
"""
