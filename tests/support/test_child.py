"""Child processes: what they print, how they end, and that they end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milpcount.errors import SolverError
from milpcount.search.run.journal import holding
from milpcount.support.child import Child, Message, process
from tests.interruptions import SECONDS

WORKER = Path(__file__).with_name("workers.py")
ROOT = Path(__file__).parents[2]

posix = pytest.mark.skipif(os.name == "nt", reason="signals and locks of POSIX")


@pytest.fixture
def child() -> Iterator[Child]:
    started = Child(WORKER, "test")
    yield started
    started.close()


def wait_until(condition: Callable[[], bool], seconds: float = SECONDS) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def is_there(pid: int) -> bool:
    """Whether the process runs; one that ended and was not asked for its end does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def test_prints_do_not_reach_the_answers(child: Child, capfd: pytest.CaptureFixture[str]) -> None:
    for value in ([1, 2.5, None], {"a": b"\x00\n"}, "x" * 1_000_000):
        assert child.ask("echo", value=value) == value
    assert capfd.readouterr() == ("", "")


def test_a_flood_of_prints_does_not_block(child: Child) -> None:
    assert child.ask("flood", size=300_000) == 300_000


def test_failures_are_one_line(child: Child) -> None:
    with pytest.raises(SolverError, match=r"^test: no answer$"):
        child.ask("refuse")
    assert child.ask("echo", value=1) == 1
    with pytest.raises(SolverError, match=r"test process ended: these are my last words .*code 7"):
        child.ask("die")
    with pytest.raises(SolverError, match="process ended"):
        child.ask("echo", value=1)


def test_a_worker_that_cannot_be_loaded(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("import a_module_that_is_not_there\n")
    broken = Child(file, "broken")
    with pytest.raises(SolverError, match="No module named 'a_module_that_is_not_there'"):
        broken.ask("echo", value=1)


def test_stop_reaches_a_call_at_work() -> None:
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    child = Child(WORKER, "test", inbox)
    try:
        child.post("sleep", seconds=1e6)
        kinds = []
        while "done" not in kinds:
            message = inbox.get(timeout=SECONDS)
            kinds.append(message.kind)
            if message.kind == "busy":
                child.stop()
        assert message.value == "stopped"
        assert kinds[0] == "ready"
    finally:
        child.close()


@posix
def test_no_sign_of_life_is_an_end(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    assert child.ask("echo", value=1) == 1
    monkeypatch.setattr(process, "PATIENCE", 0.5)
    os.kill(child.pid, signal.SIGSTOP)
    with pytest.raises(SolverError, match="gave no sign of life"):
        child.ask("echo", value="x" * 10_000_000)
    assert not is_there(child.pid)


def test_a_call_that_takes_longer_than_the_patience(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert child.ask("echo", value=1) == 1
    monkeypatch.setattr(process, "PATIENCE", 2.5)
    assert child.ask("sleep", seconds=4.0) == "slept"


PARENT = """
import sys, time
from pathlib import Path
from milpcount.support.child import Child
children = [Child(Path(sys.argv[1]), "test") for _ in sys.argv[2:]]
for child, path in zip(children, sys.argv[2:]):
    child.post("hold", path=path)
print(*(child.pid for child in children), flush=True)
time.sleep(600)
"""


@posix
def test_killed_and_started_again_twenty_times(tmp_path: Path) -> None:
    paths = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    locks = [path.with_name(path.name + ".lock") for path in paths]
    arguments = [sys.executable, "-c", PARENT, str(WORKER), *map(str, locks)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for _ in range(20):
        parent = subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment)
        assert parent.stdout is not None
        with parent.stdout as pipe:
            pids = [int(word) for word in pipe.readline().split()]
            # Both are at work with their files.
            assert wait_until(lambda: all(lock.exists() and lock.stat().st_size for lock in locks))
            parent.kill()
            parent.wait()
        # Free at once: this waits some seconds at most.
        for path in paths:
            with holding(path):
                pass
        assert wait_until(lambda pids=pids: not any(map(is_there, pids)))


def end_with(tell: multiprocessing.connection.Connection) -> None:
    """A parent that starts a pool's worker and tells its number."""
    from concurrent.futures import ProcessPoolExecutor

    from milpcount.support.child import end_with_parent

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, end_with_parent) as pool:
        tell.send(pool.submit(os.getpid).result())
        pool.submit(time.sleep, 600).result()


@posix
def test_workers_of_a_pool_end_with_their_parent() -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with here, there:
        parent = context.Process(target=end_with, args=(there,))
        parent.start()
        worker = here.recv()
        assert is_there(worker)
        parent.kill()
        parent.join()
        assert wait_until(lambda: not is_there(worker))
