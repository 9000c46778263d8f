#!/usr/bin/env python3
"""Plants small faults in a copy of the code and runs the tests that must notice each.

    python benchmarks/plant_faults.py [--only WORD ...] [--list] [--folder FOLDER]

One line a fault: *killed* by a failing test, which is named, or *lived*.  Exit status 1 if one
lived or a place was not found.  A fault that lives says that a decision of the code rests on no
test.  Takes some minutes, so it is no part of the test suite; run it after a change of the places
in the tables, which are here and, for the native kernels, in kernel_faults.py.

Kernels with their faults are compiled in a copy of the checkout.  With ``--folder`` the copy is
kept, and the next call compiles only what changed since.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kernel_faults import KERNEL_FAULTS, VARIABLE, KernelFault, build, sources_planted

from milpcount.kernels.variants import runnable

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("milpcount", "tests", "scripts", "benchmarks", "experiments", "configs", "results")
SOURCES = "milpcount/kernels/src"
LIVED, NO_PLACE = "LIVED", "NO PLACE"
SECONDS = 900  # for the tests of one fault; a test that hangs has noticed it too


@dataclass(frozen=True)
class Fault:
    """One change of the text of a module, and the tests of which one must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


FAULTS = (
    # exact
    Fault(
        "exact: the inactive side of full regions keeps its boundary",
        "exact/forms.py",
        "return Row(tuple(-c for c in row), definition is Definition.FULL)",
        "return Row(tuple(-c for c in row), False)",
        ("tests/exact",),
    ),
    Fault(
        "exact: a refutation whose supremum is 0 needs no strict row",
        "exact/feasibility.py",
        "return top < 0 or (top == 0 and any(row.strict for _, row in used))",
        "return top <= 0",
        ("tests/exact",),
    ),
    Fault(
        "exact: negative multipliers refute",
        "exact/feasibility.py",
        "    if any(y < 0 for y in multipliers):\n        return False\n",
        "",
        ("tests/exact",),
    ),
    Fault(
        "exact: a point on a strict row satisfies it",
        "exact/feasibility.py",
        "if value < 0 or (row.strict and value == 0):",
        "if value < 0:",
        ("tests/exact",),
    ),
    Fault(
        "exact: a witness at an end of the box is an interior point",
        "exact/interior.py",
        "if not (self._off_all_ends(point) if self._full else self._box.contains(point)):",
        "if not self._box.contains(point):",
        ("tests/engines/test_witnesses.py",),
    ),
    Fault(
        "exact: a witness is moved off the ends too far",
        "exact/interior.py",
        "halvings = max(halvings, int(-2 * slope // value).bit_length())",
        "halvings = max(halvings, int(-slope // value // 2).bit_length())",
        ("tests/engines/test_witnesses.py",),
    ),
    Fault(
        "exact: witnesses in floats are not checked",
        "exact/interior.py",
        "return x if self.contains(bits, Point.of_floats(x)) else None",
        "return x",
        ("tests/engines/test_witnesses.py",),
    ),
    # proof
    Fault(
        "proof: rows that are 0 prove that there is no region",
        "proof/checker.py",
        "active or (self.full and any(self.exact.on_coordinates(row)))",
        "active or self.full",
        ("tests/proof/test_steps_by_hand.py",),
    ),
    Fault(
        "proof: rows of inactive units prove that there is no nonempty region",
        "proof/checker.py",
        "active or (self.full and any(self.exact.on_coordinates(row)))",
        "active or any(self.exact.on_coordinates(row))",
        ("tests/proof/test_steps_by_hand.py",),
    ),
    Fault(
        "proof: points on the border of a polytope are inside",
        "proof/checker.py",
        "if value < 0 or (value == 0 and self.full and any(row)):",
        "if value < 0:",
        ("tests/proof/test_steps_by_hand.py",),
    ),
    Fault(
        "proof: the rows of a polytope are not looked at",
        "proof/checker.py",
        "if value < 0 or (value == 0 and self.full and any(row)):",
        "if False:",
        ("tests/proof/test_steps_by_hand.py",),
    ),
    Fault(
        "proof: a unit that is 0 at the point is inactive nearby",
        "proof/checker.py",
        "if any(exact.on_coordinates(self._row(node, unit)[0])):",
        "if False:",
        ("tests/proof/test_steps_by_hand.py",),
    ),
    # search drivers
    Fault(
        "api: a stopped count claims one region too many",
        "api.py",
        "lower += 0 if merges else outcome.open_regions",
        "lower += 0 if merges else outcome.open_regions + 1",
        ("tests/engines/test_contract.py", "-k", "too_many and tree-highs"),
    ),
    Fault(
        "search: lists of witnesses take the engine's points",
        "search/recording/closing.py",
        "inside = (points.point(leaf.bits, leaf.witness) for leaf in leaves)",
        "inside = (leaf.witness for leaf in leaves)",
        ("tests/engines/test_witnesses.py", "-k", "lists"),
    ),
    Fault(
        "search: patterns of networks with linear units have a bit for each unit",
        "search/machine.py",
        "return self._index.states(signs), points",
        "return (signs > 0).astype(np.uint8), points",
        ("tests/engines/test_witnesses.py", "-k", "skips"),
    ),
    # sampling
    Fault(
        "sampling: half the evidence is enough for the bet",
        "sampling/unbiased.py",
        "goal = -math.log1p(-confidence)",
        "goal = -math.log1p(-confidence) / 2",
        ("tests/sampling/test_bounds_by_hand.py",),
    ),
    Fault(
        "sampling: the minimum bound gives nothing away",
        "sampling/unbiased.py",
        "return min(values) + math.log2(1 - confidence) / len(values)",
        "return min(values) + math.log2(1 - confidence) / (len(values) + 1)",
        ("tests/sampling/test_bounds_by_hand.py",),
    ),
    Fault(
        "sampling: the shares of the capital sum to more than 1",
        "sampling/unbiased.py",
        "weights = np.array([0.25 / len(_STAKES)] * len(_STAKES) + [0.75])",
        "weights = np.array([0.35 / len(_STAKES)] * len(_STAKES) + [0.75])",
        ("tests/sampling/test_bounds_by_hand.py",),
    ),
    # preactivation
    Fault(
        "preactivation: sums are not rounded outward",
        "preactivation/outward.py",
        "error = gamma(terms) * size + terms * TINY",
        "error = 0.0 * size",
        ("tests/preactivation",),
    ),
    Fault(
        "preactivation: the bounds of linear programmes are not rounded outward",
        "preactivation/proved_lp.py",
        "top + (4 * gamma(terms) * size + lost)",
        "top",
        ("tests/preactivation",),
    ),
    Fault(
        "preactivation: multipliers count on open sides",
        "preactivation/proved_lp.py",
        "open_side = np.where(y > 0, self._row_hi, self._row_lo)",
        "open_side = np.where(y < 0, self._row_hi, self._row_lo)",
        ("tests/preactivation",),
    ),
    Fault(
        "preactivation: the search by branching trusts its points",
        "preactivation/branching.py",
        "return max(closed, bound)",
        "return self._best",
        ("tests/preactivation",),
    ),
    Fault(
        "preactivation: a pair is branched on one side",
        "preactivation/branching.py",
        "for column in self._pairs[pair].tolist():",
        "for column in self._pairs[pair].tolist()[:1]:",
        ("tests/preactivation",),
    ),
    # bounds
    Fault(
        "bounds: a skip is no way around a narrow stage",
        "bounds/staged.py",
        "for before in reads[k]:",
        "for before in reads[k][-1:]:",
        ("tests/bounds/test_staged.py",),
    ),
    # linear
    Fault(
        "linear: pieces are joined where they share no facet",
        "linear/facet_test.py",
        "return rows is not None and ladder.decide(rows).feasible",
        "return rows is not None",
        ("tests/linear/test_merge.py",),
    ),
    Fault(
        "linear: proportional units cut the facet off",
        "linear/facet_test.py",
        "elif not self._proportional(u, v):",
        "else:",
        ("tests/linear/test_merge.py",),
    ),
)


