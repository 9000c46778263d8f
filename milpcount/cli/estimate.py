"""``milpcount estimate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from milpcount.api import estimate
from milpcount.cli.domain_options import DomainOptions, takes_domain
from milpcount.cli.network_options import OutputOption, network_from
from milpcount.cli.output import (
    EXIT_DONE,
    EXIT_LIMIT,
    ProgressOption,
    bold,
    console,
    print_json,
    print_notes,
    progress_display,
)
from milpcount.core.result import Budget, Definition, EstimateResult
from milpcount.errors import InputError
from milpcount.sampling.methods import DEFAULT_METHOD, METHODS
from milpcount.support.decimal_text import to_decimal
from milpcount.support.text import number_text

__all__ = ["estimate_command"]

_METHOD_HELP = "; ".join(f"{spec.name} ({spec.summary})" for spec in METHODS.values())
_DIGITS = 15  # of a lower bound that is shown; JSON has all of them


@takes_domain
def estimate_command(
    net: Annotated[Path, typer.Argument(metavar="NET", help="Network: .npz, .onnx or .nnet.")],
    where: DomainOptions,
    method: Annotated[
        str, typer.Option("--method", metavar="M", help=_METHOD_HELP)
    ] = DEFAULT_METHOD,
    confidence: Annotated[
        float, typer.Option("--confidence", metavar="C", help="With which the bound holds.")
    ] = 0.95,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the random choices.")] = 0,
    definition: Annotated[
        Definition,
        typer.Option(
            "--definition",
            help="full: full-dimensional regions; nonempty: patterns that occur.",
        ),
    ] = Definition.FULL,
    with_output: Annotated[
        bool, typer.Option("--with-output", help="Count the output units as ReLUs too.")
    ] = False,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="S", help="Seconds.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Of the method; may be repeated."),
    ] = None,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    show_progress: ProgressOption = None,
) -> int:
    """Bound the number of regions from below with a stated confidence, and estimate it.

    Without a domain option the box in the network's file is used. Where a limit comes first, the
    bound is what was proved until then (exit code 3).
    """
    options = _options(option or [])
    network = network_from(net, output, where)
    domain = where.domain(network.input_dimension)
    with progress_display(show_progress, as_json) as progress:
        result = estimate(
            network,
            domain,
            method=method,
            confidence=confidence,
            seed=seed,
            definition=definition,
            with_output=with_output,
            budget=Budget(seconds=time_limit),
            progress=progress,
            **options,
        )
    if as_json:
        print_json(result.to_json())
    else:
        _describe(result)
    return EXIT_DONE if result.termination.limit is None else EXIT_LIMIT


def _options(texts: list[str]) -> dict[str, Any]:
    """Options of the method: integers, numbers and true, false, none for what they look like.

    Raises:
        InputError: a text without an equals sign, or two values for one name.
    """
    words: dict[str, Any] = {"true": True, "false": False, "none": None}
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name.isidentifier():
            raise InputError(f"--option {text!r}: give it as NAME=VALUE")
        if name in ("confidence", "seed"):
            raise InputError(f"--option {text!r}: use --{name}")
        if name in options:
            raise InputError(f"--option {name} is given twice")
        options[name] = words[value.lower()] if value.lower() in words else _number(value)
    return options


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _describe(result: EstimateResult) -> None:
    """Print the bound in words, with the numbers of the run."""
    out = console()
    lower = to_decimal(result.lower)
    if len(lower) > _DIGITS:
        lower = f"{lower[0]}.{lower[1:4]}e{len(lower) - 1}"
    out.print(
        "at least",
        bold(lower),
        f"regions with probability {number_text(result.confidence)} ({result.definition})",
    )
    if result.estimate is not None:
        words = ["estimate", bold(f"{result.estimate:.6g}")]
        if result.interval is not None:
            words.append(f"(interval {result.interval[0]:.6g} to {result.interval[1]:.6g})")
        out.print(*words)
    out.print(result.guarantee.statement, style="dim")
    if result.termination.limit is not None:
        stop = result.termination
        out.print(f"stopped by the limit: {stop.limit} {stop.detail}".rstrip())
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("method", result.method)
    table.add_row("seed", str(result.seed))
    table.add_row("units", "hidden and output" if result.with_output else "hidden")
    table.add_row("runs", str(result.runs))
    table.add_row("seconds", f"{result.seconds:.2f}")
    for name, value in result.statistics.items():
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        table.add_row(name.replace("_", " "), shown)
    out.print(table)
    print_notes(result.notes)
