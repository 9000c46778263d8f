"""Perceptrons of scikit-learn against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from milpcount.errors import NetworkError
from milpcount.importers import load_network

pytest.importorskip("sklearn", reason="the package scikit-learn is not installed")
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

X = np.random.default_rng(0).normal(size=(40, 3))


def fitted(kind: type[Any], y: np.ndarray, **options: Any) -> Any:
    model = kind(
        hidden_layer_sizes=(5, 4), solver="lbfgs", max_iter=2000, random_state=0, **options
    )
    return model.fit(X, y)


def test_regressor() -> None:
    model = fitted(MLPRegressor, X[:, :2] ** 2)
    net = load_network(model)
    assert net.architecture == (3, 5, 4, 2)
    assert net.notes == ()
    assert net.name == "MLPRegressor"
    np.testing.assert_allclose(net.forward(X), model.predict(X), rtol=1e-12, atol=1e-12)
    for x in X:
        h, bits = x, []
        for weight, bias in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
            bits.append(h @ weight + bias > 0)
            h = np.maximum(h @ weight + bias, 0)
        assert np.array_equal(net.pattern(x).bits, np.concatenate(bits))


@pytest.mark.parametrize("classes", [2, 3])
def test_classifier_without_its_head(classes: int) -> None:
    y = np.arange(40) % classes
    model = fitted(MLPClassifier, y)
    net = load_network(model, name="mine")
    assert net.name == "mine"
    assert len(net.notes) == 1
    assert model.out_activation_ in net.notes[0]
    scores = net.forward(X)
    if classes == 2:
        theirs = model.predict_proba(X)[:, 1]
        np.testing.assert_allclose((1 + np.tanh(scores[:, 0] / 2)) / 2, theirs, atol=1e-12)
    else:
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        np.testing.assert_allclose(
            e / e.sum(axis=1, keepdims=True), model.predict_proba(X), rtol=1e-9, atol=1e-12
        )


def test_single_precision_weights_are_widened() -> None:
    model = MLPRegressor(hidden_layer_sizes=(4,), random_state=0)
    model.partial_fit(X.astype(np.float32), X[:, 0].astype(np.float32))
    assert model.coefs_[0].dtype == np.float32
    assert np.array_equal(load_network(model).weights[0], model.coefs_[0].T)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MLPRegressor(), "not fitted"),
        (MLPClassifier(activation="tanh"), "activation='tanh'"),
        (MLPClassifier(activation="identity"), "activation='identity'"),
        (LinearRegression(), "LinearRegression"),
        (make_pipeline(MLPRegressor()), "last step"),
    ],
)
def test_refusals(model: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        load_network(model)
