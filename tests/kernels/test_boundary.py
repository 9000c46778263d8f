"""Arrays of wrong shape, type or layout are refused at the boundary of the native kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import milpcount as mc
from milpcount.kernels import native, variants


def arguments() -> dict[str, Any]:
    """A network 2; 3-2 with a skip of the input's stage."""
    return {
        "n": 2,
        "widths": np.array([3, 2, 2]),
        "first": np.ones((4, 3)),
        "one": np.array([0.0, 0.0, 1.0]),
        "domain": np.zeros((4, 0)),
        "weights": np.ones(6 + 4),
        "biases": np.zeros(7),
        "slopes": np.zeros(7),
        "terms": np.array([0, 3, 5]),
        "skip_begin": np.array([0, 0, 0, 1]),
        "skip_source": np.array([0]),
        "skip_offset": np.array([0]),
        "skip_weights": np.ones(6),
        "closed": False,
        "walls": False,
    }


def test_what_fits_is_taken() -> None:
    net = native.Net(**arguments())
    assert (net.n, net.layers, net.units, net.domain_rows) == (2, 3, 7, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 3),
        ("widths", np.array([3, 2, 0])),
        ("widths", np.array([3, 2, -2])),
        ("widths", np.zeros(0, dtype=np.int64)),
        ("widths", np.array([3.0, 2.0, 2.0])),
        ("first", np.ones((4, 3), order="F")),
        ("first", np.ones((4, 6))[:, ::2]),
        ("first", np.full((4, 3), np.nan)),
        ("weights", np.ones(9)),
        ("weights", None),
        ("weights", [1.0] * 10),
        ("biases", np.zeros((7, 1))),
        ("slopes", np.zeros(7, dtype=np.float32)),
        ("terms", np.array([0, 0, 5])),
        ("skip_begin", np.array([0, 0, 1, 0])),
        ("skip_source", np.array([2])),
        ("skip_offset", np.array([1])),
        ("skip_offset", np.array([-1])),
        ("skip_weights", np.ones(5)),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: object) -> None:
    with pytest.raises(mc.errors.InvariantError, match="kernel argument"):
        native.Net(**{**arguments(), name: value})


@given(st.data())
def test_no_shape_or_type_crashes(data: st.DataObject) -> None:
    wrong = arguments()
    name = data.draw(st.sampled_from([k for k, v in wrong.items() if isinstance(v, np.ndarray)]))
    shape = data.draw(st.lists(st.integers(0, 5), max_size=3))
    kind = data.draw(st.sampled_from(["i1", "i4", "i8", "f4", "f8", "u8", "U2", "O"]))
    wrong[name] = np.zeros(shape, dtype=kind)
    right = arguments()[name]
    if wrong[name].shape == right.shape and wrong[name].dtype == right.dtype:
        return
    with pytest.raises(mc.MilpcountError):
        native.Net(**wrong)


def test_a_variant_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILPCOUNT_KERNELS", "sse9")
    with pytest.raises(mc.InputError, match="no such variant"):
        variants.load()


def test_nothing_was_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "VARIANTS", ())
    with pytest.raises(mc.UnsupportedError, match="tree-highs"):
        variants.load()
