"""Regions of MNIST networks with 22 hidden units in two layers, against the analytic bounds.

After Serra, Tjandraatmadja and Ramalingam (ICML 2018): every split of the units over the two
layers, ten networks a split, all full-dimensional regions over ``[0, 1]^784``; also against the
accuracy and the loss that training reached, and how much the activation-based bound closes of the
gap between the paper's bound and the count.

The networks are made by ``scripts/train_mnist.py``; ``milpcount run`` makes the rest.
"""

from __future__ import annotations

TRAINING = "configs/mnist22/train.yaml"
NETWORKS = "results/mnist22/networks"
SMOKE = "configs/mnist22/smoke.yaml"
PAPER = "configs/mnist22/paper.yaml"
RESULTS = "results/mnist22/paper"
TABLES = ("architectures", "gap_closed", "runs")
FIGURES = (
    "bounds_and_counts",
    "counts_and_accuracy",
    "counts_and_accuracy_wide",
    "counts_and_loss",
    "counts_and_loss_wide",
)
