"""Complexes whose vertices carry gradients to the weights of a PyTorch module."""
