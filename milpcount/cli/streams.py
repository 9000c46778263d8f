"""Standard output for the answers of commands alone, whatever libraries print.

Libraries print in two ways: with Python, to ``sys.stdout``, and in compiled code, to file
descriptor 1.  Both are led to stderr; what the command says goes out by a descriptor of its own.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import ParamSpec, TextIO, TypeVar

__all__ = ["answering", "answers", "apart", "reserved_stdout"]

P = ParamSpec("P")
R = TypeVar("R")

_answers: ContextVar[TextIO | None] = ContextVar("answers", default=None)


def answers() -> TextIO:
    """Where answers go."""
    return _answers.get() or sys.stdout


@contextlib.contextmanager
def reserved_stdout() -> Iterator[None]:
    """Take descriptor 1 and ``sys.stdout`` for answers; what else is written there is on stderr.

    Raises:
        OSError: the answers cannot be written: the disk is full, or nobody reads them any more.
    """
    out, error = sys.stdout, sys.stderr
    if out is None:  # closed
        with open(os.devnull, "w") as nothing:
            token = _answers.set(nothing)
            yield
            _answers.reset(token)
        return
    out.flush()
    own = os.dup(1)
    nowhere = open(os.devnull, "w") if error is None else None  # noqa: SIM115
    os.dup2(2 if nowhere is None else nowhere.fileno(), 1)
    # What the terminal's encoding lacks is written out, never an error.
    stream = open(  # noqa: SIM115
        own, "w", encoding=out.encoding, errors="backslashreplace", closefd=False
    )
    token = _answers.set(stream)
    sys.stdout = error if nowhere is None else nowhere
    try:
        yield
    finally:
        sys.stdout = out
        _answers.reset(token)
        try:
            stream.close()
        finally:
            os.dup2(own, 1)
            os.close(own)
            if nowhere is not None:
                nowhere.close()


@contextlib.contextmanager
def _stdout(stream: TextIO) -> Iterator[None]:
    before = sys.stdout
    sys.stdout = stream
    try:
        yield
    finally:
        sys.stdout = before


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """While the command line is read: its help is an answer, and goes where ``sys.stdout`` is."""
    token = _answers.set(answers())
    try:
        with _stdout(answers()):
            yield
    finally:
        _answers.reset(token)


def apart(command: Callable[P, R]) -> Callable[P, R]:
    """The command, with ``sys.stdout`` led to stderr while it works."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with _stdout(sys.stderr):
            return command(*args, **kwargs)

    return run
