"""What is made of networks and boxes once holds for every later count, and keeps nothing alive."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.keeping import Keeps
from tests.shared import random_net


class _Thing(Keeps):
    """An object that never changes."""


def test_once_and_latest() -> None:
    thing, made = _Thing(), []

    def make(of: _Thing, name: str) -> str:
        made.append(name)
        return f"{name} of {type(of).__name__}"

    assert [thing.once(make, name) for name in "abab"] == ["a of _Thing", "b of _Thing"] * 2
    assert made == ["a", "b"]
    calls = iter("abc")
    found = [thing.latest("last", key, lambda: next(calls)) for key in (1, 1, 2, 2, 1)]
    assert found == ["a", "a", "b", "b", "c"]
    for other in (copy.copy(thing), pickle.loads(pickle.dumps(thing))):
        assert vars(other) == {}


@pytest.mark.parametrize("kind", ["normal", "integer", "sparse"])
def test_counts_one_after_another_are_those_of_fresh_networks(kind: str) -> None:
    net = random_net(np.random.default_rng(5), [2, 5, 4, 2], kind)
    boxes: list[mc.Domain] = [
        mc.Box(-1, 1),
        mc.Box(-2, [1, 3]),
        mc.Box([-1, 0], [1, 0]),
        mc.Box(-1, 1),
    ]
    plane = mc.Slice([[0.0, 1.0], [1.0, 1.0], [0.0, 2.0]], lo=-1, hi=1)
    domains = [*boxes, plane, mc.WholeSpace(), boxes[0]]
    for engine in ("subdivision", "tree"):
        for domain in domains:
            for output in (False, True, False):
                fresh = pickle.loads(pickle.dumps(net))
                counts = [
                    mc.count(one, domain, engine=engine, with_output=output).lower
                    for one in (net, fresh)
                ]
                assert counts[0] == counts[1]


def test_a_network_dies_with_its_last_user() -> None:
    net = random_net(np.random.default_rng(5), [2, 5, 4, 1], "normal")
    gc.collect()
    gc.disable()
    try:
        for domain in (mc.Box(-1, 1), mc.Box(0, 1)):
            mc.count(net, domain, engine="subdivision")
        alive = weakref.ref(net)
        del net
        assert alive() is None
    finally:
        gc.enable()
