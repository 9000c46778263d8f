#!/usr/bin/env python3
r"""Time, memory and rates against the targets of the native kernels, beside another version.

    python benchmarks/bench_targets.py [--other PYTHON] [--rows WORD ...]

``--other`` is the interpreter of an environment that has another version installed, the last one
with kernels in numba; each row is measured there right after it was measured here.  Rows that took
the other version more than a minute, or that it cannot do, are left out there, and the table says
so.  Each measurement is a process of its own.  Seconds are CPU seconds, the least of several
counts after a first one; a µs a region is of the first 400,000 regions where there are more.

Networks that are named alone are those of the folder in ``MILPCOUNT_DATA``.  Writes ``targets.md``
and ``targets.jsonl`` to ``results/counting``.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from milpcount import ReLUNetwork

ROOT = Path(__file__).resolve().parent.parent
FIRST = 400_000  # regions
LONG = 60.0  # seconds
UNITS = {
    "count": "s",
    "rate": "µs",
    "process": "s",
    "fresh": "s",
    "memory": "MB",
    "workers": "times",
}


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        name: what is measured.
        how: "count", "rate", "certify", "verify", "workers": in Python; "process", "fresh" (the
            first after installation, with no cache of compiled kernels) and "memory": of the
            command line.
        before: what the other version took when the target was set; None: it could not.
        target: to reach, in the same unit.
        net: makes the network.
        domain: "file", "space" or the ends of a box.
        engine: that counts.
        with_output: whether output units count.
    """

    name: str
    how: str
    before: float | None
    target: float
    net: Callable[[], ReLUNetwork]
    domain: Any = (-1.0, 1.0)
    engine: str = "auto"
    with_output: bool = False

    @property
    def unit(self) -> str:
        """Of all the numbers."""
        return UNITS.get(self.how, "s")


