"""Whatever the entry points of the native kernels are given, they refuse it or do their work.

Every test here drives the extension itself with drawn arguments and drawn sequences of calls.  What
is wrong is an error of the package or a TypeError of the binding; nothing may end the process, and
the sanitizers of ``scripts/test_sanitized.py`` watch what is done to memory on the way.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import milpcount as mc
from milpcount.kernels import native

REFUSALS = (mc.MilpcountError, TypeError)
KINDS = ["i1", "u1", "i4", "i8", "u8", "f4", "f8", "c16", "U2", "O", "?"]
HUGE = [0, 1, -1, 2**31, -(2**31), 2**40, 2**62, -(2**63), 2**63 - 1]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e-300, 5e-324, 1e300, -1.7e308]
ODD = [*NUMBERS, np.nan, np.inf, -np.inf]


@st.composite
def anything(draw: st.DrawFn) -> Any:
    """An array of any type, shape and layout, or no array at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([None, 1, 1.5, "text", [1.0], (1, 2), {}, np.float64(1)]))
    shape = tuple(draw(st.lists(st.integers(0, 5), max_size=3)))
    kind = draw(st.sampled_from(KINDS))
    array = np.zeros(shape, dtype=kind)
    if kind in ("f4", "f8"):
        array[...] = draw(st.sampled_from(ODD))
    elif kind in ("i1", "i4", "i8"):
        array[...] = draw(st.integers(-3, 6))
    layout = draw(st.integers(0, 3))
    if layout == 1:
        return np.asfortranarray(array)
    if layout == 2:
        return np.repeat(array, 2, axis=0)[::2] if array.ndim else array
    return array


@st.composite
def floats(draw: st.DrawFn, *shape: int, odd: bool = False) -> NDArray[np.float64]:
    """An array of this shape, of small, large and perhaps odd numbers."""
    size = int(np.prod(shape))
    choice = st.sampled_from(ODD if odd else NUMBERS)
    if draw(st.booleans()):
        choice = st.integers(-2, 2).map(float)
    return np.array(draw(st.lists(choice, min_size=size, max_size=size)), float).reshape(shape)


@st.composite
def networks(draw: st.DrawFn) -> tuple[native.Net, int, int]:
    """A network with skips, its number of coordinates and of units in the first stage."""
    n = draw(st.integers(0, 3))
    widths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    layers, units = len(widths), sum(widths)
    size = sum(a * b for a, b in itertools.pairwise(widths))
    rows = draw(st.integers(0, 2))
    skips = draw(st.booleans()) and layers > 2
    first, domain = draw(floats(n + 2, widths[0])), draw(floats(n + 2, rows))
    first[-1], domain[-1] = np.abs(first[-1]), np.abs(domain[-1])
    net = native.Net(
        n=n,
        widths=np.array(widths),
        first=first,
        one=draw(floats(n + 1)),
        domain=domain,
        weights=draw(floats(size)),
        biases=draw(floats(units)),
        slopes=draw(floats(units)),
        terms=np.array(draw(st.lists(st.integers(1, 9), min_size=layers, max_size=layers))),
        skip_begin=np.array([0] * layers + [int(skips)]),
        skip_source=np.zeros(int(skips), np.int64),
        skip_offset=np.zeros(int(skips), np.int64),
        skip_weights=draw(floats(widths[0] * widths[-1] if skips else 0)),
        closed=draw(st.booleans()),
        walls=draw(st.booleans()),
    )
    return net, n, widths[0]


def some_signs(data: st.DataObject, net: native.Net) -> NDArray[np.int8]:
    """Signs of all units: none, or any."""
    if data.draw(st.booleans()):
        return np.zeros(net.units, np.int8)
    signs = st.lists(st.integers(-3, 3), min_size=net.units, max_size=net.units)
    return np.array(data.draw(signs), np.int8)


def play(data: st.DataObject, calls: dict[str, Callable[[], Any]], most: int = 12) -> None:
    """Call one after the other, whatever they say."""
    for name in data.draw(st.lists(st.sampled_from(sorted(calls)), max_size=most)):
        with contextlib.suppress(*REFUSALS):
            calls[name]()


