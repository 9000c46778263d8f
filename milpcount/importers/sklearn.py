"""Fitted multi-layer perceptrons of scikit-learn."""

from __future__ import annotations

from typing import Any

from milpcount.core.network import ReLUNetwork
from milpcount.errors import NetworkError

__all__ = ["from_sklearn", "is_estimator"]


def is_estimator(source: object) -> bool:
    """Whether an object comes from scikit-learn; does not import it."""
    return any(base.__module__.partition(".")[0] == "sklearn" for base in type(source).__mro__)


def from_sklearn(estimator: Any, *, name: str | None = None) -> ReLUNetwork:
    """The network of a fitted ``MLPClassifier`` or ``MLPRegressor`` with ``activation="relu"``.

    The logistic or softmax function that a classifier puts after the last affine layer is left
    out, which ``notes`` says.

    Raises:
        NetworkError: another estimator, one that is not fitted, or another activation.
    """
    kind = type(estimator).__name__
    bases = {base.__name__ for base in type(estimator).__mro__}
    if not bases & {"MLPClassifier", "MLPRegressor"}:
        raise NetworkError(
            f"{kind} is not a ReLU network; give a fitted MLPClassifier or MLPRegressor "
            "(for a pipeline, its last step)"
        )
    if estimator.activation != "relu":
        raise NetworkError(
            f"{kind} has activation={estimator.activation!r}, which is not counted; "
            "fit it with activation='relu'"
        )
    if not hasattr(estimator, "coefs_"):
        raise NetworkError(f"{kind} is not fitted; call its fit method first")
    head = getattr(estimator, "out_activation_", "identity")
    notes = []
    if head != "identity":
        notes.append(
            f"the output head {head} is left out: the network ends with the affine layer before "
            "it, and its activation patterns are the same"
        )
    return ReLUNetwork(
        [weight.T for weight in estimator.coefs_],
        estimator.intercepts_,
        name=name or kind,
        notes=notes,
    )
