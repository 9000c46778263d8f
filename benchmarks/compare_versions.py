#!/usr/bin/env python3
r"""Counts of millions of small networks: another version of the package, this one, and ``brute``.

    python benchmarks/compare_versions.py --networks 1000000 [--other PYTHON] [--seconds 300]
                                          [--workers 2]

``--other`` is the interpreter of an environment that has another version installed; a child of it
counts the same networks with its ``tree`` and its ``subdivision``.  The networks
(``random_cases.py``) are made chunk by chunk from the seed and the number of the chunk.  What is
done stands in a log, one line a chunk, and is not done again: a run that was stopped goes on, and
``--networks`` counts those of the log with the same kernels, whose sources the log names by their
checksum.  ``--workers`` processes share the chunks; one log is written.  In every fourth chunk the
sets of patterns are compared, not their numbers alone.

Writes ``versions.jsonl`` (the log), ``versions.md`` (the table) and, where counts differ,
``versions-different.jsonl`` (the networks, with all counts) to ``results/counting``.  Exit status 1
when counts differ.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from functools import cache
from itertools import count as count_from
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from random_cases import KINDS, Case, problem_of, random_cases

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.engines.registry import run_engine

ROOT = Path(__file__).resolve().parent.parent
CHUNK = 1000
Answer = int | str  # the number of regions, or why there is none
REFUSED = "refused"


def engines(case: Case) -> Iterator[str]:
    """The engines that both versions have for this case."""
    yield "tree"
    if case.definition == "full":
        yield "subdivision"


def count(problem: CountProblem, engine: str) -> Answer:
    """The number of regions, or that the engine says it does not serve the problem.

    Any other exception is an answer too, one that agrees with none.
    """
    outcome = Outcome(keep=False)
    try:
        return sum(found.count for found in run_engine(engine, problem, Watch(), outcome, {}))
    except mc.UnsupportedError:
        return REFUSED
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported with the network
        return f"{type(error).__name__}: {error}"


def patterns(problem: CountProblem, engine: str) -> tuple[Answer, str]:
    """The number of regions, and a checksum of the set of their patterns."""
    try:
        found = run_engine(engine, problem, Watch(), Outcome(), {})
        rows = [row.tobytes() for some in found for row in some.patterns()]
    except Exception as error:  # noqa: BLE001 - as above
        return f"{type(error).__name__}: {error}", ""
    if len(set(rows)) < len(rows):
        return f"{len(rows)} regions, {len(set(rows))} patterns", ""
    return len(rows), hashlib.sha256(b"".join(sorted(rows))).hexdigest()


def serve() -> int:
    """Answer chunks of cases on stdin, with the package of this interpreter."""
    for line in sys.stdin:
        start = time.process_time()
        answers = []
        for data in json.loads(line):
            case = Case(**data)
            problem = problem_of(case)
            answers.append({engine: count(problem, engine) for engine in engines(case)})
        print(json.dumps([time.process_time() - start, answers]), flush=True)
    return 0


class Other:
    """A child that counts with another version."""

    def __init__(self, python: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self._child = subprocess.Popen(
            [str(python), __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def counts(self, cases: Sequence[Case]) -> tuple[float, list[dict[str, Answer]]]:
        """CPU seconds, and the answers by engine."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps([asdict(case) for case in cases]) + "\n")
        self._child.stdin.flush()
        seconds, answers = json.loads(self._child.stdout.readline())
        return seconds, answers


@cache
def other_version(python: Path) -> Other:
    """The child of this process."""
    return Other(python)


