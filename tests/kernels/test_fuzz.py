"""Whatever the entry points of the native kernels are given, they refuse it or do their work.

Every test here drives the extension itself with drawn arguments and drawn sequences of calls.  What
is wrong is an error of the package or a TypeError of the binding; nothing may end the process, and
the sanitizers of ``scripts/test_sanitized.py`` watch what is done to memory on the way.  Hypothesis
draws the seed alone: drawn number by number, a test would take minutes.
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
NO_ARRAYS: list[Any] = [None, 1, 1.5, "text", [1.0], (1, 2), {}, np.float64(1)]
HUGE = [2**31, -(2**31), 2**40, 2**62, -(2**63), 2**63 - 1]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e-300, 5e-324, 1e300, -1.7e308]
ODD = [*NUMBERS, np.nan, np.inf, -np.inf]

seeds = st.integers(0, 2**32 - 1).map(lambda seed: Source(np.random.default_rng(seed)))
Calls = dict[str, Callable[[], Any]]


class Source:
    """Arguments of all kinds."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def below(self, end: int, begin: int = 0) -> int:
        """An integer from ``begin`` on."""
        return int(self._rng.integers(begin, end))

    def one_of(self, choices: list[Any]) -> Any:
        return choices[self.below(len(choices))]

    def coin(self) -> bool:
        return self.below(2) == 1

    def whole(self) -> int:
        """An integer, often a small one."""
        return self.one_of(HUGE) if self.below(4) == 0 else self.below(8, -2)

    def floats(self, *shape: int, odd: bool = False) -> NDArray[np.float64]:
        """Small integers, or numbers of all sizes, some of them none if ``odd``."""
        if self.coin():
            return self._rng.integers(-2, 3, shape).astype(float)
        return self._rng.choice(ODD if odd else NUMBERS, shape)

    def integers(self, low: int, high: int, *shape: int) -> NDArray[np.int64]:
        return self._rng.integers(low, high + 1, shape)

    def anything(self) -> Any:
        """An array of any type, shape and layout, or no array at all."""
        if self.below(10) == 0:
            return self.one_of(NO_ARRAYS)
        array = np.zeros(self.integers(0, 5, self.below(4)), dtype=self.one_of(KINDS))
        if array.dtype.kind == "f":
            with np.errstate(over="ignore"):
                array[...] = self.one_of(ODD)
        elif array.dtype.kind == "i":
            array[...] = self.below(7, -3)
        layout = self.below(3)
        if layout == 1:
            return np.asfortranarray(array)
        return np.repeat(array, 2, axis=0)[::2] if layout == 2 and array.ndim else array

    def network(self) -> tuple[native.Net, int, int]:
        """A network with skips, its number of coordinates and of units in the first stage."""
        n, layers = self.below(4), self.below(4, 1)
        widths = [self.below(5, 1) for _ in range(layers)]
        units, rows = sum(widths), self.below(3)
        skips = layers > 2 and self.coin()
        first, domain = self.floats(n + 2, widths[0]), self.floats(n + 2, rows)
        first[-1], domain[-1] = np.abs(first[-1]), np.abs(domain[-1])
        net = native.Net(
            n=n,
            widths=np.array(widths),
            first=first,
            one=self.floats(n + 1),
            domain=domain,
            weights=self.floats(sum(a * b for a, b in itertools.pairwise(widths))),
            biases=self.floats(units),
            slopes=self.floats(units),
            terms=self.integers(1, 9, layers),
            skip_begin=np.array([0] * layers + [int(skips)]),
            skip_source=np.zeros(int(skips), np.int64),
            skip_offset=np.zeros(int(skips), np.int64),
            skip_weights=self.floats(widths[0] * widths[-1] if skips else 0),
            closed=self.coin(),
            walls=self.coin(),
        )
        return net, n, widths[0]

    def signs(self, net: native.Net) -> NDArray[np.int8]:
        """Signs of all units: none, or any."""
        most = self.one_of([0, 0, 1, 2, 3])
        return self.integers(-most, most, net.units).astype(np.int8)

    def play(self, calls: Calls, most: int) -> None:
        """Call one after the other, whatever they say."""
        for _ in range(self.below(most)):
            with contextlib.suppress(*REFUSALS):
                self.one_of(list(calls.values()))()


@given(seeds)
def test_constructors_take_nothing_wrong(source: Source) -> None:
    any_, whole = source.anything, source.whole
    arrays = (
        "widths", "first", "one", "domain", "weights", "biases", "slopes", "terms",
        "skip_begin", "skip_source", "skip_offset", "skip_weights",
    )  # fmt: skip
    calls: Calls = {
        "parity": lambda: native.Parity(any_(), any_()),
        "sample": lambda: native.Sample(any_(), whole(), whole()),
        "residues": lambda: native.Residues(any_(), any_(), any_(), any_(), any_(), whole()),
        "ranges": lambda: native.cube_ranges(any_()),
        "chain": lambda: native.Chain(*(any_() for _ in range(8))),
        "partition": lambda: native.Partition(source.one_of([-1, 0, 3, 2**50, 2**62])),
        "net": lambda: native.Net(
            n=whole(), **{name: any_() for name in arrays}, closed=False, walls=False
        ),
    }
    source.play(calls, 20)


