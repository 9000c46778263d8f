"""The application object, its entry point, and the translation of errors into exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from milpcount.cli.bound import bound_command
from milpcount.cli.count import count_command
from milpcount.cli.draw import draw_command
from milpcount.cli.engines import engines_command
from milpcount.cli.estimate import estimate_command
from milpcount.cli.explore import explore_command
from milpcount.cli.fold import fold_command
from milpcount.cli.info import info_command
from milpcount.cli.output import EXIT_FAILED, EXIT_INPUT, EXIT_LIMIT, complain
from milpcount.cli.streams import answering, apart
from milpcount.cli.study import report_command, run_command
from milpcount.cli.survey import survey_command
from milpcount.cli.verify import verify_command
from milpcount.errors import InputError, MilpcountError
from milpcount.support.version import __version__

__all__ = ["app", "run"]

# Typer moved its copy of click between releases; BadParameter's parent is UsageError in all.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="milpcount",
    help="Count, bound and explain the linear regions of ReLU networks, exactly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("count")(apart(count_command))
app.command("estimate")(apart(estimate_command))
app.command("verify")(apart(verify_command))
app.command("bound")(apart(bound_command))
app.command("info")(apart(info_command))
app.command("engines")(apart(engines_command))
app.command("survey")(apart(survey_command))
app.command("explore")(apart(explore_command))
app.command("draw")(apart(draw_command))
app.command("fold")(apart(fold_command))
app.command("run")(apart(run_command))
app.command("report")(apart(report_command))


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


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    try:
        with answering():
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
    except OSError as error:
        if not error.filename:
            raise  # of an open file, most likely the answer's
        complain(f"{error.filename}: {error.strerror}")
        return EXIT_FAILED
    return code if isinstance(code, int) else 0
