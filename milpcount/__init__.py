"""milpcount."""
