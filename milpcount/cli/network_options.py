"""The network that a command works on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from milpcount.cli.domain_options import DomainOptions
from milpcount.core.network import ReLUNetwork
from milpcount.importers import load_network

__all__ = ["OutputOption", "network_from"]

OutputOption = Annotated[
    str | None,
    typer.Option("--output", metavar="NAME", help="Which output, where the file has several."),
]


def network_from(
    path: Path, output: str | None = None, where: DomainOptions | None = None
) -> ReLUNetwork:
    """The network of a file, with what the user should know about its domain in its notes.

    Raises:
        InputError: as :func:`~milpcount.importers.load_network`, or a malformed property file.
    """
    network = load_network(path, output=output)
    if where is None or where.vnnlib is None:
        return network
    from milpcount.importers.vnnlib import output_note

    note = output_note(where.vnnlib)
    if note is None:
        return network
    return ReLUNetwork.of_stages(
        network.stages,
        network.output,
        input_box=network.input_box,
        name=network.name,
        notes=(*network.notes, note),
    )
