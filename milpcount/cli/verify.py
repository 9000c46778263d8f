"""``milpcount verify``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from milpcount.certificates import same_domain, verify
from milpcount.cli.domain_options import DomainOptions, takes_domain
from milpcount.cli.network_options import OutputOption, network_from
from milpcount.cli.output import EXIT_DONE, bold, console, print_json, print_notes
from milpcount.core.result import Definition
from milpcount.errors import CertificateError
from milpcount.support.decimal_text import to_decimal

__all__ = ["verify_command"]


@takes_domain
def verify_command(
    certificate: Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="The certificate.")],
    net: Annotated[
        Path, typer.Option("--network", metavar="NET", help="The network: .npz, .onnx or .nnet.")
    ],
    where: DomainOptions,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect",
            metavar="STATEMENT",
            help='What must be proved, as "== 4", ">= 4" or "<= 4"; else anything that is.',
        ),
    ] = None,
    definition: Annotated[
        Definition | None,
        typer.Option("--definition", help="Refuse a certificate of another definition."),
    ] = None,
    with_output: Annotated[
        bool | None,
        typer.Option(
            "--with-output/--without-output",
            help="Refuse a certificate that counts other units.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Processes that share the work.")
    ] = None,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Check a certificate of a count in exact arithmetic, trusting nothing that made it.

    What is named with --expect, --definition, --with-output and a domain option is demanded, and
    any other certificate is refused. One that does not prove what it states is refused with the
    place (exit code 4).
    """
    network = network_from(net, output, where)
    domain = where.domain(network.input_dimension)
    start = time.perf_counter()
    try:
        proved = verify(
            certificate,
            network,
            domain,
            expect=expect,
            definition=definition,
            with_output=with_output,
            workers=workers,
        )
    except CertificateError as error:
        if as_json:
            print_json({"verified": False, "reason": str(error)})
        raise
    seconds = time.perf_counter() - start
    header = proved.header
    own = network.input_box
    if as_json:
        print_json(
            {
                "verified": True,
                "relation": header.relation,
                "count": to_decimal(header.count),
                "regions_proved": to_decimal(proved.regions),
                "definition": header.definition,
                "with_output": header.with_output,
                "domain": header.domain.describe(),
                "own_domain": own is not None and same_domain(own, header.domain, network),
                "network_sha256": header.sha256,
                "notes": list(network.notes),
                "seconds": seconds,
            }
        )
        return EXIT_DONE
    what = {"full": "full-dimensional regions", "nonempty": "non-empty patterns"}[header.definition]
    units = "hidden and output units" if header.with_output else "hidden units"
    out = console()
    out.print(f"verified: number of {what}", bold(proved.statement))
    out.print(f"{units} of {network.name} over {header.domain.describe()}", soft_wrap=True)
    if own is not None and not same_domain(own, header.domain, network):
        out.print("note: that is not the box that the network carries")
    print_notes(network.notes)
    out.print(f"{proved.regions} witnesses checked in {seconds:.2f} s")
    return EXIT_DONE
