"""``milpcount bound``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from milpcount.api import bound
from milpcount.cli.domain_options import DomainOptions, takes_domain
from milpcount.cli.network_options import OutputOption, network_from
from milpcount.cli.output import console, dim, print_json, print_notes
from milpcount.core.result import BoundResult
from milpcount.errors import InputError
from milpcount.support.decimal_text import from_decimal

__all__ = ["bound_command"]


@takes_domain
def bound_command(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WIDTH... | NET", help="Inputs and ReLU layers, as 784 11 11 10; or a file."
        ),
    ],
    where: DomainOptions,
    with_output: Annotated[
        bool, typer.Option("--with-output", help="For a file: the output units are ReLUs too.")
    ] = False,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Print analytic bounds on the number of linear regions, as exact integers.

    Given widths n_0 n_1 ... n_L, every number after the first is a layer of ReLUs. Given a file,
    its hidden layers count, and the ranks and signs of its weights sharpen the bounds; given a
    domain too, activation_based holds for that domain alone.
    """
    if all(_is_integer(word) for word in what):
        if with_output:
            raise InputError("--with-output goes with a network file; add the layer to the widths")
        if where.given:
            raise InputError("a domain goes with a network file, not with widths")
        result = bound([_integer(word) for word in what])
    elif len(what) == 1 and not _is_list(what[0]):
        network = network_from(Path(what[0]), output, where)
        domain = where.domain(network.input_dimension)
        result = bound(network, domain, with_output=with_output)
    else:
        bad = next(word for word in what if not _is_integer(word))
        apart = " ".join(bad.replace("x", ",").replace("-", ",").replace(",", " ").split())
        hint = f"with spaces between: {apart}" if _is_list(bad) else "784 11 11 10"
        raise InputError(f"{bad!r} is not a width; give whole numbers ({hint}) or one file")
    if as_json:
        print_json(result.to_json())
    else:
        _describe(result)


def _is_integer(word: str) -> bool:
    return re.fullmatch(r"[+-]?\d+", word) is not None


def _integer(word: str) -> int:
    """The number, of any length; the bounds say which are too large."""
    sign, digits = (-1, word[1:]) if word[0] == "-" else (1, word.lstrip("+"))
    return sign * from_decimal(digits)


def _is_list(word: str) -> bool:
    """Whether a word is several widths in one: 784,11,11 or 784-11-11 or 784x11x11."""
    return re.fullmatch(r"\d+([,x-]\s*\d+)+,?|\d+,", word) is not None


def _describe(result: BoundResult) -> None:
    """Print the three tables: upper bounds, lower bounds on the maximum, estimates."""
    out = console()
    shape = "-".join(map(str, result.widths))
    out.print(f"Networks {shape} (inputs, then ReLU layers)")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    table.add_column("bound")
    table.add_column("value", justify="right", overflow="fold")
    table.add_column("about", justify="right")
    for kind, values in (("upper", result.upper), ("lower, on the maximum", result.lower)):
        for name, value in values.items():
            table.add_row(kind, name, str(value) if value < 10**40 else "", _about(value))
    for name, estimate in result.estimates.items():
        about = _about(estimate) or str(estimate)
        table.add_row("estimate, no bound", name, "", about)
    for name, reason in result.reasons.items():
        table.add_row(dim("does not apply"), dim(name), "", dim(reason))
    out.print(table)
    print_notes(result.notes)


def _about(value: int) -> str:
    """Three digits and a power of ten, at any size."""
    if value < 10**6:
        return ""
    # str() of huge integers is slow and limited; the bit length gives the power of ten.
    exponent = int((value.bit_length() - 1) * 0.30102999566398120)
    if value >= 10 ** (exponent + 1):
        exponent += 1
    lead = value // 10 ** (exponent - 3)
    return f"{lead / 1000:.3f}e{exponent}"
