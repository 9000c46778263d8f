"""Counts of one MNIST network after each epoch of its training, beside its accuracy.

After an early version of the paper of Serra, Tjandraatmadja and Ramalingam.
"""

from __future__ import annotations

TRAINING = "configs/mnist22/train_epochs.yaml"
NETWORKS = "results/mnist22/epochs"
SMOKE = "configs/mnist22/smoke.yaml"
PAPER = "configs/mnist22/epochs.yaml"
RESULTS = "results/mnist22/epochs"
TABLES = ("epochs",)
FIGURES = ("counts_by_epoch",)
