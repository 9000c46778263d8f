"""``milpcount explore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from milpcount.cli.domain_options import DomainOptions, takes_domain
from milpcount.cli.output import (
    EXIT_DONE,
    EXIT_LIMIT,
    ProgressOption,
    console,
    print_json,
    progress_display,
)
from milpcount.core.result import Budget
from milpcount.importers import load_network, load_point
from milpcount.support.decimal_text import to_decimal
from milpcount.support.version import __version__

__all__ = ["explore_command"]


@takes_domain
def explore_command(
    net: Annotated[Path, typer.Argument(metavar="NET", help="Network: .npz, .onnx or .nnet.")],
    where: DomainOptions,
    start: Annotated[
        Path | None,
        typer.Option("--start", metavar="FILE", help="Point to begin at (.npy, .csv, .txt)."),
    ] = None,
    distance: Annotated[
        int | None,
        typer.Option("--distance", metavar="R", help="Regions up to so many facets away."),
    ] = None,
    region_limit: Annotated[
        int | None, typer.Option("--region-limit", metavar="N", help="Stop at N regions.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="S", help="Stop after S seconds.")
    ] = None,
    with_output: Annotated[
        bool, typer.Option("--with-output", help="Count the output units as ReLUs too.")
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume", metavar="FILE", help="Keep what is found in FILE and go on from it."
        ),
    ] = None,
    graph: Annotated[
        Path | None,
        typer.Option("--graph", metavar="FILE", help="Write the graph: .graphml or .json."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    show_progress: ProgressOption = None,
) -> int:
    """Explore the graph of regions that share a facet: degrees, distances, diameter.

    Without a start and limits it is the graph of all regions. What a limit or Ctrl-C leaves is
    marked (exit code 3); its regions and edges are true ones.
    """
    from milpcount.geometry.exploration import dual_graph, explore
    from milpcount.geometry.graph_export import check_target, write_graph

    if graph is not None:
        check_target(graph)
    network = load_network(net)
    domain = where.domain(network.input_dimension)
    point = None if start is None else load_point(start)
    budget = Budget(seconds=time_limit, regions=region_limit)
    whole = start is None and distance is None and region_limit is None and resume is None
    with progress_display(show_progress, as_json) as progress:
        if whole:
            found = dual_graph(
                network, domain, with_output=with_output, budget=budget, progress=progress
            )
        else:
            found = explore(
                network,
                point,
                domain,
                max_distance=distance,
                budget=budget,
                with_output=with_output,
                resume=resume,
                progress=progress,
            )
    if graph is not None:
        write_graph(found, graph)
    degrees = found.degrees()
    known = degrees[found.expanded]
    diameter = found.diameter()
    lower, upper = (diameter, diameter) if isinstance(diameter, int) else diameter
    sizes, counts = np.unique(known, return_counts=True)
    histogram = dict(zip(sizes.tolist(), counts.tolist(), strict=True))
    mean = float(known.mean()) if known.size else None
    vary = int((found.problem.box.lo < found.problem.box.hi).sum())
    limit = found.termination.limit
    if as_json:
        value: dict[str, Any] = {
            "regions": to_decimal(len(found)),
            "edges": to_decimal(len(found.pairs)),
            "complete": found.complete,
            "stopped_by": None if limit is None else str(limit),
            "expanded": to_decimal(int(found.expanded.sum())),
            "degrees": {str(k): to_decimal(v) for k, v in histogram.items()},
            "mean_degree": mean,
            "twice_dimension": 2 * vary,
            "diameter": to_decimal(lower) if lower == upper else None,
            "diameter_bounds": [to_decimal(lower), to_decimal(upper)],
            "with_output": with_output,
            "seconds": found.seconds,
            "network_sha256": network.sha256,
            "version": __version__,
            "notes": list(network.notes),
        }
        print_json(value)
    else:
        out = console()
        state = "all" if found.complete else f"stopped by the limit: {found.termination.detail}"
        out.print(f"{len(found)} regions, {len(found.pairs)} edges ({state})")
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        if mean is not None:
            table.add_row("mean degree", f"{mean:.4g} (at most {2 * vary} for almost all networks)")
            shown = ", ".join(f"{k}: {v}" for k, v in histogram.items())
            table.add_row("degrees", shown)
        table.add_row("diameter", str(lower) if lower == upper else f"{lower} to {upper}")
        if not found.complete:
            table.add_row("expanded", f"{len(known)} regions; degrees are of these")
        table.add_row("seconds", f"{found.seconds:.2f}")
        out.print(table)
        if graph is not None:
            out.print(f"Written to {graph}", soft_wrap=True)
    return EXIT_DONE if found.complete else EXIT_LIMIT
