"""``milpcount fold``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from milpcount.cli.output import EXIT_DONE, console, print_json
from milpcount.core.network import ReLUNetwork
from milpcount.errors import InputError
from milpcount.importers import load_network
from milpcount.support.decimal_text import to_decimal
from milpcount.support.version import __version__

if TYPE_CHECKING:
    from milpcount.geometry.walk import Folding, Walk

__all__ = ["fold_command"]


def fold_command(
    net: Annotated[Path, typer.Argument(metavar="NET", help="Network: .npz, .onnx or .nnet.")],
    line: Annotated[
        Path | None,
        typer.Option("--line", metavar="FILE", help="The two end points of a walk, one a row."),
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option("--points", metavar="FILE", help="Points: walks between pairs of them."),
    ] = None,
    pairs: Annotated[
        int | None,
        typer.Option("--pairs", metavar="N", help="So many random pairs; all pairs without it."),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option("--layers", metavar="K,K", help="Only units of these layers, from 1."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Of the random choice.")] = 0,
    with_output: Annotated[
        bool, typer.Option("--with-output", help="Count the output units as ReLUs too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Walk straight through the regions and tell how the walk folds: r1, r2 and chi, exactly.

    With --points the most folded walk among pairs of points.
    """
    from milpcount.geometry.folding import max_folding
    from milpcount.geometry.walk import walk
    from milpcount.importers.points import load_points

    if (line is None) == (points is None):
        raise InputError("fold needs either --line FILE or --points FILE")
    if points is None and pairs is not None:
        raise InputError("--pairs goes with --points")
    chosen = _layers(layers)
    network = load_network(net)
    value: dict[str, Any] = {}
    if line is not None:
        a, b = load_points(line, network.input_dimension, 2)
        found = walk(network, a, b, with_output=with_output)
    else:
        if chosen is not None:
            raise InputError("--layers goes with --line")
        assert points is not None
        array = load_points(points, network.input_dimension)
        best = max_folding(
            network, array, "all" if pairs is None else pairs, seed=seed, with_output=with_output
        )
        found = best.walk
        value = {"pair": list(best.pair), "walks": to_decimal(best.walks), "seed": seed}
    folding = found.folding(layers=chosen)
    if as_json:
        print_json(value | _object(network, found, folding, with_output))
        return EXIT_DONE
    out = console()
    if value:
        i, j = value["pair"]
        out.print(f"most folded of {value['walks']} walks: from point {i} to point {j}")
    out.print(f"{len(found)} pieces, chi = {folding.chi}")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("chi", f"{float(folding.chi):.6g}")
    table.add_row("r1, largest distance to the start", str(folding.r1))
    table.add_row("r2, sum of the steps", str(folding.r2))
    if chosen is None:
        for k, part in enumerate(found.chi_by_layer(), 1):
            table.add_row(f"part of layer {k} in chi", f"{float(part):.6g}")
    out.print(table)
    return EXIT_DONE


def _layers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"--layers: {text!r} is no list of layers such as 1,2") from error


def _object(
    network: ReLUNetwork, found: Walk, folding: Folding, with_output: bool
) -> dict[str, Any]:
    return {
        "pieces": to_decimal(len(found)),
        "breakpoints": [str(v) for v in found.breakpoints],
        "t": [float(v) for v in found.breakpoints],
        "patterns": [str(p) for p in found.patterns],
        "hamming_to_start": [to_decimal(v) for v in found.hamming_to_start],
        "hamming_steps": [to_decimal(v) for v in found.hamming_steps],
        "r1": to_decimal(folding.r1),
        "r2": to_decimal(folding.r2),
        "chi": str(folding.chi),
        "chi_float": float(folding.chi),
        "chi_by_layer": [str(part) for part in found.chi_by_layer()],
        "with_output": with_output,
        "network_sha256": network.sha256,
        "version": __version__,
        "notes": list(network.notes),
    }