@given(seeds)
def test_any_calls_of_the_tree_search(source: Source) -> None:
    net, n, _ = source.network()
    generators = source.floats(n, source.below(5), odd=True) if n and source.coin() else None
    try:
        search = native.TreeSearch(net, generators, source.coin(), source.coin())
    except REFUSALS:
        return
    whole, odd = source.whole, source.anything
    sample = native.Sample(np.zeros((net.layers, 6), np.int64), source.below(5, 2), net.units)
    classes = sample.take_steps().shape[1]
    members = np.full((2, 1), source.below(2**net.units + 1), np.uint64)
    parity = native.Parity(members, np.array([1, 0], np.uint8))
    calls: Calls = {
        "start": lambda: search.start(source.signs(net), 1.0),
        "odd start": lambda: search.start(odd(), np.nan),
        "run": lambda: search.run(source.below(60), whole(), 1.0),
        "sample": lambda: search.run_sample(sample, source.below(60), source.coin()),
        "begin": lambda: sample.begin(
            3, source.floats(classes, odd=True), source.floats(classes, odd=True), np.nan
        ),
        "odd begin": lambda: sample.begin(3, odd(), odd(), 0.0),
        "keeps": lambda: sample.keeps(whole(), 0.5),
        "weight": lambda: sample.weight(whole()),
        "sums": sample.log2_sums,
        "parity": lambda: search.run_parity(parity, source.below(60), whole()),
        "answer": lambda: search.answer(source.below(4, -1)),
        "doubt": search.doubt,
        "open": lambda: search.open_node(whole()),
        "share": lambda: search.share(whole()),
        "drop": search.drop_node,
        "steps": search.take_steps,
        "leaves": search.take_leaves,
        "forms": lambda: search.forms(whole()),
        "check": lambda: search.check_cell(
            source.floats(source.below(3), n + 1, odd=True), source.floats(2, odd=True)
        ),
        "face": lambda: search.check_face(
            source.floats(source.below(3), n + 1, odd=True),
            source.floats(2, odd=True),
            source.floats(source.below(3), n, odd=True),
        ),
        "statistics": search.statistics,
    }
    with contextlib.suppress(*REFUSALS):
        search.start(source.signs(net), 1.0)
    source.play(calls, 40)


@given(seeds)
def test_any_calls_of_the_subdivision(source: Source) -> None:
    net, n, first = source.network()
    integers: Any = None
    if source.coin():
        rows = first + 1 + net.domain_rows
        table = np.array([source.one_of([0, 1, -1, 3, 2**62, -(2**63)]) for _ in range(rows * 4)])
        table = np.ascontiguousarray(table.reshape(rows, 4)[:, : n + 1])
        integers = (table[:first], table[first], table[first + 1 :], source.one_of([0, 3, -1]))
    room = source.one_of([1, 2, 16, 16, 0, 2**40])
    try:
        search = native.Subdivision(net, leaf_room=room, collect=source.coin(), integers=integers)
    except REFUSALS:
        return
    whole, odd = source.whole, source.anything
    calls: Calls = {
        "start": lambda: search.start(source.signs(net), 1.0),
        "odd start": lambda: search.start(odd(), np.nan),
        "run": lambda: search.run(source.below(60), whole(), source.coin(), 1.0),
        "open": search.open_signs,
        "place": lambda: search.place_vertex(
            whole(), source.floats(n, odd=True), source.one_of(ODD)
        ),
        "sign": lambda: search.sign_vertex(whole(), whole(), 1),
        "signs": lambda: search.signs(whole()),
        "shares": search.shares,
        "drop": search.drop,
        "leaves": search.take_leaves,
        "cell": search.last_cell,
        "complex": lambda: search.complex(source.coin()),
        "counters": search.counters,
        "stage": lambda: search.stage,
    }
    with contextlib.suppress(*REFUSALS):
        search.start(source.signs(net), 1.0)
    source.play(calls, 40)


@given(seeds)
def test_any_calls_of_the_kernels_for_pieces(source: Source) -> None:
    inputs, odd = source.below(4), source.coin()
    widths = [source.below(4, 1) for _ in range(source.below(4, 1))]
    units, rows, cuts = sum(widths), source.below(5), source.below(3)
    size = sum(a * b for a, b in itertools.pairwise([inputs, *widths]))
    chain = native.Chain(
        np.array(widths),
        source.floats(size, odd=odd),
        source.floats(units, odd=odd),
        source.floats(units, odd=odd),
        -np.ones(inputs),
        np.ones(inputs),
        source.floats(cuts, inputs, odd=odd),
        np.ones(cuts),
    )
    rays = native.Rays(
        chain,
        source.floats(1, inputs),
        source.integers(0, 2, rows, units).astype(np.uint8),
        np.arange(rows, dtype=np.uint64),
        np.arange(rows),
        np.arange(units, dtype=np.uint64),
        np.arange(rows, dtype=np.uint64),
        np.ones((rows, units), np.uint8),
        np.zeros(rows, np.int64),
    )
    parts, ones = native.Partition(rows), np.ones(units, np.uint8)
    whole = source.whole

    def places(count: int) -> NDArray[np.int64]:
        return source.integers(-1, 5, count)

    calls: Calls = {
        "unite": lambda: parts.unite(places(2), places(source.below(2, 1) + 1)),
        "find": lambda: parts.find(whole()),
        "roots": parts.roots,
        "proves": lambda: chain.proves(ones, ones, whole(), source.floats(inputs, odd=True)),
        "begin": lambda: rays.begin(places(source.below(3))),
        "seed": lambda: rays.seed(whole(), source.floats(inputs, odd=True)),
        "visited": lambda: rays.visited(whole()),
        "run": lambda: rays.run(parts, whole(), source.below(5, -1)),
        "idle": lambda: rays.idle,
    }
    source.play(calls, 30)


def test_too_much_memory_is_told_by_its_size() -> None:
    with pytest.raises(mc.UnsupportedError, match=r"879\d\.\d+ GB of memory"):
        native.Sample(np.zeros((1, 2), np.int64), 2, 2**40)
    with pytest.raises(mc.errors.InvariantError, match="units"):
        native.Sample(np.zeros((1, 2), np.int64), 2, 2**62)
