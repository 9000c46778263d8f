"""What engines need is loaded before the clock of a run starts."""

from __future__ import annotations

from typing import Any

import pytest

import milpcount as mc
from milpcount.study.executors import warm_up


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "_loaded", set())


def test_engines_and_methods_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def watched(function: Any, what: str) -> Any:
        def call(network: mc.ReLUNetwork, *args: Any, **options: Any) -> Any:
            result = function(network, *args, **options)
            asked.append((options[what], options["definition"], network.input_dimension))
            return result

        return call

    asked: list[tuple[str, str, int]] = []
    monkeypatch.setattr(warm_up, "count", watched(warm_up.count, "engine"))
    monkeypatch.setattr(warm_up, "estimate", watched(warm_up.estimate, "method"))
    for _ in range(2):
        warm_up.load_engine("tree-highs", "full")
        warm_up.load_engine("tree-highs", "nonempty")
        warm_up.load_method("tree-sample", "full")
    assert [(name, definition) for name, definition, inputs in asked if inputs == 20] == [
        ("tree-highs", "full"),
        ("tree-highs", "nonempty"),
        ("tree-sample", "full"),
    ]
    assert len(asked) == 6


def test_what_does_not_work_is_left_to_the_run() -> None:
    warm_up.load_engine("no such engine", "full")
    warm_up.load_method("mipbound", "linear")
    # Tried once, and not again before each run.
    assert warm_up._loaded == {
        ("engine", "no such engine", "full"),
        ("method", "mipbound", "linear"),
    }


def test_an_interrupt_is_one() -> None:
    def stop(snapshot: mc.Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        warm_up.load_engine("tree-highs", "full", stop)
    # It is not remembered as loaded.
    told: list[str] = []
    warm_up.load_engine("tree-highs", "full", lambda snapshot: told.append(snapshot.phase))
    assert told
