"""``milpcount count``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from milpcount.api import count
from milpcount.cli.domain_options import DomainOptions, takes_domain
from milpcount.cli.network_options import OutputOption, network_from
from milpcount.cli.output import (
    EXIT_DONE,
    EXIT_LIMIT,
    ProgressOption,
    print_facts,
    print_json,
    print_line,
    print_notes,
    progress_display,
    strong,
)
from milpcount.cli.workers import (
    ExecutorOption,
    SchedulerFileOption,
    SchedulerOption,
    workers_from_options,
)
from milpcount.core.result import Budget, CountResult, Definition
from milpcount.engines.registry import ENGINES
from milpcount.engines.spec import Option
from milpcount.support.decimal_text import to_decimal
from milpcount.support.text import printable

__all__ = ["count_command"]

_ENGINE_HELP = "auto, " + "; ".join(f"{spec.name} ({spec.summary})" for spec in ENGINES.values())


def _able(ability: str) -> str:
    return ", ".join(spec.name for spec in ENGINES.values() if spec.takes(ability))


def _option_help(option: str) -> str:
    """Of all engines that have it: what it is and which values it takes."""
    return "; ".join(
        f"of engine {spec.name}: {own.help}{_choices(own)}"
        for spec in ENGINES.values()
        for own in spec.options
        if own.name == option
    ).capitalize()


def _choices(option: Option) -> str:
    return f" ({', '.join(option.choices)})" if option.choices else ""


@takes_domain
def count_command(
    net: Annotated[Path, typer.Argument(metavar="NET", help="Network: .npz, .onnx or .nnet.")],
    where: DomainOptions,
    engine: Annotated[str, typer.Option("--engine", metavar="E", help=_ENGINE_HELP)] = "auto",
    definition: Annotated[
        Definition,
        typer.Option(
            "--definition",
            help="full: full-dimensional regions; nonempty: patterns that occur; "
            "linear: full regions, neighbours with the same affine map merged; "
            "closed: also those that a closed set joins on which the function is that map; "
            "affine: different affine maps.",
        ),
    ] = Definition.FULL,
    with_output: Annotated[
        bool, typer.Option("--with-output", help="Count the output units as ReLUs too.")
    ] = False,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="S", help="Seconds; then an interval.")
    ] = None,
    region_limit: Annotated[
        int | None, typer.Option("--region-limit", metavar="N", help="Stop at N regions.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            help=f"Threads or processes that share the count (engines {_able('workers')}).",
        ),
    ] = None,
    executor: ExecutorOption = None,
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="FILE",
            help=f"Keep finished work in FILE and go on from it (engines {_able('resume')}).",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate",
            metavar="FILE",
            help="Write a certificate that milpcount verify can check.",
        ),
    ] = None,
    solver: Annotated[
        str | None,
        typer.Option("--solver", help=_option_help("solver")),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option("--variant", help=_option_help("variant")),
    ] = None,
    preactivation: Annotated[
        str | None,
        typer.Option("--preactivation", help=_option_help("preactivation")),
    ] = None,
    cuts: Annotated[
        str | None,
        typer.Option("--cuts", help=_option_help("cuts")),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option("--memory", metavar="MB", help=_option_help("memory")),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", help=_option_help("confirm")),
    ] = None,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    show_progress: ProgressOption = None,
) -> int:
    """Count the activation regions of a network over an input domain, exactly.

    Without a domain option the box in the network's file is used. A limit or Ctrl-C gives a
    proved interval (exit code 3).
    """
    network = network_from(net, output, where)
    domain = where.domain(network.input_dimension)
    options: dict[str, Any] = {
        name: value
        for name, value in (
            ("solver", solver),
            ("variant", variant),
            ("preactivation", preactivation),
            ("cuts", cuts),
            ("memory", memory),
            ("confirm", confirm),
        )
        if value is not None
    }
    with progress_display(show_progress, as_json) as progress:
        result = count(
            network,
            domain,
            engine=engine,
            definition=definition,
            with_output=with_output,
            budget=Budget(seconds=time_limit, regions=region_limit),
            workers=workers_from_options(executor, workers, scheduler, scheduler_file),
            resume=resume,
            certificate=certificate,
            progress=progress,
            **options,
        )
    if as_json:
        print_json(result.to_json())
    else:
        _describe(result)
    return EXIT_DONE if result.exact else EXIT_LIMIT


def _describe(result: CountResult) -> None:
    """Print the count in words, with the statistics of the run."""
    what = {
        Definition.FULL: "full-dimensional activation regions",
        Definition.NONEMPTY: "non-empty activation patterns",
        Definition.LINEAR: "linear regions",
        Definition.CLOSED: "closed linear regions",
        Definition.AFFINE: "affine maps of regions",
    }[result.definition]
    if result.exact:
        print_line(f"{strong(to_decimal(result.lower))} {what} (exact)")
    else:
        upper = "unknown" if result.upper is None else to_decimal(result.upper)
        print_line(f"between {strong(to_decimal(result.lower))} and {strong(upper)} {what}")
        stop = result.termination
        print_line(f"stopped by the limit: {stop.limit} {printable(stop.detail)}".rstrip())
    facts = {
        "engine": result.engine,
        "units": "hidden and output" if result.with_output else "hidden",
        "seconds": f"{result.seconds:.2f}",
    }
    for name, value in result.statistics.items():
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        facts[name.replace("_", " ")] = shown
    print_facts(facts)
    print_notes(result.notes)
