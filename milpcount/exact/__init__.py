"""Exact rational arithmetic: forms, feasibility with proofs, vertices, ranges, domains."""
