"""Keras 3 models, read from their graphs of layers."""
