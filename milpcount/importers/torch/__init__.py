"""PyTorch modules, run once on a stand-in for their input."""