@given(st.data())
def test_constructors_take_nothing_wrong(data: st.DataObject) -> None:
    def array() -> Any:
        return data.draw(anything())

    def whole() -> int:
        return data.draw(st.one_of(st.integers(-2, 8), st.sampled_from(HUGE)))

    makers: dict[str, Callable[[], Any]] = {
        "parity": lambda: native.Parity(array(), array()),
        "sample": lambda: native.Sample(array(), whole(), whole()),
        "residues": lambda: native.Residues(array(), array(), array(), array(), array(), whole()),
        "ranges": lambda: native.cube_ranges(array()),
        "chain": lambda: native.Chain(*(array() for _ in range(8))),
        "partition": lambda: native.Partition(data.draw(st.sampled_from([-1, 0, 3, 2**50]))),
        "net": lambda: native.Net(
            n=whole(),
            **{
                name: array()
                for name in (
                    "widths", "first", "one", "domain", "weights", "biases", "slopes", "terms",
                    "skip_begin", "skip_source", "skip_offset", "skip_weights",
                )
            },
            closed=False,
            walls=False,
        ),
    }  # fmt: skip
    play(data, makers, 4)


@given(st.data())
def test_any_calls_of_the_tree_search(data: st.DataObject) -> None:
    net, n, _ = data.draw(networks())
    generators = None
    if n and data.draw(st.booleans()):
        generators = data.draw(floats(n, data.draw(st.integers(0, 4)), odd=True))
    try:
        search = native.TreeSearch(
            net, generators, data.draw(st.booleans()), data.draw(st.booleans())
        )
    except REFUSALS:
        return
    whole = st.one_of(st.integers(-2, 5), st.sampled_from(HUGE))
    steps = st.integers(0, 60)
    table = np.zeros((net.layers, 6), np.int64)
    sample = native.Sample(table, data.draw(st.integers(2, 4)), net.units)
    classes = len(sample.take_steps()) - 1
    parity = native.Parity(
        np.full((2, 1), data.draw(st.integers(0, 2**net.units)), np.uint64),
        np.array([1, 0], np.uint8),
    )
    calls: dict[str, Callable[[], Any]] = {
        "start": lambda: search.start(some_signs(data, net), 1.0),
        "odd start": lambda: search.start(data.draw(anything()), np.nan),
        "run": lambda: search.run(data.draw(steps), data.draw(whole), 1.0),
        "sample": lambda: search.run_sample(sample, data.draw(steps), data.draw(st.booleans())),
        "begin": lambda: sample.begin(
            3, data.draw(floats(classes, odd=True)), data.draw(floats(classes, odd=True)), np.nan
        ),
        "odd begin": lambda: sample.begin(3, data.draw(anything()), data.draw(anything()), 0.0),
        "keeps": lambda: sample.keeps(data.draw(whole), 0.5),
        "weight": lambda: sample.weight(data.draw(whole)),
        "sums": sample.log2_sums,
        "parity": lambda: search.run_parity(parity, data.draw(steps), data.draw(whole)),
        "answer": lambda: search.answer(data.draw(st.integers(-1, 3))),
        "doubt": search.doubt,
        "open": lambda: search.open_node(data.draw(whole)),
        "share": lambda: search.share(data.draw(whole)),
        "drop": search.drop_node,
        "steps": search.take_steps,
        "leaves": search.take_leaves,
        "forms": lambda: search.forms(data.draw(whole)),
        "check": lambda: search.check_cell(
            data.draw(floats(data.draw(st.integers(0, 3)), n + 1, odd=True)),
            data.draw(floats(data.draw(st.integers(0, 3)), odd=True)),
        ),
        "statistics": search.statistics,
    }
    with contextlib.suppress(*REFUSALS):
        search.start(some_signs(data, net), 1.0)
    play(data, calls)


