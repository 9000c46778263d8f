"""Studies that are killed and started again, on the command line and with workers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from milpcount.study import run_study
from tests.interruptions import SECONDS
from tests.study import fakes
from tests.support.test_child import is_there, wait_until

posix = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX")

STUDY = """\
name: killed
root: .
random:
  - {architecture: [20, 9, 7, 1], count: 2}
domain: {box: [-1, 1]}
counts:
  - {engine: tree}
output: out
tables: []
figures: []
"""

# The command line with counts that stop to wait, in the workers too: they load this file.  For
# each line read it is started in a process of its own, which is forked to spare its imports; a
# second line is answered with its end.
MAIN = """\
import os, sys
from pathlib import Path
from tests.interruptions import hold_after, shorten_portions
class Patch:
    setattr = staticmethod(setattr)
shorten_portions(Patch)
hold_after(Patch, 1, Path(sys.argv[1]))
if __name__ == "__main__":
    from milpcount.cli.app import run
    while sys.stdin.readline():
        child = os.fork()
        if not child:
            os.close(0)
            os.dup2(2, 1)
            os._exit(run(sys.argv[2:]))
        print(child, flush=True)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def counts(folder: Path) -> dict[str, str]:
    lines = (folder / "out" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert all(record["exact"] for record in records)
    return {record["network"]: record["lower"] for record in records}


@posix
def test_killed_and_started_again_twenty_times(tmp_path: Path) -> None:
    whole, killed, held = (tmp_path / name for name in ("whole", "killed", "held"))
    for folder in (whole, killed, held):
        folder.mkdir()
    run_study(fakes.write_study(whole, STUDY))
    (tmp_path / "main.py").write_text(MAIN, encoding="utf-8")
    study = str(fakes.write_study(killed, STUDY))
    command = [sys.executable, str(tmp_path / "main.py"), str(held), "run", study, "--workers", "2"]
    main = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def next_number() -> int:
        assert main.stdin is not None
        assert main.stdout is not None
        main.stdin.write("go on\n")
        main.stdin.flush()
        return int(main.stdout.readline())

    ended: list[int] = []
    sizes = [0]
    with main, contextlib.ExitStack() as at_last:
        at_last.callback((held / "go").touch)  # nobody waits for ever, should this fail
        for _ in range(20):
            parent = next_number()
            # It has begun whether the workers of the one before have ended or not; then they have.
            assert wait_until(lambda: not any(map(is_there, ended)))  # noqa: B023
            assert wait_until(
                lambda: len(list(held.iterdir())) == 2 or not is_there(parent)  # noqa: B023
            )
            assert is_there(parent), "it did not count: its files were held"
            ended = [int(file.name) for file in held.iterdir()]
            os.kill(parent, signal.SIGKILL)
            assert next_number() == -signal.SIGKILL
            for file in held.iterdir():
                file.unlink()
            kept = (killed / "out" / "unfinished").iterdir()
            sizes.append(sum(len(file.read_bytes()) for file in kept if file.suffix == ".jsonl"))
        # Each went on from where the one before was.
        assert sizes == sorted(set(sizes))
        (held / "go").touch()
        next_number()
        assert next_number() == 0
    assert counts(killed) == counts(whole)
    assert not (killed / "out" / "unfinished").exists()


CLUSTER = """\
import sys
import milpcount as mc
from tests.interruptions import endless_network
def tell(snapshot):
    if snapshot.regions:
        print("at work", flush=True)
if __name__ == "__main__":
    cluster = mc.DaskCluster(workers=2)
    mc.count(endless_network(), mc.Box(-1, 1), engine="tree", workers=cluster, progress=tell)
"""


@posix
def test_the_workers_of_a_local_cluster_end_with_their_parent(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    if not Path("/proc/self/stat").exists():
        pytest.skip("descendants of a process are found in /proc")
    main = tmp_path / "main.py"
    main.write_text(CLUSTER, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen(
        [sys.executable, str(main)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    with parent.stdout as pipe:
        assert pipe.readline() == b"at work\n"
        pids = descendants(parent.pid)
        assert len(pids) >= 2
        parent.kill()
        parent.wait()
    assert wait_until(lambda: not any(map(is_there, pids)), SECONDS)


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8")
            except OSError:
                continue  # ended meanwhile
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]
