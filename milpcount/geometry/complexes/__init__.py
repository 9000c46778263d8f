"""The polyhedral complex of a network: its faces of all dimensions, and closed parts of it."""
