"""Constants and attributes of an ONNX file, checked before they are read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes
from milpcount.importers.onnx.node import Array

__all__ = ["attribute_values", "tensor_array"]

# Element types of TensorProto that are read, by number: numpy's kind of the result.
_FLOATS = frozenset({1, 10, 11, 16})  # float, float16, double, bfloat16
_INTEGERS = frozenset({2, 3, 4, 5, 6, 7, 12})  # up to uint32
_BOOL = 9
_STRING = 8
_EXTERNAL = 1

# Attributes that handlers read, by their type in AttributeProto; others are left alone.
_ATTRIBUTES: dict[int, frozenset[str]] = {
    1: frozenset(
        {
            *("activation_alpha", "activation_beta", "activation_gamma", "alpha", "beta", "bias"),
            *("epsilon", "lambd", "max", "min", "value", "value_float"),
        }
    ),
    2: frozenset(
        {
            *("allowzero", "axis", "batch_dims", "block_size", "blocksize", "ceil_mode"),
            *("count_include_pad", "end", "exclusive", "fmod", "group", "is_test", "k"),
            *("keepdims", "noop_with_empty_axes", "num_outputs", "reverse", "select_last_index"),
            *("spatial", "start", "to", "training_mode", "transA", "transB", "upper", "value_int"),
        }
    ),
    3: frozenset(
        {
            *("activation", "auto_pad", "coordinate_transformation_mode", "equation"),
            *("keep_aspect_ratio_policy", "mode", "nearest_mode", "reduction"),
        }
    ),
    4: frozenset({"value"}),
    6: frozenset({"activation_params", "offset", "scale", "scales", "value_floats"}),
    7: frozenset(
        {
            *("axes", "dilations", "ends", "kernel_shape", "output_padding", "output_shape"),
            *("pads", "perm", "repeats", "shape", "split", "starts", "strides", "value_ints"),
        }
    ),
}
_READ = frozenset[str]().union(*_ATTRIBUTES.values())


def tensor_array(tensor: Any, folder: Path, what: str) -> Array:
    """A ``TensorProto`` as float64, int64 or bool array; floats are widened without rounding.

    Weights in a second file are read only when that is a regular file in ``folder``, where the
    exporters put it; the file's claims about it are checked first.

    Raises:
        NetworkError: other element types, sizes that do not fit, or external data elsewhere.
    """
    from onnx import helper, numpy_helper

    kind = tensor.data_type
    if kind == _STRING:
        # Names of classes, behind an output head: nothing that numbers can be made of.
        require_bytes(math.prod(tensor.dims) * 8, what, NetworkError)
        return np.full(tuple(max(n, 0) for n in tensor.dims), np.nan)
    if kind not in _FLOATS | _INTEGERS | {_BOOL}:
        raise NetworkError(
            f"{what} has element type {kind}; export the network with float weights "
            "(float16, bfloat16, float32 or float64), not quantised"
        )
    shape = tuple(tensor.dims)
    if min(shape, default=0) < 0:
        raise NetworkError(f"{what} claims the impossible shape {shape}; export it again")
    require_bytes(math.prod(shape) * 8, what, NetworkError)
    try:
        if tensor.data_location == _EXTERNAL:
            dtype = np.dtype(helper.tensor_dtype_to_np_dtype(kind)).newbyteorder("<")
            data = _external_bytes(tensor, folder, math.prod(shape) * dtype.itemsize, what)
            array = np.frombuffer(data, dtype).reshape(shape)
        else:
            array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError) as error:
        raise NetworkError(
            f"{what} does not hold shape {shape} ({error}); the file is damaged, export it again"
        ) from error
    if array.shape != shape:
        raise NetworkError(f"{what} does not hold shape {shape}; export it again")
    if kind in _FLOATS:
        return array.astype(np.float64)
    return array.astype(bool if kind == _BOOL else np.int64)


def attribute_values(node: Any, folder: Path, what: str) -> dict[str, Any]:
    """The attributes of a ``NodeProto`` that handlers read, as Python values and arrays.

    Raises:
        NetworkError: an attribute of a wrong type, or a tensor as for :func:`tensor_array`.
    """
    from onnx import TensorProto, helper

    values = {}
    for attribute in node.attribute:
        if attribute.name not in _READ:
            continue
        if attribute.name not in _ATTRIBUTES.get(attribute.type, ()):
            raise NetworkError(
                f"{what} has the attribute {attribute.name!r} of a wrong type; "
                "the file is malformed, export it again"
            )
        value = helper.get_attribute_value(attribute)
        tensor = isinstance(value, TensorProto)
        values[attribute.name] = tensor_array(value, folder, what) if tensor else value
    return values


def _external_bytes(tensor: Any, folder: Path, need: int, what: str) -> bytes:
    entries = {str(entry.key): str(entry.value) for entry in tensor.external_data}
    location = entries.get("location", "")
    path = folder / location
    plain = location not in ("", ".", "..") and not any(mark in location for mark in "/\\:\0")
    if not plain or path.is_symlink() or not path.is_file():
        raise NetworkError(
            f"{what} is stored outside the file, at {location!r}, which is not a regular file "
            "beside it; put it there, or save the model in one file (onnx.save with "
            "save_as_external_data=False)"
        )
    offset, length = (_whole(entries.get(key, d)) for key, d in (("offset", "0"), ("length", "")))
    if offset is None or (length is not None and length != need):
        raise NetworkError(f"{what} claims {entries} for {need} bytes; export it again")
    if path.stat().st_size < offset + need:
        raise NetworkError(
            f"{what} lies at {offset}..{offset + need} of {path}, which is shorter; "
            "the file is truncated, export it again"
        )
    with path.open("rb") as stream:
        stream.seek(offset)
        data: bytes = stream.read(need)
    return data


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
