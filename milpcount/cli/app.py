"""The application object, its entry point, and the translation of errors into exit codes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from milpcount.cli.output import EXIT_FAILED, EXIT_INPUT, EXIT_LIMIT, complain
from milpcount.cli.plain_call import plain_call
from milpcount.cli.streams import answering, apart
from milpcount.errors import InputError, MilpcountError
from milpcount.support.version import __version__

__all__ = ["application", "run"]

# Typer moved its copy of click between releases; BadParameter's parent is UsageError in all.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]

# Where each command lives; imported when called, so that none waits for what another needs.
_COMMANDS = {
    "count": "milpcount.cli.count",
    "estimate": "milpcount.cli.estimate",
    "verify": "milpcount.cli.verify",
    "bound": "milpcount.cli.bound",
    "info": "milpcount.cli.info",
    "engines": "milpcount.cli.engines",
    "survey": "milpcount.cli.survey",
    "explore": "milpcount.cli.explore",
    "draw": "milpcount.cli.draw",
    "fold": "milpcount.cli.fold",
    "notions": "milpcount.cli.notions",
    "run": "milpcount.cli.study",
    "report": "milpcount.cli.study",
}


def application(arguments: Sequence[str]) -> typer.Typer:
    """The command line; of its commands the one that is called alone, if one is, else all."""
    app = typer.Typer(
        name="milpcount",
        help="Count, bound and explain the linear regions of ReLU networks, exactly.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    called = arguments[0] if arguments else ""
    for name in [called] if called in _COMMANDS else _COMMANDS:
        app.command(name)(_command(name))
    return app


def _command(name: str) -> Callable[..., Any]:
    """The function of a command; what else is printed while it works goes to stderr."""
    return apart(getattr(importlib.import_module(_COMMANDS[name]), f"{name}_command"))


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"milpcount {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Count, bound and explain the linear regions of ReLU networks, exactly."""


def _run(arguments: Sequence[str]) -> Any:
    """Run the command that is called; libraries may print when they are imported."""
    if arguments and arguments[0] in _COMMANDS:
        call = plain_call(_command(arguments[0]), arguments[1:])
        if call is not None:
            with answering():
                return call()
    app = application(arguments)
    with answering():
        return app(args=arguments, standalone_mode=False)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = _run(arguments)
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
