"""The one place that makes a HiGHS model: quiet, in threads too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.support.highs import make_highs
from tests.shared import random_net

ROOT = Path(__file__).parents[2]


def test_models_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        highs = make_highs()
        highs.addVar(0.0, 1.0)
        highs.run()
    assert capfd.readouterr() == ("", "")


SCRIPT = """
import numpy as np
import milpcount as mc
from tests.shared import random_net
network = random_net(np.random.default_rng(0), [2, 4, 3, 1])
for engine in ("tree-highs", "milp"):
    print(mc.count(network, mc.Box(-1, 1), engine=engine).lower)
"""


def test_the_first_model_of_a_process_prints_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert re.fullmatch(r"(\d+)\n\1\n", done.stdout)
    assert done.stderr == ""


def test_counts_in_threads_leave_the_descriptors_alone(capfd: pytest.CaptureFixture[str]) -> None:
    # Pyomo's interface turns descriptor 1 aside while it solves: two threads waited for ever.
    network = random_net(np.random.default_rng(0), [2, 4, 3, 1])
    truth = mc.count(network, mc.Box(-1, 1), engine="brute").lower
    found: list[int] = []

    def count(engine: str) -> None:
        found.append(mc.count(network, mc.Box(-1, 1), engine=engine).lower)

    engines = ("milp", "milp", "milp", "tree-highs", "tree-highs")
    threads = [threading.Thread(target=count, args=(e,), daemon=True) for e in engines]
    for thread in threads:
        thread.start()
    lines = 0
    while any(thread.is_alive() for thread in threads):
        os.write(1, b"mine\n")
        subprocess.run([sys.executable, "-S", "-c", "print('mine')"], check=True)
        lines += 2
    assert found == [truth] * len(engines)
    assert capfd.readouterr() == ("mine\n" * lines, "")


def test_nobody_else_makes_models() -> None:
    makers = [
        path.name
        for path in Path(mc.__file__).parent.rglob("*.py")
        if re.search(r"\bHighs\(\)|contrib.*highs", path.read_text(encoding="utf-8"))
    ]
    assert makers == []
