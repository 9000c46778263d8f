"""preactivation."""
