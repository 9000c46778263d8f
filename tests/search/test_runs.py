"""Runs that are shared, limited, killed and resumed."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.search.frames.problem_frames import problem_frames
from milpcount.search.machine import Machine
from milpcount.search.run import local_pool
from milpcount.search.run.bundle import BundleRunner, decode, encode, halve
from milpcount.search.run.journal import holding
from milpcount.search.searcher import Method, Searcher, Task, root_tasks
from tests.interruptions import endless_network
from tests.shared import net, random_net


def busy_network() -> mc.ReLUNetwork:
    """Some tens of thousands of regions: many portions where those are short."""
    return random_net(np.random.default_rng(5), [4, 24, 12, 1])


@pytest.fixture(scope="module")
def truth() -> int:
    result = mc.count(busy_network(), mc.Box(-1, 1), engine="subdivision")
    assert result.exact
    return result.lower


@pytest.mark.parametrize("engine", ["tree", "subdivision"])
def test_workers_agree(engine: str, truth: int) -> None:
    result = mc.count(busy_network(), mc.Box(-1, 1), engine=engine, workers=2)
    assert (result.lower, result.exact) == (truth, True)


def test_workers_stream_regions() -> None:
    network = random_net(np.random.default_rng(2), [3, 8, 6, 1])
    alone = {r.pattern for r in mc.enumerate_regions(network, mc.Box(-1, 1), engine="tree")}
    shared = list(mc.enumerate_regions(network, mc.Box(-1, 1), engine="tree", workers=2))
    assert {r.pattern for r in shared} == alone
    assert len(shared) == len(alone)


def test_workers_on_charts_and_degenerate_networks() -> None:
    network = random_net(np.random.default_rng(4), [3, 6, 4, 1], "integer")
    for domain in (mc.WholeSpace(), mc.Box(-1, 1)):
        result = mc.count(network, domain, engine="tree", workers=2)
        assert result.lower == mc.count(network, domain, engine="tree-highs").lower


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("short_portions")
def test_a_limited_run_goes_on(tmp_path: Path, truth: int, workers: int) -> None:
    file = tmp_path / "run.jsonl"
    box = mc.Box(-1, 1)
    lower = 0
    for _ in range(3):
        part = mc.count(
            busy_network(), box, engine="tree", workers=workers, resume=file,
            budget=mc.Budget(regions=lower + 500),
        )  # fmt: skip
        assert part.termination.limit == "regions"
        assert lower < part.lower < truth
        assert part.upper is not None
        assert part.upper >= truth
        lower = part.lower
    before = len(file.read_bytes().splitlines())
    done = mc.count(busy_network(), box, engine="tree", workers=workers, resume=file)
    assert (done.lower, done.exact) == (truth, True)
    # Once done, it is read from the file, and nothing is added.
    lines = file.read_bytes()
    assert len(lines.splitlines()) > before
    again = mc.count(busy_network(), box, engine="tree", resume=file)
    assert (again.lower, again.exact) == (truth, True)
    assert file.read_bytes() == lines


@pytest.mark.parametrize("workers", [1, 2])
def test_a_limit_on_the_time(tmp_path: Path, workers: int) -> None:
    options = {"engine": "tree", "workers": workers, "budget": mc.Budget(seconds=0.5)}
    parts = [
        mc.count(endless_network(), mc.Box(-1, 1), resume=resume, **options)
        for resume in (None, tmp_path / "run.jsonl", tmp_path / "run.jsonl")
    ]
    assert all(part.termination.limit == "time" and not part.exact for part in parts)
    assert parts[1].lower <= parts[2].lower <= parts[0].upper


SCRIPT = """
import sys
import pytest
import milpcount as mc
sys.path.insert(0, sys.argv[4])
from tests.interruptions import die_after, shorten_portions
from tests.search.test_runs import busy_network
patch = pytest.MonkeyPatch()
shorten_portions(patch)
die_after(patch, int(sys.argv[3]))
mc.count(busy_network(), mc.Box(-1, 1), engine="tree", workers=int(sys.argv[2]), resume=sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on(tmp_path: Path, truth: int, workers: int) -> None:
    file = tmp_path / "run.jsonl"
    root = str(Path(__file__).parents[2])
    lines = 0
    for portions in (1, 3, 7):
        arguments = [sys.executable, "-c", SCRIPT, str(file), str(workers), str(portions), root]
        assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
        kept = file.read_bytes().splitlines()
        assert lines < len(kept)
        lines = len(kept)
    part = mc.count(
        busy_network(), mc.Box(-1, 1), engine="tree", resume=file, budget=mc.Budget(regions=1)
    )
    assert 0 < part.lower < truth
    result = mc.count(busy_network(), mc.Box(-1, 1), engine="tree", resume=file)
    assert (result.lower, result.exact) == (truth, True)


@pytest.mark.usefixtures("short_portions")
def test_linear_pieces_go_on(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    network = random_net(np.random.default_rng(5), [4, 12, 8, 1], "integer")
    options = {"engine": "tree", "definition": "linear", "resume": file}
    alone = mc.count(network, mc.Box(-1, 1), engine="tree", definition="linear")
    part = mc.count(network, mc.Box(-1, 1), budget=mc.Budget(regions=500), workers=2, **options)
    assert not part.exact
    kept = file.read_bytes()
    done = mc.count(network, mc.Box(-1, 1), **options)
    assert (done.lower, done.exact) == (alone.lower, True)
    assert done.statistics["full_regions"] == alone.statistics["full_regions"] > alone.lower
    # Once done, it is read from the file and merged.
    again = mc.count(network, mc.Box(-1, 1), **options)
    assert (again.lower, again.exact) == (alone.lower, True)
    # A file of full regions has no patterns, and one whose patterns are torn is refused.
    with pytest.raises(mc.InputError, match="definition"):
        mc.count(network, mc.Box(-1, 1), engine="tree", resume=file)
    lines = [json.loads(line) for line in kept.decode().splitlines()]
    cut = next(line for line in lines if line.get("patterns"))
    for bad in ([], ["AAAA"]):
        cut["patterns"] = bad
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        with pytest.raises(mc.InputError, match="cannot be resumed"):
            mc.count(network, mc.Box(-1, 1), **options)
    with pytest.raises(mc.UnsupportedError, match="cannot be resumed"):
        list(mc.enumerate_regions(network, mc.Box(-1, 1), engine="tree", resume=file))


def test_torn_and_foreign_files(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    network = random_net(np.random.default_rng(0), [3, 8, 4, 1])
    box = mc.Box(-1, 1)
    truth = mc.count(network, box, engine="tree", resume=file).lower
    whole = file.read_text(encoding="utf-8")
    first_two = whole.split("\n")[:2]
    # Torn in the last line: that bundle is searched again.
    file.write_text("\n".join(first_two) + "\n" + whole.split("\n")[2][:20], encoding="utf-8")
    assert mc.count(network, box, engine="tree", resume=file).lower == truth
    assert mc.count(network, box, engine="tree", resume=file).lower == truth
    for other, where, message in (
        (random_net(np.random.default_rng(1), [3, 8, 4, 1]), box, "network_sha256"),
        (network, mc.Box(-1, 2), "domain_sha256"),
    ):
        with pytest.raises(mc.InputError, match=message):
            mc.count(other, where, engine="tree", resume=file)
    with pytest.raises(mc.InputError, match="engine"):
        mc.count(network, box, engine="subdivision", resume=file)
    with pytest.raises(mc.InputError, match="definition"):
        mc.count(network, box, engine="tree", definition="nonempty", resume=file)
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(mc.InputError, match=r"damaged|no file of a run"):
        mc.count(network, box, engine="tree", resume=file)
    with pytest.raises(mc.InputError, match="there is no folder"):
        mc.count(network, box, engine="tree", resume=tmp_path / "absent" / "run.jsonl")


def test_a_file_of_an_earlier_format_is_refused(tmp_path: Path) -> None:
    """Its bundles stand for other parts of the search."""
    path = tmp_path / "run.jsonl"
    network = random_net(np.random.default_rng(0), [2, 6, 1])
    budget = mc.Budget(regions=3)
    mc.count(network, mc.Box(-1, 1), engine="tree", budget=budget, resume=path)
    text = path.read_text()
    assert '"milpcount_resume": 2' in text
    path.write_text(text.replace('"milpcount_resume": 2', '"milpcount_resume": 1'))
    with pytest.raises(mc.InputError, match="another version of the format"):
        mc.count(network, mc.Box(-1, 1), engine="tree", resume=path)


def test_two_counts_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    network = net(([[1, -1], [1, 1]], [0, 0]))
    with holding(path), pytest.raises(mc.InputError, match="written by another count"):
        mc.count(network, mc.Box(-1, 1), engine="tree", resume=path)
    assert mc.count(network, mc.Box(-1, 1), engine="tree", resume=path).lower == 4
    assert [file.name for file in tmp_path.iterdir()] == ["run.jsonl"]


def test_every_line_stands_alone(tmp_path: Path) -> None:
    # Cut after any whole line the file is a valid state: count plus what is open is the truth.
    file = tmp_path / "run.jsonl"
    network = random_net(np.random.default_rng(0), [4, 12, 8, 1])
    box = mc.Box(-1, 1)
    truth = mc.count(network, box, engine="tree", workers=2, resume=file).lower
    lines = file.read_text(encoding="utf-8").splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    for keep in sorted({2, len(lines) // 2, len(lines) - 1} & set(range(2, len(lines) + 1))):
        file.write_text("\n".join(lines[:keep]) + "\n", encoding="utf-8")
        assert mc.count(network, box, engine="tree", resume=file).lower == truth


def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let threads count as in each other's way at the first report."""
    monkeypatch.setattr(local_pool, "_TRIAL", 0.0)
    monkeypatch.setattr(local_pool, "_CROWDED", 0.0)


@pytest.mark.usefixtures("short_portions")
def test_a_worker_that_dies_is_replaced(truth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/proc").is_dir():
        return  # finds the workers' process numbers there
    in_processes(monkeypatch)
    killed = []

    def kill_one(snapshot: mc.Progress) -> None:
        if killed or not snapshot.regions:
            return
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes()
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except (OSError, IndexError):
                continue
            if b"serve.py" in line and int(parent) == os.getpid():
                os.kill(int(entry.name), signal.SIGKILL)
                killed.append(entry.name)
                return

    result = mc.count(busy_network(), mc.Box(-1, 1), engine="tree", workers=2, progress=kill_one)
    assert killed
    assert (result.lower, result.exact) == (truth, True)


def test_no_thread_stays_behind(truth: int) -> None:
    before = set(threading.enumerate())
    assert mc.count(busy_network(), mc.Box(-1, 1), engine="tree", workers=3).lower == truth
    some = mc.enumerate_regions(busy_network(), mc.Box(-1, 1), engine="subdivision", workers=2)
    next(some)
    del some
    assert set(threading.enumerate()) == before


def test_an_error_of_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise mc.UnsupportedError("no room")

    monkeypatch.setattr(Machine, "run", fail)
    before = set(threading.enumerate())
    with pytest.raises(mc.UnsupportedError, match="no room"):
        mc.count(busy_network(), mc.Box(-1, 1), engine="tree", workers=2)
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("definition", ["full", "nonempty"])
def test_threads_give_way_to_processes(
    tmp_path: Path, definition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bundles are cut off in the middle of exact searches, and go on elsewhere."""
    in_processes(monkeypatch)
    network, box = random_net(np.random.default_rng(3), [3, 9, 6, 1], "integer"), mc.Box(-1, 1)
    truth = mc.count(network, box, engine="tree-highs", definition=definition).lower
    options = {"engine": "tree", "definition": definition, "workers": 2}
    assert mc.count(network, box, **options).lower == truth
    if definition == "full":
        file = tmp_path / "count.cert"
        assert mc.count(network, box, certificate=file, **options).lower == truth
        assert mc.verify(file, network, expect=truth).regions == truth


@pytest.mark.parametrize("definition", ["full", "nonempty"])
@pytest.mark.parametrize("method", ["tree", "subdivision"])
def test_a_stop_in_an_exact_search_loses_nothing(
    definition: str, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (definition, method) == ("nonempty", "subdivision"):
        return  # counts full regions only
    network = random_net(np.random.default_rng(3), [3, 7, 5, 1], "integer")
    problem = CountProblem.of(network, mc.Box(-1, 1), definition)
    truth = mc.count(network, mc.Box(-1, 1), engine="tree-highs", definition=definition).lower
    runner = BundleRunner(problem, method, keep=True)
    waiting = list(root_tasks(problem, problem_frames(problem)))
    found = []
    for looks in itertools.count(3):
        if not waiting:
            break
        # More looks each time: at last there is enough for any exact search.
        left = itertools.count()
        monkeypatch.setattr(runner._stopped, "is_set", lambda left=left, n=looks: next(left) >= n)
        report = runner.run([waiting.pop()], 60.0)
        waiting += report.left
        found += [tuple(row) for _, bits, _ in report.batches for row in bits.tolist()]
        found += [leaf.bits for leaf in report.leaves]
        share = sum(task.share for task in report.left) + report.closed
        assert abs(share - 0.5 ** round(-np.log2(share))) < 1e-9
    assert len(found) == len(set(found)) == truth


def test_bad_requests() -> None:
    one = net(([[1.0]], [0.0]))
    with pytest.raises(mc.InputError, match="at least 1, not 0"):
        mc.count(one, mc.Box(-1, 1), engine="tree", workers=0)
    with pytest.raises(mc.UnsupportedError, match="no option 'workers'"):
        mc.count(one, mc.Box(-1, 1), engine="brute", workers=2)


@pytest.mark.usefixtures("short_portions")
def test_progress_reaches_the_end() -> None:
    fractions: list[float] = []

    def note(snapshot: mc.Progress) -> None:
        if snapshot.fraction is not None:
            fractions.append(snapshot.fraction)

    mc.count(busy_network(), mc.Box(-1, 1), engine="tree", progress=note)
    assert len(fractions) > 10
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] <= 1 + 1e-9


def test_bundles_survive_encoding() -> None:
    tasks = [Task(k, np.array([k - 2, 1, 0], dtype=np.int8), 0.5**k) for k in range(5)]
    back = decode(json.loads(json.dumps(encode(tasks))))
    assert [(t.frame, t.signs.tolist(), t.share) for t in back] == [
        (t.frame, t.signs.tolist(), t.share) for t in tasks
    ]
    first, second = halve(tasks)
    assert len(first) + len(second) == 5
    assert abs(sum(t.share for t in first) - sum(t.share for t in second)) <= 0.1


@pytest.mark.parametrize("definition", ["full", "nonempty"])
def test_a_pause_after_every_portion_finds_nothing_twice(
    definition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Integer weights: many sides are left open by floats, and bundles end right after them, as
    # long as the kernel does not decide them in integers.
    monkeypatch.setattr(Machine, "prove_exactly", lambda self: False)
    network = random_net(np.random.default_rng(3), [3, 9, 6, 1], "integer")
    problem = CountProblem.of(network, mc.Box(-1, 1), definition)
    truth = mc.count(network, mc.Box(-1, 1), engine="tree-highs", definition=definition).lower
    outcome = Outcome(keep=True)
    searcher = Searcher(problem, Watch(), outcome, "tree", whole=True)
    waiting, found, portions = list(searcher.roots()), [], 0
    while waiting:
        looks = itertools.count()
        for some in searcher.run(waiting.pop(), lambda looks=looks: next(looks) >= 1):
            found += [tuple(row) for row in some.patterns().tolist()]
        portions += 1
        assert portions < 10_000, "the same nodes come back"
        waiting += searcher.left
    assert len(found) == len(set(found)) == truth
    assert portions > 10
    assert outcome.statistics["doubts"] > 10


def stopped_every_few_steps(problem: CountProblem, steps: int, most: int) -> int:
    """Count, up to ``most`` regions, with a searcher that is stopped and started all the time."""
    outcome = Outcome(keep=False)
    searcher = Searcher(problem, Watch(), outcome, "tree")
    tasks, total = list(searcher.roots()), 0
    while tasks and total <= most:
        searcher._steps = steps
        calls = itertools.count()
        for found in searcher.run(tasks.pop(), lambda calls=calls: next(calls) > 0):
            total += found.count
        tasks += searcher.left
    return total


@pytest.mark.parametrize("definition", ["full", "nonempty"])
@pytest.mark.parametrize("steps", [9, 10, 12])
def test_a_side_settled_exactly_is_not_searched_again(definition: str, steps: int) -> None:
    """Doubts are answered just before a stop: what is left is the other side alone."""
    for seed in range(12):
        widths = ([1, 2, 1, 1], [2, 4, 3, 1], [3, 3, 2, 1])[seed % 3]
        network = random_net(np.random.default_rng(seed), widths, "integer")
        box = mc.Box(-1, 1)
        problem = CountProblem.of(network, box, definition)
        truth = mc.count(network, box, engine="brute", definition=definition).lower
        assert stopped_every_few_steps(problem, steps, truth) == truth
