"""Arguments that are read without Typer mean what Typer says they mean."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from milpcount.cli.app import _COMMANDS, _USAGE_ERROR
from milpcount.cli.plain_call import plain_call


def _noting(name: str, calls: list[dict[str, Any]]) -> Callable[..., int]:
    """A command with the parameters of this one, which notes what it is called with."""
    command = getattr(importlib.import_module(_COMMANDS[name]), f"{name}_command")

    @functools.wraps(command)
    def note(**given: Any) -> int:
        calls.append(given)
        return 0

    return note


def _by_typer(name: str, arguments: Sequence[str]) -> dict[str, Any] | None:
    """What Typer makes of the arguments, None if it refuses them."""
    calls: list[dict[str, Any]] = []
    app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})
    app.callback()(lambda: None)
    app.command(name)(_noting(name, calls))
    try:
        app(args=[name, *arguments], standalone_mode=False)
    except _USAGE_ERROR:
        return None
    return calls[0] if calls else None


def _plainly(name: str, arguments: Sequence[str]) -> dict[str, Any] | None:
    calls: list[dict[str, Any]] = []
    call = plain_call(_noting(name, calls), arguments)
    if call is None:
        return None
    call()
    return calls[0]


PLAIN = [
    ("count", "net.npz"),
    ("count", "net.npz --json"),
    ("count", "--json net.npz --quiet"),
    ("count", "net.npz --box -1 1 --progress --with-output"),
    ("count", "net.npz --box -1,-2 .5,1 --engine tree"),
    ("count", "net.npz --box=-1 1 --engine=tree --json"),
    ("count", "--output=a=b net.npz --radius=-0.5 --center=x.npy"),
    ("count", "net.npz --time-limit 3 --region-limit 100 --workers 2"),
    ("count", "net.npz --time-limit 2.5e1 --definition nonempty --executor processes"),
    ("count", "net.npz --whole-space --memory 100 --confirm no"),
    ("count", "net.npz --vnnlib a.vnnlib --disjunct 2 --resume r --certificate c"),
    ("count", "net.npz --center x.npy --radius -0.5 --output a/b"),
    ("verify", "c.cert --network net.npz --expect ==4"),
    ("engines", ""),
    ("engines", "--json"),
    ("explore", "net.npz --box 0 1"),
]

NOT_PLAIN = [
    ("count", ""),
    ("count", "--help"),
    ("count", "net.npz -h"),
    ("count", "net.npz other.npz"),
    ("count", "net.npz --engin tree"),
    ("count", "net.npz --engin=tree"),
    ("count", "net.npz --engine="),
    ("count", "net.npz --json=yes"),
    ("count", "net.npz --box=1"),
    ("count", "net.npz --engine"),
    ("count", "net.npz --json --json"),
    ("count", "net.npz --box 1"),
    ("count", "net.npz --definition Full"),
    ("count", "net.npz --time-limit 1_0"),
    ("count", "net.npz --time-limit inf"),
    ("count", "net.npz --workers 2.0"),
    ("count", "net.npz --workers two"),
    ("count", "-- net.npz"),
    ("count", "-v"),
]


@pytest.mark.parametrize(("name", "line"), PLAIN)
def test_plain_arguments_are_read_as_typer_reads_them(name: str, line: str) -> None:
    found = _plainly(name, line.split())
    assert found is not None
    assert found == _by_typer(name, line.split())


@pytest.mark.parametrize(("name", "line"), NOT_PLAIN)
def test_what_is_not_plain_is_left_to_typer(name: str, line: str) -> None:
    assert _plainly(name, line.split()) is None


def test_empty_words_and_files_that_may_not_be_read_are_left_to_typer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _plainly("count", [""]) is None
    path = tmp_path / "net.npz"
    path.touch()
    assert _plainly("count", [str(path)]) is not None
    monkeypatch.setattr("os.access", lambda *_: False)
    assert _plainly("count", [str(path)]) is None


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_is_read_or_left(name: str) -> None:
    # With options that none has: nothing is guessed, and nothing is raised.
    assert _plainly(name, ["net.npz", "--no-such-option"]) is None