@given(st.data())
def test_any_calls_of_the_subdivision(data: st.DataObject) -> None:
    net, n, first = data.draw(networks())
    integers: Any = None
    if data.draw(st.booleans()):
        entries = st.sampled_from([0, 1, -1, 3, 2**62, -(2**63)])
        rows = net.units + net.domain_rows + 1
        numbers = data.draw(st.lists(entries, min_size=rows * (n + 1), max_size=rows * (n + 1)))
        table = np.array(numbers, np.int64).reshape(rows, n + 1)
        integers = (table[:first], table[first], table[first + 1 :][: net.domain_rows], 3)
    room = data.draw(st.sampled_from([1, 2, 16, 0, -1, 2**40]))
    try:
        search = native.Subdivision(
            net, leaf_room=room, collect=data.draw(st.booleans()), integers=integers
        )
    except REFUSALS:
        return
    whole = st.one_of(st.integers(-2, 9), st.sampled_from(HUGE))
    calls: dict[str, Callable[[], Any]] = {
        "start": lambda: search.start(some_signs(data, net), 1.0),
        "odd start": lambda: search.start(data.draw(anything()), np.nan),
        "run": lambda: search.run(
            data.draw(st.integers(0, 60)), data.draw(whole), data.draw(st.booleans()), 1.0
        ),
        "open": search.open_signs,
        "place": lambda: search.place_vertex(
            data.draw(whole), data.draw(floats(n, odd=True)), data.draw(st.sampled_from(ODD))
        ),
        "sign": lambda: search.sign_vertex(data.draw(whole), data.draw(whole), 1),
        "signs": lambda: search.signs(data.draw(whole)),
        "shares": search.shares,
        "drop": search.drop,
        "leaves": search.take_leaves,
        "cell": search.last_cell,
        "complex": lambda: search.complex(data.draw(st.booleans())),
        "counters": search.counters,
        "stage": lambda: search.stage,
    }
    with contextlib.suppress(*REFUSALS):
        search.start(some_signs(data, net), 1.0)
    play(data, calls)


@given(st.data())
def test_any_calls_of_the_kernels_for_pieces(data: st.DataObject) -> None:
    inputs = data.draw(st.integers(0, 3))
    widths = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    units, rows = sum(widths), data.draw(st.integers(0, 4))
    size = sum(a * b for a, b in itertools.pairwise([inputs, *widths]))
    odd, cuts = data.draw(st.booleans()), data.draw(st.integers(0, 2))
    chain = native.Chain(
        np.array(widths),
        data.draw(floats(size, odd=odd)),
        data.draw(floats(units, odd=odd)),
        data.draw(floats(units, odd=odd)),
        -np.ones(inputs),
        np.ones(inputs),
        data.draw(floats(cuts, inputs, odd=odd)),
        np.ones(cuts),
    )
    whole = st.one_of(st.integers(-2, 6), st.sampled_from(HUGE))
    bits = np.array(
        data.draw(st.lists(st.integers(0, 2), min_size=rows * units, max_size=rows * units))
    )
    parts = native.Partition(rows)
    places = st.lists(st.integers(-1, 5), max_size=4).map(lambda v: np.array(v, np.int64))
    rays = native.Rays(
        chain,
        data.draw(floats(1, inputs)),
        bits.astype(np.uint8).reshape(rows, units),
        np.arange(rows, dtype=np.uint64),
        np.arange(rows),
        np.arange(units, dtype=np.uint64),
        np.arange(rows, dtype=np.uint64),
        np.ones((rows, units), np.uint8),
        np.zeros(rows, np.int64),
    )
    calls: dict[str, Callable[[], Any]] = {
        "unite": lambda: parts.unite(data.draw(places), data.draw(places)),
        "find": lambda: parts.find(data.draw(whole)),
        "roots": parts.roots,
        "proves": lambda: chain.proves(
            np.ones(units, np.uint8), np.ones(units, np.uint8), data.draw(whole),
            data.draw(floats(inputs, odd=True)),
        ),
        "begin": lambda: rays.begin(data.draw(places)),
        "seed": lambda: rays.seed(data.draw(whole), data.draw(floats(inputs, odd=True))),
        "visited": lambda: rays.visited(data.draw(whole)),
        "run": lambda: rays.run(parts, data.draw(whole), data.draw(st.integers(-1, 3))),
        "idle": lambda: rays.idle,
    }  # fmt: skip
    play(data, calls)


def test_too_much_memory_is_told_by_its_size() -> None:
    with pytest.raises(mc.UnsupportedError, match=r"879\d\.\d+ GB of memory"):
        native.Sample(np.zeros((1, 2), np.int64), 2, 2**40)
    with pytest.raises(mc.errors.InvariantError, match="units"):
        native.Sample(np.zeros((1, 2), np.int64), 2, 2**62)