def rows() -> list[Row]:
    """The table, in its order; imported here alone, the other version lacks some of it."""
    from bench_counting import shared, uniform_network

    import milpcount as mc
    from milpcount import zoo

    def random(name: str) -> Callable[[], ReLUNetwork]:
        return lambda: shared(name)

    def uniform(*widths: int) -> Callable[[], ReLUNetwork]:
        return lambda: uniform_network([*widths, 1], 0)

    def digits(name: str) -> Callable[[], ReLUNetwork]:
        return lambda: mc.load_network(ROOT / f"results/mnist22/networks/{name}_s0.npz")

    pixels, box = (0.0, 1.0), (-1.0, 1.0)
    return [
        Row("first `milpcount count`, 2-4-1", "fresh", 59.0, 0.5, uniform(2, 4)),
        Row("warm `milpcount count random_c`", "process", 1.45, 0.4, random("random_c"), "file"),
        Row("memory of this process", "memory", 185.0, 120.0, random("random_c"), "file"),
        Row("random_a", "count", 0.0017, 0.0002, random("random_a"), "file"),
        Row("2; 64-64-64", "count", 0.025, 0.006, uniform(2, 64, 64, 64)),
        Row("bunny_2_2x50", "count", 0.0055, 0.0015, random("bunny_2_2x50")),
        Row("2; 20 layers of 20", "count", 0.033, 0.006, uniform(2, *[20] * 20)),
        Row("2; 256-256", "count", 0.18, 0.1, uniform(2, 256, 256)),
        Row("random_d", "count", 0.029, 0.005, random("random_d"), "file"),
        Row("bunny_3_3x16", "count", 0.081, 0.016, random("bunny_3_3x16")),
        Row("4; 72-72", "count", 14.0, 3.0, uniform(4, 72, 72)),
        Row("2; 2000", "count", 2.5, 0.03, uniform(2, 2000)),
        Row("3; 500", "count", 17.5, 0.2, uniform(3, 500)),
        Row("5; 40", "count", 1.2, 0.02, uniform(5, 40)),
        Row("6; 24", "count", 0.26, 0.01, uniform(6, 24)),
        Row("tree: random_f", "rate", 7.8, 2.0, random("random_f"), "file", "tree"),
        Row("tree: 8; 16-16", "rate", 8.7, 1.8, uniform(8, 16, 16), box, "tree"),
        Row("tree: random_g", "rate", 14.8, 4.0, random("random_g"), "file", "tree"),
        Row("tree: 10; 8 layers of 10", "rate", 37.5, 12.0, uniform(10, *[10] * 8), box, "tree"),
        Row("784 inputs: random_i", "rate", 12.6, 4.2, random("random_i"), "file", "tree"),
        Row("784 inputs: MNIST 8-14", "rate", 17.3, 5.8, digits("8-14"), pixels, "tree"),
        Row("784 inputs: MNIST 11-11", "rate", 24.8, 8.3, digits("11-11"), pixels, "tree"),
        Row("784 inputs: MNIST 18-4", "rate", 9.9, 3.3, digits("18-4"), pixels, "tree"),
        Row("resonance 5, R^5", "count", 1.2, 0.02, lambda: zoo.resonance(5).net, "space"),
        Row("resonance 6, R^6", "count", None, 2.0, lambda: zoo.resonance(6).net, "space"),
        Row("resonance 6, [-1, 1]^6", "count", None, 60.0, lambda: zoo.resonance(6).net),
        Row("resonance 7, R^7", "count", None, 60.0, lambda: zoo.resonance(7).net, "space"),
        Row("tent map of depth 16", "count", 8.0, 0.3, lambda: zoo.tent_map(16).net, pixels),
        Row("`verify` random_i", "verify", 18.0, 3.0, random("random_i"), "file", "tree"),
        Row(
            "certificate, R^4, five stages of 10 with outputs", "certify", None, 60.0,
            lambda: uniform_network([4, *[10] * 5], 0), "space", "tree", True,
        ),
        Row("two workers, 4; 104-104", "workers", None, 1.8, uniform(4, 104, 104)),
    ]  # fmt: skip


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """Measure in this process, with the package of its interpreter."""
    import milpcount as mc

    net, common = mc.load_network(task["net"]), {"with_output": task["with_output"]}
    domain: mc.Domain | None = None
    if task["domain"] != "file":
        domain = mc.WholeSpace() if task["domain"] == "space" else mc.Box(*task["domain"])
    certificate = Path(task["net"]).with_suffix(".cert")
    if task["how"] in ("certify", "verify"):
        start = time.process_time()
        result = mc.count(net, domain, engine="tree", certificate=certificate, **common)
        if task["how"] == "verify":
            start = time.process_time()
            mc.verify(certificate, net, domain)
        return {"value": time.process_time() - start, "regions": result.lower}
    if task["how"] == "workers":
        wall = []
        for workers in (1, 2):
            begin = time.perf_counter()
            result = mc.count(net, domain, workers=workers)
            wall.append(time.perf_counter() - begin)
        return {"value": wall[0] / wall[1], "regions": result.lower}
    budget = mc.Budget(regions=FIRST) if task["how"] == "rate" else None
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < 2 or (time.perf_counter() - begin < 2 and len(times) < 40):
        start = time.process_time()
        result = mc.count(net, domain, engine=task["engine"], budget=budget, **common)
        times.append(time.process_time() - start)
        if times[-1] > 5:
            break
    value = min(times) if task["how"] == "count" else 1e6 * min(times) / result.lower
    return {"value": value, "regions": result.lower, "engine": result.engine}


