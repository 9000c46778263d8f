"""The affine map that a network computes around each of many inputs, and what these maps tell.

Around an input ``x`` that lies on no boundary a piecewise linear network is ``J x + b``.  The
*local map* of output ``j`` is row ``j`` of ``J`` and entry ``j`` of ``b``: a point of a space of
``d + 1`` dimensions.  Many inputs make a cloud of such points for each output (Sattelberg,
Cavalieri, Kirby, Peterson, Beveridge: Locally linear attributes of ReLU neural networks).
"""