def compare(chunk: int, seed: int, python: Path | None) -> dict[str, Any]:
    """Count a chunk in all ways; the line of the log, with the networks that differ.

    Arguments:
        chunk: its number.
        seed: of the networks.
        python: interpreter of the other version, if any.
    """
    gc.disable()  # a quarter of the time otherwise: a chunk's objects are few enough to wait
    gc.collect()
    cases = random_cases(seed, chunk, CHUNK)
    compared: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    different = []
    regions = 0
    theirs: list[dict[str, Answer]] = [{} for _ in cases]
    if python is not None:
        seconds["other"], theirs = other_version(python).counts(cases)
    for case, old in zip(cases, theirs, strict=True):
        problem = problem_of(case)
        answers: dict[str, Answer] = {f"other {name}": answer for name, answer in old.items()}
        sets = set()
        single = ["arrangement"] if case.single and case.definition == "full" else []
        for engine in (*engines(case), *single, "brute"):
            start = time.process_time()
            if chunk % 4 == 3 and engine != "arrangement":
                answers[engine], checksum = patterns(problem, engine)
                sets.add(checksum)
            else:
                answers[engine] = count(problem, engine)
            seconds[engine] += time.process_time() - start
        answers = {name: answer for name, answer in answers.items() if answer != REFUSED}
        compared.update(answers.keys())
        compared["sets of patterns"] += bool(sets)
        if len(set(answers.values())) > 1 or len(sets) > 1:
            different.append({"case": asdict(case), "answers": answers})
        elif isinstance(answers["brute"], int):
            regions += answers["brute"]
    return {
        "kernels": kernels(),
        "chunk": chunk,
        "networks": len(cases),
        "regions": regions,
        "compared": dict(compared),
        "different": different,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
    }


def kernels() -> str:
    """The beginning of the checksum of the sources of the kernels."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "milpcount" / "kernels" / "src").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def table(lines: Sequence[dict[str, Any]]) -> str:
    """What was compared, by kernels: each column against ``brute``."""
    columns = ("tree", "subdivision", "arrangement", "other tree", "other subdivision")
    out = [
        "# Versions compared",
        "",
        "Small random networks, most of them degenerate, counted by this version (`tree`,",
        "`subdivision`, `arrangement` on single layers), by another (its last one with kernels in",
        "numba) and by `brute`, which decides every prefix of a pattern by a rational LP. A column",
        "says how many networks were counted so and compared with `brute` and with each other;",
        "subdivisions count full-dimensional regions alone. Of the networks under *sets* the",
        "patterns themselves were compared. A row for each state of the kernels, named by the",
        "checksum of their sources. Made by `benchmarks/compare_versions.py`; kinds of networks:",
        f"{', '.join(KINDS)} (`benchmarks/random_cases.py`).",
        "",
        f"| kernels | networks | regions | {' | '.join(columns)} | sets | differ | CPU s |",
        f"|---|{'--:|' * (len(columns) + 5)}",
    ]
    for name in dict.fromkeys(line["kernels"] for line in lines):
        mine = [line for line in lines if line["kernels"] == name]
        cells = [sum(line[key] for line in mine) for key in ("networks", "regions")]
        cells += [
            sum(line["compared"].get(column, 0) for line in mine)
            for column in (*columns, "sets of patterns")
        ]
        cells.append(sum(line["different"] for line in mine))
        cells.append(round(sum(sum(line["seconds"].values()) for line in mine)))
        out.append(f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} |")
    return "\n".join(out) + "\n"


def main() -> int:
    """Go on with the log until there are enough networks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--networks", type=int, default=10**6, help="with the same kernels")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after these")
    parser.add_argument("--other", type=Path, help="the interpreter of another version")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the chunks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "counting")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve()
    log = arguments.output / "versions.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    now, start = kernels(), time.perf_counter()
    done = sum(line["networks"] for line in lines if line["kernels"] == now)
    chunks = count_from(max((line["chunk"] + 1 for line in lines), default=0))
    # New processes, not copies of this one: threads of the native code do not survive copying.
    with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
        running: set[Future[dict[str, Any]]] = set()
        while True:
            late = time.perf_counter() - start >= arguments.seconds
            while (
                not late
                and len(running) < arguments.workers
                and done + CHUNK * len(running) < arguments.networks
            ):
                running.add(pool.submit(compare, next(chunks), arguments.seed, arguments.other))
            if not running:
                break
            ready, running = wait(running, return_when=FIRST_COMPLETED)
            for line in (future.result() for future in ready):
                for found in line["different"]:
                    with (arguments.output / "versions-different.jsonl").open("a") as file:
                        file.write(json.dumps({"chunk": line["chunk"], **found}) + "\n")
                    print(json.dumps(found), flush=True)
                line["different"] = len(line["different"])
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                lines.append(line)
                done += CHUNK
                words = f"{line['different']} differ {line['seconds']}"
                print(f"{done:,} networks, {words}", flush=True)
            (arguments.output / "versions.md").write_text(table(lines), encoding="utf-8")
    return int(any(line["different"] for line in lines))


if __name__ == "__main__":
    sys.exit(main())