def run(python: Path, row: Row, task: dict[str, Any], other: bool) -> dict[str, Any]:
    """Measure a row with this interpreter, in a child; the reason where there is no number."""
    if other and (row.before is None or (row.unit == "s" and row.before > LONG - 5)):
        return {"none": "not done" if row.before is None else f"takes {row.before:g} s"}
    environment = dict(os.environ)
    if other:
        environment.pop("PYTHONPATH", None)
    command = [str(python), __file__, "--measure", json.dumps(task)]
    if row.how in ("process", "fresh", "memory"):
        command = [str(python), "-m", "milpcount", "count", task["net"], "--json"]
        if task["domain"] != "file":
            command += [f"--box={task['domain'][0]:g}", f"{task['domain'][1]:g}"]
        with tempfile.TemporaryDirectory() as cache:
            if row.how == "fresh":
                environment["NUMBA_CACHE_DIR"] = cache
            if not other:
                environment["PYTHONPATH"] = str(installed(Path(cache)))
            found = [
                of_command(command, environment) for _ in range(1 if row.how == "fresh" else 3)
            ]
        which = "peak_mb" if row.how == "memory" else "seconds"
        return {"value": min(one[which] for one in found), "regions": found[0]["regions"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"none": (done.stderr.strip().splitlines() or ["failed"])[-1]}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def installed(folder: Path) -> Path:
    """A folder with the package as pip installs it: copied there, and its modules compiled."""
    import milpcount as mc

    target = folder / "milpcount"
    without = shutil.ignore_patterns("__pycache__", "src")
    shutil.copytree(Path(mc.__file__).parent, target, ignore=without)
    if not compileall.compile_dir(target, quiet=1):
        raise SystemExit(f"{target}: does not compile")
    return folder


def of_command(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """CPU seconds and peak memory of a whole process."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.DEVNULL)
        _, _, used = os.wait4(child.pid, 0)
        child.returncode = 0
        out.seek(0)
        answer = json.load(out)
    seconds, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak, "regions": int(answer["lower"])}


def cell(value: float | None, unit: str) -> str:
    """A number with three digits and its unit; "" for none."""
    return "" if value is None else f"{float(f'{value:.3g}'):,.10g} {unit}"


def line(record: dict[str, Any]) -> str:
    """One line of the table in Markdown."""
    new, old, unit = record["new"].get("value"), record["old"].get("value"), record["unit"]
    ratio = "" if not (new and old) else f"{old / new:.1f}"
    share = ""
    if new is not None:
        share = f"{record['target'] / new if unit == 'times' else new / record['target']:.2f}"
    same = "" if not old or record["new"]["regions"] == record["old"]["regions"] else " (differs)"
    cells = (
        record["row"], f"{record['new'].get('regions', 0):,}{same}", cell(record["before"], unit),
        cell(old, unit) or record["old"].get("none", ""), cell(new, unit) or record["new"]["none"],
        ratio, cell(record["target"], unit), share,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def table(records: list[dict[str, Any]], loads: tuple[float, float]) -> str:
    """The table and what stands above it."""
    columns = (
        "what",
        "regions",
        "old, as filed",
        "old",
        "new",
        "old / new",
        "target",
        "new / target",
    )
    head = [
        "# Targets of the native kernels",
        "",
        "CPU seconds, µs of CPU a region or MB; *old* is the last version with kernels in numba,",
        "measured in the same run. Reached is what has at most 1 in the last column. Two workers:",
        "wall time of one by that of two, which says something on an idle machine alone. Made by",
        f"`benchmarks/bench_targets.py`; load of the machine {loads[0]:.1f} at the start,",
        f"{loads[1]:.1f} at the end, {os.cpu_count()} cores.",
        "",
        f"| {' | '.join(columns)} |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    return "\n".join([*head, *map(line, records)]) + "\n"


def main() -> int:
    """Measure all rows and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--other", type=Path, help="the interpreter of another version")
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD", help="names with these")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "counting")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(json.loads(arguments.measure))))
        return 0
    from milpcount.importers.npz import save_npz

    begin, records = os.getloadavg()[0], []
    with tempfile.TemporaryDirectory() as folder:
        for number, row in enumerate(rows()):
            if not any(word in row.name for word in arguments.rows):
                continue
            path = Path(folder) / f"{number}.npz"
            save_npz(row.net(), path)
            task = {"net": str(path), "how": row.how, "domain": row.domain}
            task |= {"engine": row.engine, "with_output": row.with_output}
            record: dict[str, Any] = {
                "row": row.name,
                "unit": row.unit,
                "before": row.before,
                "target": row.target,
            }
            record["new"] = run(Path(sys.executable), row, task, other=False)
            record["old"] = {}
            if arguments.other is not None:
                record["old"] = run(arguments.other, row, task, other=True)
            records.append(record)
            print(line(record), flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = table(records, (begin, os.getloadavg()[0]))
    (arguments.output / "targets.md").write_text(text, encoding="utf-8")
    with (arguments.output / "targets.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
