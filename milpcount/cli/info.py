"""``milpcount info``."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from milpcount.cli.domain_options import DomainOptions, takes_domain
from milpcount.cli.network_options import OutputOption, network_from
from milpcount.cli.output import console, print_json
from milpcount.core.domain import Domain
from milpcount.core.matrix import nonzeros
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem

__all__ = ["info_command"]


class _Method(enum.StrEnum):
    INTERVAL = "interval"
    LP = "lp"
    MILP = "milp"


@takes_domain
def info_command(
    net: Annotated[Path, typer.Argument(metavar="NET", help="Network: .npz, .onnx or .nnet.")],
    where: DomainOptions,
    method: Annotated[
        _Method, typer.Option("--preactivation", help="How pre-activations are bounded.")
    ] = _Method.INTERVAL,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Describe a network: layers, units, input box; and over a domain, which units are stable."""
    network = network_from(net, output, where)
    domain = where.domain(network.input_dimension)
    facts = _facts(network)
    if domain is None:
        domain = network.input_box
    if domain is not None:
        facts["preactivations"] = _ranges(network, domain, method.value)
    if as_json:
        print_json(facts)
    else:
        _describe(network, facts, domain)


def _facts(network: ReLUNetwork) -> dict[str, Any]:
    box = network.input_box
    every = (*network.stages, network.output)
    weights = [weight for stage in every for weight in stage.weights]
    entries = sum(rows * columns for rows, columns in (w.shape for w in weights))
    return {
        "name": network.name,
        "inputs": network.input_dimension,
        "hidden_layers": list(network.widths),
        "outputs": network.output_dimension,
        "hidden_units": sum(network.counted_widths),
        "leaky": network.is_leaky,
        "parameters": entries + sum(stage.width for stage in every),
        "zero_weights": entries - sum(len(nonzeros(w)[2]) for w in weights),
        "input_box": None
        if box is None
        else {"lo": np.atleast_1d(box.lo).tolist(), "hi": np.atleast_1d(box.hi).tolist()},
        "network_sha256": network.sha256,
        "notes": list(network.notes),
    }


def _ranges(network: ReLUNetwork, domain: Domain, method: str) -> list[dict[str, Any]]:
    """Per hidden layer: range of the pre-activations, and how many units are stable."""
    from milpcount.preactivation import compute_preactivation_bounds

    bounds = compute_preactivation_bounds(CountProblem.of(network, domain), method=method)
    return [
        {
            "layer": k + 1,
            "lo": float(np.min(bounds.lo[k])),
            "hi": float(np.max(bounds.hi[k])),
            "stable_active": int(np.count_nonzero(bounds.stable_active[k])),
            "stable_inactive": int(np.count_nonzero(bounds.stable_inactive[k])),
        }
        for k in range(network.depth)
    ]


def _describe(network: ReLUNetwork, facts: dict[str, Any], domain: Domain | None) -> None:
    out = console()
    head = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    head.add_row("network", network.name)
    head.add_row("architecture", "-".join(map(str, network.architecture)))
    units = "leaky ReLU" if network.is_leaky else "ReLU"
    head.add_row("hidden units", f"{facts['hidden_units']} {units} in {network.depth} layer(s)")
    head.add_row("parameters", f"{facts['parameters']} ({facts['zero_weights']} zero weights)")
    box = network.input_box
    head.add_row("input box", "none in the file" if box is None else str(box))
    head.add_row("sha256", network.sha256)
    for note in network.notes:
        head.add_row("note", note)
    out.print(head)
    if "preactivations" not in facts:
        out.print("Name a domain (--box LO HI) to see pre-activation ranges and stable units.")
        return
    out.print(f"Pre-activations over {domain}:")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("layer", "units", "least", "greatest", "always active", "never active"):
        table.add_column(title, justify="right")
    for width, row in zip(network.widths, facts["preactivations"], strict=True):
        table.add_row(
            str(row["layer"]),
            str(width),
            f"{row['lo']:.4g}",
            f"{row['hi']:.4g}",
            str(row["stable_active"]),
            str(row["stable_inactive"]),
        )
    out.print(table)
