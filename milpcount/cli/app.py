"""The application object, its entry point, and the translation of errors into exit codes."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from milpcount.cli.bound import bound_command
from milpcount.cli.count import count_command
from milpcount.cli.engines import engines_command
from milpcount.cli.estimate import estimate_command
from milpcount.cli.info import info_command
from milpcount.cli.output import EXIT_FAILED, EXIT_INPUT, EXIT_LIMIT, complain
from milpcount.cli.study import report_command, run_command
from milpcount.cli.survey import survey_command
from milpcount.cli.verify import verify_command
from milpcount.errors import InputError, MilpcountError
from milpcount.support.version import __version__

__all__ = ["app", "main"]

# Typer moved its copy of click between releases; BadParameter's parent is UsageError in all.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="milpcount",
    help="Count, bound and explain the linear regions of ReLU networks, exactly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("count")(count_command)
app.command("estimate")(estimate_command)
app.command("verify")(verify_command)
app.command("bound")(bound_command)
app.command("info")(info_command)
app.command("engines")(engines_command)
app.command("survey")(survey_command)
app.command("run")(run_command)
app.command("report")(report_command)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"milpcount {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Count, bound and explain the linear regions of ReLU networks, exactly."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the terminal's encoding lacks is written out, never an error.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (for tests)."""
    try:
        code = app(args=arguments, standalone_mode=False)
    except _USAGE_ERROR as error:
        message = error.format_message()  # type: ignore[attr-defined]
        if message:  # none when the help was shown instead
            complain(message)
        return EXIT_INPUT
    except InputError as error:
        complain(str(error))
        return EXIT_INPUT
    except MilpcountError as error:
        complain(str(error))
        return EXIT_FAILED
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return EXIT_LIMIT
    except MemoryError:
        complain("out of memory")
        return EXIT_FAILED
    return code if isinstance(code, int) else 0
