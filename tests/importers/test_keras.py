"""Keras models against Keras itself, with whatever backend there is."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from milpcount.core.network import ReLUNetwork
from milpcount.errors import NetworkError
from milpcount.importers import load_network

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="the package keras is not installed")
layers, ops = keras.layers, keras.ops


def numbers(tensor: Any) -> np.ndarray:
    """A tensor of any backend; Keras' own way warns with torch and numpy 2."""
    if hasattr(tensor, "detach"):
        return np.asarray(tensor.detach().numpy())
    return np.asarray(ops.convert_to_numpy(tensor))


def agree(
    model: Any, units: int | None = None, head: Callable[[np.ndarray], np.ndarray] = np.ravel
) -> ReLUNetwork:
    """Load a model and compare outputs with its own."""
    rng = np.random.default_rng(1)
    for variable in model.variables:
        if variable.dtype == "float32":
            low = 0.5 if "variance" in variable.path else -1
            variable.assign(rng.uniform(low, 1, size=variable.shape))
    net = load_network(model)
    shape = model.inputs[0].shape[1:]
    for _ in range(6):
        x = rng.normal(size=net.input_dimension).astype(np.float32)
        y = numbers(model(x.reshape(1, *shape), training=False)).ravel()
        np.testing.assert_allclose(head(net.forward(x)), y, rtol=2e-5, atol=2e-5)
    if units is not None:
        assert sum(net.counted_widths) == units
    return net


def test_a_sequential_model_keeps_its_weights() -> None:
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(5, activation="relu"), layers.Dense(2)], name="small"
    )
    net = agree(model, 5)
    assert net.name == "small"
    assert net.architecture == (3, 5, 2)
    kernel = numbers(model.layers[0].kernel.value)
    assert np.array_equal(net.weights[0], kernel.T)


def test_a_residual_network_of_images() -> None:
    x = entry = keras.Input((6, 5, 2))
    x = layers.Conv2D(3, 3, padding="same", strides=2, activation="relu")(x)
    y = layers.BatchNormalization()(layers.Conv2D(3, 2, padding="same")(x))
    x = layers.ReLU(max_value=6)(layers.Add()([x, y]))
    x = layers.Concatenate()([x, y])
    x = layers.AveragePooling2D(2, padding="same")(x)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    model = keras.Model(entry, layers.Dense(3)(x))
    agree(model, 27 + 2 * 27)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: layers.Conv1D(3, 2, dilation_rate=2, padding="causal"), (7, 2)),
        (lambda: layers.Conv2D(4, (2, 3), groups=2, strides=(2, 1)), (5, 4, 2)),
        (lambda: layers.Conv3D(2, 2), (3, 3, 3, 1)),
        (lambda: layers.DepthwiseConv2D(2, depth_multiplier=2, padding="same"), (4, 3, 2)),
        (lambda: layers.SeparableConv2D(3, 2, depth_multiplier=2), (4, 3, 2)),
        (lambda: layers.Conv2DTranspose(3, 2, strides=2), (2, 3, 2)),
        (lambda: layers.Conv2DTranspose(2, 3, strides=2, padding="valid"), (2, 2, 1)),
        (lambda: layers.Conv1DTranspose(2, 4, strides=2, padding="same"), (4, 2)),
        (lambda: layers.AveragePooling1D(2), (6, 2)),
        (lambda: layers.AveragePooling2D((2, 3), strides=1, padding="same"), (4, 4, 1)),
        (lambda: layers.GlobalAveragePooling1D(), (3, 2)),
        (lambda: layers.TimeDistributed(layers.Dense(2)), (3, 2)),
        (lambda: layers.GlobalAveragePooling2D(keepdims=True), (3, 2, 2)),
        (lambda: layers.ZeroPadding2D(((1, 0), (2, 1))), (2, 3, 2)),
        (lambda: layers.ZeroPadding1D((1, 2)), (3, 2)),
        (lambda: layers.Cropping2D(((1, 0), (0, 1))), (3, 3, 2)),
        (lambda: layers.UpSampling2D((2, 3)), (2, 2, 1)),
        (lambda: layers.Permute((2, 1)), (2, 3)),
        (lambda: layers.Reshape((-1, 2)), (4, 3)),
        (lambda: layers.RepeatVector(3), (2,)),
        (lambda: layers.Rescaling(0.25, offset=-1), (3,)),
        (lambda: layers.BatchNormalization(scale=False), (4, 2)),
        (lambda: layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.3]), (2,)),
        (lambda: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"), (2, 4)),
        (lambda: layers.Dense(3, use_bias=False), (2, 4)),
    ],
)
def test_layers(layer: Callable[[], Any], shape: tuple[int, ...]) -> None:
    entry = keras.Input(shape)
    model = keras.Model(entry, layers.ReLU()(layer()(entry)))
    agree(model)


