"""``milpcount notions``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

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
from milpcount.core.result import Budget

__all__ = ["notions_command"]


@takes_domain
def notions_command(
    net: Annotated[Path, typer.Argument(metavar="NET", help="Network: .npz, .onnx or .nnet.")],
    where: DomainOptions,
    engine: Annotated[
        str, typer.Option("--engine", metavar="E", help="That searches the full regions.")
    ] = "auto",
    with_output: Annotated[
        bool, typer.Option("--with-output", help="Count the output units as ReLUs too.")
    ] = False,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="S", help="Seconds; then intervals.")
    ] = None,
    region_limit: Annotated[
        int | None, typer.Option("--region-limit", metavar="N", help="Stop a search at N regions.")
    ] = None,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    show_progress: ProgressOption = None,
) -> int:
    """Count the linear regions by all six definitions of Stargalla, Hertrich and Reichman.

    R6 <= R5 <= R4 <= R3 <= R2 <= R1, exactly; of the third, the fewest convex pieces, only the
    bounds R4 and R2. A limit or Ctrl-C gives proved intervals (exit code 3).
    """
    from milpcount.definitions import notions

    network = network_from(net, output, where)
    domain = where.domain(network.input_dimension)
    with progress_display(show_progress, as_json) as progress:
        result = notions(
            network,
            domain,
            with_output=with_output,
            engine=engine,
            budget=Budget(seconds=time_limit, regions=region_limit),
            progress=progress,
        )
    if as_json:
        print_json(result.to_json())
    else:
        out = console()
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("")
        table.add_column("number", justify="right")
        for title in ("what is counted", "that is", "--definition"):
            table.add_column(title)
        for entry in result:
            own = "-" if entry.definition is None else str(entry.definition)
            table.add_row(f"R{entry.number}", bold(str(entry)), entry.name, entry.meaning, own)
        out.print(table)
        if result.stopped_by is not None:
            out.print(f"stopped by the limit: {result.stopped_by}")
        print_notes(result.notes)
    return EXIT_DONE if result.exact else EXIT_LIMIT
