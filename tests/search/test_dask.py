"""One count over the workers of a Dask cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.cli.app import run
from milpcount.cluster import dispatch
from milpcount.cluster.connection import connected
from milpcount.search.run import dask_pool, portions
from tests.interruptions import SECONDS, endless_network
from tests.search.test_runs import busy_network
from tests.shared import random_net

distributed = pytest.importorskip("distributed")

BOX = mc.Box(-1, 1)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def truth() -> int:
    result = mc.count(busy_network(), BOX, engine="subdivision")
    assert result.exact
    return result.lower


def small_network(kind: str = "normal") -> mc.ReLUNetwork:
    return random_net(np.random.default_rng(3), [3, 9, 6, 1], kind)


@pytest.mark.parametrize("definition", ["full", "nonempty", "linear"])
@pytest.mark.parametrize("kind", ["normal", "integer"])
def test_equal_counts(address: str, definition: str, kind: str) -> None:
    network = small_network(kind)
    alone = mc.count(network, BOX, engine="tree", definition=definition)
    for workers in (2, mc.DaskCluster(address)):
        shared = mc.count(network, BOX, engine="tree", definition=definition, workers=workers)
        assert (shared.lower, shared.exact) == (alone.lower, True)


def test_subdivision_and_unbounded_domains(address: str, truth: int) -> None:
    cluster = mc.DaskCluster(address)
    result = mc.count(busy_network(), BOX, engine="subdivision", workers=cluster)
    assert (result.lower, result.exact) == (truth, True)
    assert result.statistics["nodes"] > 0
    assert result.statistics["regions_by_sections"] > 0
    network = random_net(np.random.default_rng(4), [3, 6, 4, 1], "integer")
    whole = mc.count(network, mc.WholeSpace(), engine="tree", workers=cluster)
    assert whole.lower == mc.count(network, mc.WholeSpace(), engine="tree-highs").lower


def test_streams_regions(address: str) -> None:
    network = small_network()
    alone = {r.pattern for r in mc.enumerate_regions(network, BOX, engine="tree")}
    cluster = mc.DaskCluster(address)
    shared = list(mc.enumerate_regions(network, BOX, engine="tree", workers=cluster))
    assert {r.pattern for r in shared} == alone
    assert len(shared) == len(alone)


def worker_pids(address: str) -> list[int]:
    with connected(mc.DaskCluster(address)) as client:
        return sorted(client.run(os.getpid).values())


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX")
@pytest.mark.usefixtures("short_portions")
def test_a_worker_that_dies_is_no_loss(address: str, truth: int) -> None:
    pids = worker_pids(address)
    killed = []

    def kill_one(snapshot: mc.Progress) -> None:
        if not killed and snapshot.regions:
            os.kill(pids[0], signal.SIGKILL)
            killed.append(pids[0])

    result = mc.count(
        busy_network(), BOX, engine="tree", workers=mc.DaskCluster(address), progress=kill_one
    )
    assert killed
    assert (result.lower, result.exact) == (truth, True)


def becomes_idle(address: str) -> bool:
    """Whether no worker runs anything, now or soon."""

    def running(dask_worker: distributed.Worker) -> int:
        return dask_worker.state.executing_count

    end = time.monotonic() + SECONDS
    with connected(mc.DaskCluster(address)) as client:
        while busy := sum(client.run(running).values()):
            if time.monotonic() > end:
                break
            time.sleep(0.05)
    return not busy


@pytest.mark.parametrize("stop", ["time", "interrupt", "regions"])
def test_limits_leave_idle_workers(
    address: str, stop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "_LAST_WORD", 0.5)
    with connected(mc.DaskCluster(address)) as client:
        client.wait_for_workers(2)  # one may have been killed by another test
    if stop != "time":
        # As good as for ever: workers stop because nobody waits for them.
        monkeypatch.setattr(dask_pool.DaskPool, "slice", 1e6)

    def interrupt(snapshot: mc.Progress) -> None:
        if stop == "interrupt" and snapshot.regions:
            raise KeyboardInterrupt

    budget = mc.Budget(
        seconds=1.0 if stop == "time" else None, regions=1 if stop == "regions" else None
    )
    result = mc.count(
        endless_network(), BOX, engine="tree", workers=mc.DaskCluster(address), budget=budget,
        progress=interrupt,
    )  # fmt: skip
    assert result.termination.limit == stop
    assert not result.exact
    assert result.upper is not None
    assert result.lower < result.upper
    assert result.lower > 0 or stop == "time"
    assert becomes_idle(address)


def network_for(definition: str) -> mc.ReLUNetwork:
    """One of many portions; of fewer regions where these are merged."""
    if definition != "linear":
        return busy_network()
    return random_net(np.random.default_rng(6), [4, 16, 10, 1])


SCRIPT = """
import sys
import pytest
import milpcount as mc
sys.path.insert(0, sys.argv[4])
from tests.interruptions import die_after, shorten_portions
from tests.search.test_dask import network_for
patch = pytest.MonkeyPatch()
shorten_portions(patch)
die_after(patch, 7)
mc.count(
    network_for(sys.argv[3]), mc.Box(-1, 1), engine="tree", definition=sys.argv[3],
    resume=sys.argv[1],
    workers=mc.DaskCluster(sys.argv[2]),
)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize("definition", ["full", "nonempty", "linear"])
@pytest.mark.usefixtures("short_portions")
def test_a_killed_parent_goes_on(address: str, tmp_path: Path, definition: str) -> None:
    network = network_for(definition)
    truth = mc.count(network, BOX, engine="tree", definition=definition).lower
    file = tmp_path / "run.jsonl"
    root = str(Path(__file__).parents[2])
    arguments = [sys.executable, "-c", SCRIPT, str(file), address, definition, root]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    # Nobody waits for the killed one's bundles any more.
    assert becomes_idle(address)
    cluster = mc.DaskCluster(address)
    part = mc.count(
        network, BOX, engine="tree", definition=definition, resume=file, workers=cluster,
        budget=mc.Budget(regions=1),
    )  # fmt: skip
    assert 0 < part.lower < truth
    result = mc.count(
        network, BOX, engine="tree", definition=definition, resume=file, workers=cluster
    )
    assert (result.lower, result.exact) == (truth, True)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX")