@pytest.mark.parametrize(
    ("unit", "units"),
    [
        (lambda: layers.LeakyReLU(negative_slope=0.25), 4),
        (lambda: layers.PReLU(), 4),
        (lambda: layers.ReLU(negative_slope=0.1, max_value=0.5), 8),
        (lambda: layers.Activation("relu6"), 8),
        (lambda: layers.Activation("hard_tanh"), 8),
        (lambda: layers.Activation("hard_sigmoid"), 8),
        (lambda: layers.Activation("leaky_relu"), 4),
        (lambda: layers.Activation("soft_shrink"), 8),
        (lambda: layers.Dense(3, activation=layers.LeakyReLU(negative_slope=0.5)), 3),
    ],
)
def test_units(unit: Callable[[], Any], units: int) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4), unit(), layers.Dense(2)])
    agree(model, units)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: ops.relu(x) * 2 + 1,
        lambda x, y: ops.maximum(x, y) - ops.minimum(x, 0.25),
        lambda x, y: ops.clip(1 - x, -0.5, 0.5) / 4,
        lambda x, y: ops.abs(x)[:, 1:],
        lambda x, y: ops.concatenate([ops.relu(-x), y], axis=1),
        lambda x, y: ops.mean(ops.relu(ops.reshape(x, (-1, 2, 2))), axis=1),
        lambda x, y: layers.Average()([x, layers.Maximum()([x, y])]),
        lambda x, y: layers.Subtract()([x, y]),
        lambda x, y: ops.leaky_relu(ops.expand_dims(x, 1), negative_slope=0.25),
        lambda x, y: ops.relu(ops.stack([x[:, 0], y[:, 2]], axis=1)),
        lambda x, y: ops.relu(ops.split(x, 2, axis=1)[1]) - ops.split(y, [1, 3], axis=-1)[1],
        lambda x, y: ops.where(x > 0, x, 0.1 * x) + ops.where(y <= 0.5, 0.5, y),
        lambda x, y: ops.where(np.array([True, False, True, True]), x, y),
        lambda x, y: ops.einsum("bi,ij->bj", ops.flip(x, axis=1), np.eye(4, 2, dtype="float32")),
        lambda x, y: (
            ops.relu(ops.swapaxes(ops.reshape(x, (-1, 2, 2)), 1, 2))
            - ops.moveaxis(ops.reshape(y, (-1, 2, 2)), 1, -1)
        ),
    ],
)
def test_operations(function: Callable[[Any, Any], Any]) -> None:
    entry = keras.Input((3,))
    x, y = layers.Dense(4)(entry), layers.Dense(4, activation="relu")(entry)
    agree(keras.Model(entry, function(x, y)))


def test_models_in_models() -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu")])
    entry = keras.Input((2,))
    x = inner(layers.Dense(4)(entry))
    model = keras.Model(entry, layers.Dense(1)(x))
    agree(model, 3)


@pytest.mark.parametrize(
    ("head", "function"),
    [
        ("softmax", lambda y: np.exp(y) / np.exp(y).sum()),
        ("tanh", np.tanh),
        ("exponential", np.exp),
    ],
)
def test_heads(head: str, function: Callable[[np.ndarray], np.ndarray]) -> None:
    dense = [layers.Dense(4, activation="relu"), layers.Dense(2, activation=head)]
    net = agree(keras.Sequential([keras.Input((3,)), *dense]), 4, function)
    assert any("output head Dense" in note for note in net.notes)


def test_one_of_several_outputs() -> None:
    entry = keras.Input((3,))
    x = layers.Dense(4, activation="relu")(entry)
    model = keras.Model(entry, [layers.Dense(2, name="a")(x), layers.Dense(5, name="b")(x)])
    assert load_network(model, output=1).output_dimension == 5
    with pytest.raises(NetworkError, match="2 outputs"):
        load_network(model)


def of(*stack: Any, shape: tuple[int | None, ...] = (4,)) -> Any:
    return keras.Sequential([keras.Input(shape), *stack])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: of(layers.Dense(3, activation="tanh"), layers.Dense(2)), "comes after it"),
        (lambda: of(layers.Reshape((4, 1)), layers.MaxPooling1D(2)), "maximum or minimum"),
        (lambda: of(layers.ReLU(threshold=0.5)), "jumps at its threshold"),
        (lambda: of(layers.Dense(2, activation=lambda x: x)), "not one of Keras"),
        (lambda: of(layers.LSTM(2), shape=(3, 2)), "LSTM 'lstm"),
        (lambda: of(layers.Conv1D(2, 2), shape=(None, 2)), "fixed sizes"),
        (lambda: keras.Sequential([layers.Dense(2)]), "no graph"),
    ],
)
def test_refusals(model: Callable[[], Any], message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        load_network(model())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
