"""PyTorch modules: read as they are, or traced."""
