"""Networks, boxes and points from files and from objects of other packages.

Each format has a module of its own, imported on use; so are the packages that some of them need.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milpcount.core.network import ReLUNetwork
from milpcount.errors import NetworkError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from milpcount.core.domain import Box

__all__ = ["load_boxes", "load_network", "load_point"]

_SUPPORTED = (
    ".npz, .onnx and .nnet files, torch modules, Keras models, fitted scikit-learn MLPs and "
    "pairs (weights, biases) of lists"
)
_ARRAYS = "save the weights as an .npz archive (W0, b0, W1, b1, ..., each W of shape (out, in))"
_PICKLE = "is a pickle, which could run code when it is opened"

_REFUSED = {
    **dict.fromkeys(
        (".pt", ".pth", ".ckpt"),
        f"{_PICKLE}; pass the module itself from Python, export it with torch.onnx.export, or "
        f"{_ARRAYS}",
    ),
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib"),
        f"{_PICKLE}; pass the object itself from Python, or {_ARRAYS}",
    ),
    **dict.fromkeys(
        (".h5", ".hdf5", ".keras"),
        "is a Keras file, which could hold code and is not opened; load it with Keras and pass the "
        f"model from Python, convert it to ONNX (tf2onnx), or {_ARRAYS}",
    ),
}


def load_network(
    source: Any,
    *,
    name: str | None = None,
    output: str | int | None = None,
    input_shape: Sequence[int] | None = None,
) -> ReLUNetwork:
    """A ReLU network from a file or an object.

    Arguments:
        source: the path of an ``.npz``, ``.onnx`` or ``.nnet`` file; a ``torch.nn.Module``; a
            Keras model; a fitted scikit-learn ``MLPClassifier`` or ``MLPRegressor``; a pair
            (weights, biases) of lists, each weight of shape (out, in); or a :class:`ReLUNetwork`,
            which is given back.
        name: the network's name, for messages and tables; from the source if None.
        output: which output, of an ``.onnx`` file, a module or a model that has several.
        input_shape: the shape of one sample, for a module whose layers do not tell it:
            ``load_network(module, input_shape=(1, 28, 28))``.

    Raises:
        NetworkError: the source is missing, damaged, of an unknown kind, or not a ReLU network.
        DomainError: the input box that came with the network is empty or does not fit it.
        UnsupportedError: a network that treats the samples of a batch in different ways.
        MissingDependencyError: reading it needs a package that is not installed.
    """
    if isinstance(source, str | os.PathLike):
        _require_no_shape(input_shape)
        return _from_file(Path(os.fspath(source)), name, output)
    from milpcount.importers.keras.keras_model import from_keras, is_model
    from milpcount.importers.sklearn import from_sklearn, is_estimator
    from milpcount.importers.torch.module import from_torch, is_module

    # A Keras model on torch is a torch module as well.
    if is_model(source):
        return from_keras(source, name=name, output=output)
    if is_module(source):
        return from_torch(source, name=name, input_shape=input_shape, output=output)
    _require_no_shape(input_shape)
    if output is not None:
        raise NetworkError("output chooses one of several of a file, a module or a model; leave it")
    if isinstance(source, ReLUNetwork):
        return source
    if isinstance(source, list | tuple):
        return _from_lists(source, name)
    if is_estimator(source):
        return from_sklearn(source, name=name)
    raise NetworkError(
        f"no network can be read from an object of type {type(source).__name__}; "
        f"give one of these: {_SUPPORTED}"
    )


def load_boxes(path: str | os.PathLike[str]) -> list[Box]:
    """The input boxes of a ``.vnnlib`` property; several when it is a disjunction.

    Raises:
        DomainError: a missing or malformed file, or a set of inputs that is not a union of boxes.
    """
    from milpcount.importers.vnnlib import load_vnnlib

    return load_vnnlib(Path(path))


def load_point(path: str | os.PathLike[str]) -> NDArray[np.float64]:
    """The vector in an ``.npy``, ``.npz`` (one array), ``.csv`` or ``.txt`` file, shape (n,).

    Raises:
        DomainError: a missing or damaged file, or one that does not hold finite numbers.
    """
    from milpcount.importers.points import load_point as load

    return load(Path(path))


def _require_no_shape(input_shape: Sequence[int] | None) -> None:
    if input_shape is not None:
        raise NetworkError(
            "input_shape is for torch modules; files and other objects tell the shape themselves"
        )


def _from_file(path: Path, name: str | None, output: str | int | None) -> ReLUNetwork:
    suffix = path.suffix.lower()
    if output is not None and suffix != ".onnx":
        raise NetworkError(f"{path} has one output; only .onnx files have several to choose from")
    if suffix == ".npz":
        from milpcount.importers.npz import load_npz

        return load_npz(path, name=name)
    if suffix == ".onnx":
        from milpcount.importers.onnx.graph import load_onnx

        return load_onnx(path, name=name, output=None if output is None else str(output))
    if suffix == ".nnet":
        from milpcount.importers.nnet import load_nnet

        return load_nnet(path, name=name)
    if suffix in _REFUSED:
        raise NetworkError(f"{path} {_REFUSED[suffix]}")
    raise NetworkError(
        f"{path} has {f'the unknown suffix {suffix}' if suffix else 'no suffix'}; "
        f"networks are read from {_SUPPORTED}"
    )


def _from_lists(source: list[Any] | tuple[Any, ...], name: str | None) -> ReLUNetwork:
    if len(source) != 2 or not all(isinstance(part, list | tuple) for part in source):
        raise NetworkError(
            "a list or tuple must be a pair (weights, biases) of two lists of arrays, "
            "each weight of shape (out, in)"
        )
    weights, biases = source
    return ReLUNetwork(weights, biases, name=name or "network")