def planted(fault: Fault, folder: Path) -> bool:
    """Plant a fault in the copy; False if its place is not there exactly once."""
    path = folder / "milpcount" / fault.file
    text = path.read_text(encoding="utf-8")
    if not fault.old or text.count(fault.old) != 1:
        return False
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return True


def verdict_on(fault: Fault | KernelFault, folder: Path, number: int = 0) -> str:
    """Run the tests of the fault in the copy; kernels have a fault by its number."""
    options = ["-q", "-x", "-p", "no:randomly", "--hypothesis-seed=0"]
    command = [sys.executable, "-m", "pytest", *options, *fault.tests]
    environment = {**os.environ, "PYTHONPATH": str(folder), VARIABLE: str(number)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "killed, a test hangs"
    said = done.stdout.decode(errors="replace")
    if done.returncode not in (0, 1):
        sys.stderr.write(said[-2000:])
        raise SystemExit(f"{fault.name}: the tests did not run (pytest's exit {done.returncode})")
    if done.returncode == 0:
        return LIVED
    failed = re.search(r"^(?:FAILED|ERROR) .*?::(.+?)(?: - |$)", said, re.MULTILINE)
    return f"killed by {failed[1]}" if failed else "killed"


def copy(folder: Path) -> None:
    """The parts of the checkout that tests and builds need, but for the kernels' sources."""
    for part in COPIED:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "src")
            shutil.copytree(ROOT / part, folder / part, ignore=ignored, dirs_exist_ok=True)
    for name in ("pyproject.toml", "CMakeLists.txt"):
        shutil.copy(ROOT / name, folder)


