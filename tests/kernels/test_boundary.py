"""Arrays of wrong shape, type or layout are refused at the boundary of the native kernels."""

from __future__ import annotations

import contextlib
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


def vectors() -> dict[str, Any]:
    """Three vectors of the plane, modulo one prime."""
    residues = np.array([[[1, 0], [0, 1], [1, 1]]])
    return {"residues": residues, "primes": np.array([101]), "memory": 0, "generic": False}


def forms() -> dict[str, Any]:
    """Two forms on a quadrant."""
    sides = np.array([[1, 0], [0, 1]])
    return {"forms": np.array([[1, -1], [1, 1]]), "sides": sides, "memory": 0}


def test_arrangements_that_fit_are_taken() -> None:
    assert native.make_deletion(**vectors()).total == (0, 3)
    assert native.make_cone(**forms()).total == (0, 2)


@pytest.mark.parametrize(
    ("make", "arguments", "name", "value"),
    [
        (native.make_deletion, vectors, "residues", np.array([[1, 0], [0, 1]])),
        (native.make_deletion, vectors, "residues", np.zeros((1, 0, 2), dtype=np.int64)),
        (native.make_deletion, vectors, "residues", np.zeros((1, 3, 0), dtype=np.int64)),
        (native.make_deletion, vectors, "residues", np.zeros((0, 3, 2), dtype=np.int64)),
        (native.make_deletion, vectors, "residues", np.full((1, 3, 2), 101)),
        (native.make_deletion, vectors, "residues", np.full((1, 3, 2), -1)),
        (native.make_deletion, vectors, "residues", np.ones((1, 3, 2))),
        (native.make_deletion, vectors, "residues", None),
        (native.make_deletion, vectors, "primes", np.array([101, 103])),
        (native.make_deletion, vectors, "primes", np.array([1])),
        (native.make_deletion, vectors, "primes", np.array([65537])),
        (native.make_deletion, vectors, "primes", np.array([2**62 + 1])),
        (native.make_deletion, vectors, "memory", -1),
        (native.make_cone, forms, "forms", np.ones((2, 2))),
        (native.make_cone, forms, "forms", np.ones((2, 3), dtype=np.int64)),
        (native.make_cone, forms, "forms", np.full((2, 2), 2**62)),
        (native.make_cone, forms, "forms", np.zeros((2, 0), dtype=np.int64)),
        (native.make_cone, forms, "sides", [[1, 0]]),
        (native.make_cone, forms, "sides", np.array([[1, 0], [-1, 0], [0, 1]])),
        (native.make_cone, forms, "memory", -1),
    ],
)
def test_arrangements_that_do_not_fit_are_refused(
    make: Any, arguments: Any, name: str, value: object
) -> None:
    with pytest.raises(mc.errors.InvariantError, match=r"kernel argument|the cone is empty"):
        make(**{**arguments(), name: value})


@given(st.integers(0, 2**32 - 1))
def test_no_numbers_end_the_process(seed: int) -> None:
    """Moduli that are no primes, repeated and zero rows, cones of all kinds: some count or a no."""
    rng = np.random.default_rng(seed)
    k, m, d = int(rng.integers(1, 3)), int(rng.integers(1, 7)), int(rng.integers(1, 5))
    primes = rng.integers(2, 60, size=1) if k == 1 else 2 ** rng.integers(33, 62, size=2) + 1
    residues = np.array([rng.integers(0, p, size=(m, d)) % 5 % p for p in primes])
    search = native.make_deletion(residues, primes, int(rng.integers(0, 10**6)), m % 2 == 0)
    search.advance(10**6)
    assert search.done
    sides = rng.integers(-2, 3, size=(int(rng.integers(0, 6)), d))
    rows = rng.integers(-2, 3, size=(m, d)) << int(rng.choice([0, 20, 40, 59]))
    with contextlib.suppress(mc.errors.InvariantError):
        cone = native.make_cone(rows, sides, 10**6)
        cone.advance(10**6)
        assert cone.done


def test_cones_over_the_limits_name_the_way_out() -> None:
    sides = np.ones((65, 2), dtype=np.int64)
    with pytest.raises(mc.UnsupportedError, match="65 sides, more than 64; use engine tree"):
        native.make_cone(**{**forms(), "sides": sides})
    # A cube of 13 dimensions has 8,192 vertices.
    n = 13
    box = np.vstack([np.hstack([s * np.eye(n), np.ones((n, 1))]) for s in (1, -1)])
    with pytest.raises(mc.UnsupportedError, match="5000 vertices; use engine tree"):
        native.make_cone(np.ones((1, n + 1), dtype=np.int64), box.astype(np.int64), 0)
