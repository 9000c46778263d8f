"""``milpcount engines``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from milpcount.cli.output import EXIT_DONE, bold, console, print_json
from milpcount.core.result import Definition
from milpcount.engines.registry import AUTO, ENGINES
from milpcount.engines.spec import ANY_DOMAIN, EngineSpec

__all__ = ["engines_command"]


def engines_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """List the engines, what each can do, and which one "auto" takes."""
    if as_json:
        merged = [d.value for d in Definition if d.merges]
        records = [_record(spec) for spec in ENGINES.values()]
        print_json({"engines": records, "auto": _auto(), "made_of_full": merged})
        return EXIT_DONE
    out = console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    heads = ("engine", "definitions", "domains", "limits", "abilities", "options", "s a region")
    for head in heads:
        table.add_column(head, overflow="fold")
    for record in map(_record, ENGINES.values()):
        limits = [
            f"{record[key]} {what}"
            for key, what in (("most_inputs", "inputs"), ("most_units", "units"))
            if record[key] is not None
        ]
        limits += ["a single layer"] if record["single_layer"] else []
        whole = set(record["domains"]) == ANY_DOMAIN
        table.add_row(
            record["name"],
            ", ".join(record["definitions"]),
            "any" if whole else ", ".join(record["domains"]),
            ", ".join(limits) or "none",
            ", ".join(record["abilities"]) or "-",
            "; ".join(f"{o['name']}={'|'.join(o['choices'])}" for o in record["options"]) or "-",
            "varies" if (rate := record["seconds_per_region"]) is None else f"{rate:g}",
        )
    out.print(table)
    out.print()
    for spec in ENGINES.values():
        out.print(bold(spec.name) + f": {spec.summary}")
    out.print('\n"auto" takes the first of these that serves the problem:')
    for rule in _auto():
        inputs = "any number of" if rule["most_inputs"] is None else f"up to {rule['most_inputs']}"
        stages = "" if rule["most_stages"] is None else f", stages: {rule['most_stages']} at most"
        where = f", {rule['kind']}" if rule["kind"] else ""
        out.print(
            f"  {rule['engine']}: {' or '.join(rule['definitions'])} regions, {inputs} inputs "
            f"that vary{stages}{where} ({rule['reason']})"
        )
    out.print(
        "The ability regions: to list them, not only to count. "
        "Inputs that vary: or units of the first stage, where those are fewer."
    )
    pieces = ", ".join(d.value for d in Definition if d.merges)
    out.print(f"Pieces of the function ({pieces}) are made of the full regions that engines list.")
    return EXIT_DONE


def _record(spec: EngineSpec) -> dict[str, Any]:
    abilities = ("regions", "workers", "resume", "certificate")
    return {
        "name": spec.name,
        "summary": spec.summary,
        "definitions": [d.value for d in Definition if d in spec.definitions],
        "domains": sorted(spec.domains),
        "most_inputs": spec.most_inputs,
        "most_units": spec.most_units,
        "single_layer": spec.single_layer,
        "abilities": [name for name in abilities if name in spec.abilities],
        "options": [
            {"name": o.name, "help": o.help, "choices": list(o.choices)} for o in spec.options
        ],
        "seconds_per_region": spec.seconds_per_region,
    }


def _auto() -> list[dict[str, Any]]:
    return [
        {
            "engine": rule.engine,
            "definitions": [d.value for d in Definition if d in rule.definitions],
            "most_inputs": rule.most_inputs,
            "most_stages": rule.most_stages,
            "kind": None if rule.kind is None else rule.kind.words,
            "reason": rule.reason,
        }
        for rule in AUTO
    ]
