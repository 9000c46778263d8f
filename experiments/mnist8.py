"""Regions of MNIST networks with 8 hidden units in two layers, against the analytic bounds.

After the experiments of Serra, Tjandraatmadja and Ramalingam (ICML 2018): every split of the
units over the two layers, several networks a split, all full-dimensional regions over
``[0, 1]^784``.  The paper has 22 units; at 8 the MILP counts every network in minutes.

The networks are made by ``scripts/train_mnist.py``; ``milpcount run`` makes the rest.
"""

from __future__ import annotations

TRAINING = "configs/mnist8/train.yaml"
NETWORKS = "results/mnist8/networks"
SMOKE = "configs/mnist8/smoke.yaml"
PAPER = "configs/mnist8/paper.yaml"
RESULTS = "results/mnist8/paper"
TABLES = ("architectures", "runs")
FIGURES = ("bounds_and_counts", "counts_and_accuracy")