def tell(verdict: str, start: float, name: str) -> bool:
    """Print a line of the table; whether the verdict is a bad one."""
    print(f"{time.perf_counter() - start:6.0f} s  {name}: {verdict}", flush=True)
    return verdict in (NO_PLACE, LIVED)


def in_modules(faults: list[Fault], folder: Path, only_look: bool) -> int:
    """The faults in Python, one after the other; returns how many lived or have no place."""
    bad = 0
    for fault in faults:
        start = time.perf_counter()
        path = folder / "milpcount" / fault.file
        before = path.read_text(encoding="utf-8")
        if not planted(fault, folder):
            verdict = NO_PLACE
        else:
            verdict = "there" if only_look else verdict_on(fault, folder)
        path.write_text(before, encoding="utf-8")
        bad += tell(verdict, start, fault.name)
    return bad


def in_kernels(chosen: set[str], folder: Path, only_look: bool) -> int:
    """The faults in the kernels, which are compiled together; returns how many lived."""
    start, bad = time.perf_counter(), 0
    lost = sources_planted(KERNEL_FAULTS, ROOT / SOURCES, folder / SOURCES)
    if not only_look:
        build(folder, runnable()[-1])
        tell("built", start, "the kernels with their faults")
    for number, fault in enumerate(KERNEL_FAULTS, start=1):
        start = time.perf_counter()
        if fault.name not in chosen:
            continue
        if fault in lost:
            verdict = NO_PLACE
        else:
            verdict = "there" if only_look else verdict_on(fault, folder, number)
        bad += tell(verdict, start, fault.name)
    return bad


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="names with these")
    parser.add_argument("--list", action="store_true", help="look whether the places are there")
    parser.add_argument("--folder", type=Path, help="where the copy of the checkout is kept")
    arguments = parser.parse_args()

    def is_chosen(fault: Fault | KernelFault) -> bool:
        return any(word in fault.name for word in arguments.only)

    modules = [fault for fault in FAULTS if is_chosen(fault)]
    kernels = {fault.name for fault in KERNEL_FAULTS if is_chosen(fault)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(arguments.folder or name)
        copy(folder)
        bad = in_modules(modules, folder, arguments.list)
        if kernels:
            bad += in_kernels(kernels, folder, arguments.list)
    print(f"{len(modules) + len(kernels)} faults, {bad} lived or not placed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
