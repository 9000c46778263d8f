"""Counting with a certificate, and checking one: :func:`certified` and :func:`verify`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount.arguments import network_of, workers_of
from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.core.domain import Box, Domain, Polytope, Slice
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition, TerminationReason
from milpcount.core.run import Found, Leaf, Outcome, Watch
from milpcount.engines.registry import ENGINES, run_engine
from milpcount.errors import CertificateError, DomainError, InputError
from milpcount.support.decimal_text import from_decimal, to_decimal

if TYPE_CHECKING:
    from concurrent.futures import Future

    from milpcount.proof.checker import Checked
    from milpcount.proof.checker import Found as Proved
    from milpcount.proof.format import Cursor, Header
    from milpcount.proof.rational import Exact

__all__ = ["certified", "same_domain", "verify"]


def certified(
    path: Path,
    engine: str,
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    options: Mapping[str, Any],
) -> Iterator[Found]:
    """Run an engine and write the certificate of what it finds.

    Engines that certify write while they search.  Else the patterns are kept, and proved to be all
    by closing their trie.  What a limit stops becomes a certificate of "at least".

    Raises:
        InputError: the file cannot be written.
        InvariantError: a region is missing among those found.
    """
    # Heavy: highspy.
    from milpcount.search.recording.closing import certify, list_witnesses
    from milpcount.search.recording.writer import CertificateWriter

    with CertificateWriter(path, problem) as writer:
        if ENGINES[engine].certifies:
            try:
                yield from run_engine(
                    engine, problem, watch, outcome, {**options, "certificate": writer}
                )
            except KeyboardInterrupt:
                writer.finish(">=")
                raise
            complete = outcome.termination.reason is TerminationReason.COMPLETE
            writer.finish("==" if complete else ">=")
            return
        outcome.keep = True
        leaves: list[Leaf] = []
        try:
            for found in run_engine(engine, problem, watch, outcome, options):
                leaves += found.leaves()
                yield found
        except KeyboardInterrupt:
            list_witnesses(problem, writer, leaves)
            writer.finish(">=")
            raise
        if outcome.termination.reason is TerminationReason.COMPLETE:
            certify(problem, writer, leaves, watch, outcome)
            writer.finish("==")
        else:
            list_witnesses(problem, writer, leaves)
            writer.finish(">=")


def verify(
    certificate: str | Path,
    net: Any,
    domain: Domain | None = None,
    *,
    expect: str | int | None = None,
    definition: Definition | str | None = None,
    with_output: bool | None = None,
    workers: int | None = None,
) -> Checked:
    """Check a certificate in exact arithmetic, with code that shares nothing with the engines.

    Arguments:
        certificate: the file.
        net: the network that it should be about, or what :func:`milpcount.load_network` reads.
        domain: refuse a certificate about another domain; the result says which one it is about.
        expect: refuse a certificate that does not prove this: "== 4", ">= 4", "<= 4", or a whole
            number, which stands for "==".  Without it any statement that is proved is accepted,
            ">= 0" among them.
        definition: refuse a certificate of another definition, "full" or "nonempty".
        with_output: refuse a certificate that counts the output units (False) or does not (True).
        workers: processes that share the work.

    Raises:
        CertificateError: it is damaged, is about something else, or does not prove what it states.
        InputError: no such file, or an argument that is none.
    """
    from milpcount.proof.checker import check_certificate

    net, expected = network_of(net), None if expect is None else _expectation(expect)
    definition = None if definition is None else Definition.of(definition)
    processes = workers_of(workers)
    if isinstance(processes, DaskCluster):
        raise InputError("certificates are checked by processes on this machine: workers=4")
    try:
        if processes in (None, 1):
            proved = check_certificate(Path(certificate), net)
        else:
            proved = check_certificate(Path(certificate), net, partial(_in_processes, processes))
    except (CertificateError, DomainError) as error:
        raise CertificateError(f"{certificate}: {error}") from None
    about = proved.header
    if domain is not None and not same_domain(domain, about.domain, net):
        raise CertificateError(
            f"{certificate}: it is about another domain, {about.domain.describe()}"
        )
    if definition is not None and about.definition != definition:
        raise CertificateError(f"{certificate}: it counts {about.definition}, not {definition}")
    if with_output is not None and about.with_output != with_output:
        what = ("hidden units alone", "the output units too")
        raise CertificateError(
            f"{certificate}: it counts {what[about.with_output]}, not {what[with_output]}"
        )
    if expected is not None and not _follows(expected, (about.relation, about.count)):
        relation, number = expected
        raise CertificateError(
            f"{certificate}: it proves {proved.statement}, not {relation} {to_decimal(number)}"
        )
    return proved


Statement = tuple[str, int]


def _expectation(text: str | int) -> Statement:
    """The relation and the number of "== 4", ">= 4", "<= 4" or 4."""
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    found = re.fullmatch(r"\s*(==|>=|<=|)\s*(\d+)\s*", text) if isinstance(text, str) else None
    if found is None:
        raise InputError(f"expect: give a statement such as '== 4', '>= 4' or '<= 4', not {text!r}")
    return found[1] or "==", from_decimal(found[2])


def _follows(wanted: Statement, proved: Statement) -> bool:
    """Whether one statement about a number implies the other."""
    (wish, bound), (relation, number) = wanted, proved
    if relation == "==":
        return {"==": number == bound, ">=": number >= bound, "<=": number <= bound}[wish]
    return wish == relation and (number >= bound if wish == ">=" else number <= bound)


def _in_processes(workers: int, exact: Exact, parts: Iterator[Cursor]) -> Iterator[Proved]:
    """Check segments in so many processes; the results come in their order."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from milpcount.support.child import end_with_parent

    with ProcessPoolExecutor(workers, get_context("spawn"), end_with_parent) as pool:
        running: deque[Future[list[Proved]]] = deque()
        for part in parts:
            running.append(pool.submit(_in_this_process, exact.net, exact.header, part))
            # Few at a time: they take memory.
            if len(running) > 3 * workers:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


def _in_this_process(net: ReLUNetwork, header: Header, part: Cursor) -> list[Proved]:
    from milpcount.proof.checker import check_segments
    from milpcount.proof.rational import Exact

    return list(check_segments(Exact(net, header), iter([part])))


def same_domain(a: Domain, b: Domain, net: ReLUNetwork) -> bool:
    """Whether two domains are written with the same numbers, for inputs of this network."""
    a, b = a.resolve(net.input_dimension), b.resolve(net.input_dimension)
    names = {Box: ("lo", "hi"), Polytope: ("A", "c"), Slice: ("points", "lo", "hi")}[type(a)]
    return type(a) is type(b) and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in names
    )