def test_a_scheduler_that_goes_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dispatch, "_PATIENCE", 1.0)
    file, journal = tmp_path / "scheduler.json", tmp_path / "run.jsonl"
    dask = [sys.executable, "-m", "dask"]
    where = ["--scheduler-file", str(file)]
    port = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    alone = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "5"]
    root = str(Path(__file__).parents[2])
    quiet = {"env": {**os.environ, "PYTHONPATH": root}, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*dask, "scheduler", *port, *where], **quiet)
    worker = subprocess.Popen([*dask, "worker", *where, *alone], **quiet)
    end = time.monotonic() + SECONDS
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.05)

    def leave(snapshot: mc.Progress) -> None:
        if snapshot.regions:
            scheduler.kill()

    cluster = mc.DaskCluster(scheduler_file=file)
    options = {"engine": "tree", "resume": journal}
    try:
        with pytest.raises(mc.SolverError, match="connection to the Dask scheduler was lost"):
            mc.count(endless_network(), BOX, workers=cluster, progress=leave, **options)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    # What was finished is kept.
    part = mc.count(endless_network(), BOX, budget=mc.Budget(regions=1), **options)
    assert part.lower > 0


def test_a_cluster_of_this_machine() -> None:
    network = small_network()
    result = mc.count(network, BOX, engine="tree", workers=mc.DaskCluster(workers=1))
    assert result.lower == mc.count(network, BOX, engine="tree").lower


def test_bad_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_network()
    with pytest.raises(mc.InputError, match=r"tcp://HOST:PORT"):
        mc.DaskCluster("localhost")
    with pytest.raises(mc.InputError, match="not by both"):
        mc.DaskCluster("tcp://localhost:1", tmp_path / "x.json")
    with pytest.raises(mc.InputError, match="at least 1, not 0"):
        mc.DaskCluster(workers=0)
    file = tmp_path / "scheduler.json"
    with pytest.raises(mc.InputError, match="no such file; dask scheduler --scheduler-file"):
        mc.count(network, BOX, engine="tree", workers=mc.DaskCluster(scheduler_file=file))
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(mc.InputError, match="names no Dask scheduler"):
        mc.count(network, BOX, engine="tree", workers=mc.DaskCluster(scheduler_file=file))
    monkeypatch.setattr("milpcount.cluster.connection._PATIENCE", 0.5)
    file.write_text('{"address": "tcp://127.0.0.1:1"}', encoding="utf-8")
    with pytest.raises(mc.InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        mc.count(network, BOX, engine="tree", workers=mc.DaskCluster(scheduler_file=file))
    with pytest.raises(mc.UnsupportedError, match="no option 'workers'"):
        mc.count(network, BOX, engine="brute", workers=mc.DaskCluster())
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(mc.MissingDependencyError, match=r"milpcount\[dask\]"):
        mc.count(network, BOX, engine="tree", workers=mc.DaskCluster())


def test_on_the_command_line(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = small_network()
    path = tmp_path / "net.npz"
    arrays = {f"W{k}": w for k, w in enumerate(network.weights)}
    arrays |= {f"b{k}": b for k, b in enumerate(network.biases)}
    np.savez(path, **arrays)
    (tmp_path / "scheduler.json").write_text(f'{{"address": "{address}"}}', encoding="utf-8")
    counted = ["count", str(path), "--box", "-1", "1", "--engine", "tree", "--json"]
    found = []
    for options in (
        [],
        ["--executor", "dask", "--scheduler", address],
        ["--executor", "dask", "--scheduler-file", str(tmp_path / "scheduler.json")],
    ):
        assert run([*counted, *options]) == 0
        found.append(json.loads(capsys.readouterr().out)["lower"])
    assert len(set(found)) == 1
    assert run([*counted, "--scheduler", address]) == 2
    assert "go with --executor dask" in capsys.readouterr().err
