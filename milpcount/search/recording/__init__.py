"""Writers of certificates; the format is described in :mod:`milpcount.proof.format`."""
