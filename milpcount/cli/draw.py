"""``milpcount draw``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from milpcount.cli.domain_options import DomainOptions, takes_domain
from milpcount.cli.network_options import OutputOption, network_from
from milpcount.cli.output import EXIT_DONE, console, print_json, print_notes
from milpcount.support.decimal_text import to_decimal
from milpcount.support.version import __version__

__all__ = ["draw_command"]


@takes_domain
def draw_command(
    net: Annotated[Path, typer.Argument(metavar="NET", help="Network: .npz, .onnx or .nnet.")],
    file: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="FILE", help="Picture: .png, .pdf, .svg or .html."),
    ],
    where: DomainOptions,
    style: Annotated[
        str,
        typer.Option(
            "--style", metavar="NAME", help="regions, layers, surface, graph or complex3d."
        ),
    ] = "regions",
    color: Annotated[
        str,
        typer.Option(
            "--color",
            metavar="NAME",
            help="Of regions: random, pattern, gradient, output, class, volume, distance, linear.",
        ),
    ] = "random",
    edges: Annotated[
        str, typer.Option("--edges", metavar="NAME", help="Of regions: layer, unit or none.")
    ] = "layer",
    no_boundary: Annotated[
        bool, typer.Option("--no-boundary", help="Leave the decision boundary out.")
    ] = False,
    of_output: Annotated[
        int,
        typer.Option("--of-output", metavar="K", help="Output that is shown, from 0."),
    ] = 0,
    explode: Annotated[
        float, typer.Option("--explode", metavar="S", help="Move cells in space apart.")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Of random colours.")] = 0,
    max_polygons: Annotated[
        int | None,
        typer.Option(
            "--max-polygons",
            metavar="N",
            help="Refuse pictures of more (250,000; in space 20,000 cells).",
        ),
    ] = None,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Draw the regions of a network with two inputs that vary, or cells with three.

    A plane through a network with more inputs is drawn with --plane.
    """
    from milpcount.draw.save import save

    network = network_from(net, output, where)
    found = save(
        network,
        file,
        where.domain(network.input_dimension),
        style,
        color=color,
        edges=edges,
        boundary=not no_boundary,
        output=of_output,
        seed=seed,
        explode=explode,
        max_polygons=max_polygons,
    )
    if as_json:
        value: dict[str, Any] = {
            "file": str(file),
            "style": style,
            "color": color if style == "regions" else None,
            "cells": to_decimal(len(found)),
            "f_vector": [to_decimal(v) for v in found.f_vector],
            "seconds": found.seconds,
            "network_sha256": network.sha256,
            "version": __version__,
            "notes": list(network.notes),
        }
        print_json(value)
        return EXIT_DONE
    out = console()
    print_notes(network.notes)
    faces = "polygons" if found.dimension == 2 else "cells"
    out.print(f"{len(found)} {faces}, written to {file}", soft_wrap=True)
    return EXIT_DONE
