"""Text from files and names is data in every output, and no terminal obeys it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.cli.app import run
from milpcount.core.network import ReLUNetwork
from milpcount.importers.npz import save_npz
from milpcount.study.figures.style import canvas
from milpcount.study.tables.architecture import write_table
from milpcount.support.escaping import markdown_text, unescaped_cells
from milpcount.support.text import printable
from tests.shared import random_net
from tests.study.test_tables import record

HOSTILE = "=cmd|' \\input{x} $x^2$ [/b] [red]<img src=x>&amp;`_*:smile: \x1b[2J\u202e]8;;x"
NOTE = "rounded [/b][red] \x1b]0;title\x07 \x9b2J é"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network whose file and notes have hostile names."""
    base = random_net(np.random.default_rng(4), [2, 3, 1])
    path = tmp_path / "[red]m[v2].npz"
    save_npz(ReLUNetwork(base.weights, base.biases, notes=[NOTE]), path)
    return path


def _commands(network: Path, certificate: Path) -> list[list[str]]:
    box = ["--box", "-1", "1"]
    points = network.with_name("points.csv")
    points.write_text("-1,-1\n1,1\n")
    return [
        ["count", str(network), *box, "--engine", "brute"],
        ["info", str(network), *box],
        ["bound", str(network)],
        ["estimate", str(network), *box, "--method", "tree-sample"],
        ["survey", str(network), "--points", str(points), "--kind", "segments"],
        ["verify", str(certificate), "--network", str(network)],
    ]


def test_every_command_shows_the_notes_as_they_are(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = tmp_path / "c.cert"
    made = ["count", str(network), "--box", "-1", "1", "--engine", "brute"]
    assert run([*made, "--certificate", str(certificate), "--quiet"]) == 0
    capsys.readouterr()
    for command in _commands(network, certificate):
        assert run(command) == 0
        out = capsys.readouterr().out
        assert "rounded [/b][red] \\x1b]0;title\\x07 \\x9b2J é" in " ".join(out.split()), command
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)
        assert run([*command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["notes"] == [NOTE]
    assert run(["verify", str(certificate), "--network", str(network)]) == 0
    assert "[red]m[v2].npz" in capsys.readouterr().out


def test_studies_show_the_notes(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "study.yaml"
    config.write_text(
        "name: a\nnetworks: ['*m*v2*.npz']\ndomain: {box: [-1, 1]}\n"
        "counts: [{engine: brute}]\noutput: out\nfigures: []\n"
    )
    for command in (["run", str(config)], ["report", str(tmp_path / "out")]):
        assert run(command) == 0
        assert "[red]m[v2]: rounded [/b][red]" in capsys.readouterr().out
        assert run([*command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["notes"] == [f"[red]m[v2]: {NOTE}"]


def test_messages_are_one_line_without_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", f"x{HOSTILE.replace('/', '')}.npz"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert "\\x1b[2J" in err


def test_a_terminal_of_ascii_alone(network: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "milpcount", "info", str(network)],
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\xe9" in done.stdout


def test_tables_of_every_format(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame([{"network": HOSTILE, "lower": 3}, {"network": "b", "lower": 4}])
    write_table(frame.astype(object), tmp_path, "runs", f"Title {HOSTILE}")
    rows = list(csv.reader(io.StringIO((tmp_path / "runs.csv").read_text())))
    assert rows[1][0].startswith("'=cmd|")
    markdown = (tmp_path / "runs.md").read_text()
    assert "<img" not in markdown
    row = next(line for line in markdown.splitlines() if line.endswith(" 3 |"))
    assert unescaped_cells(row) == [" ".join(printable(HOSTILE).split()), "3"]
    latex = (tmp_path / "runs.tex").read_text()
    assert r"\input" not in latex
    assert r"\textbackslash{}input\{x\} \$x\textasciicircum{}2\$" in latex
    for text in (markdown, latex, rows[1][0]):
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    "text",
    ["a|b", "\\", "\\|", "&lt;", "<b>", "*x*", "_x_", "1-7_s0", "[a](b)", "# a", "- a", "$x$"],
)
def test_markdown_reads_back(text: str) -> None:
    assert unescaped_cells(f"| {markdown_text(text)} | 1 |") == [text, "1"]


def test_names_of_networks_stay_readable_in_markdown() -> None:
    assert markdown_text("784-(a, 22-a)-10 over [0, 1]^784, 1-7_s0 & more") == (
        "784-(a, 22-a)-10 over [0, 1]^784, 1-7_s0 & more"
    )


def test_titles_of_figures_are_no_formulas() -> None:
    pytest.importorskip("matplotlib")
    figure, axes = canvas(4, "100 $ \\frac{ [ $ " + HOSTILE)
    figure.savefig(io.BytesIO(), format="png")
    assert "\x1b" not in axes.get_title()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--expect", "== 4"], 0),
        (["--expect", ">= 3"], 0),
        (["--expect", "<=5"], 0),
        (["--expect", "4"], 0),
        (["--expect", "== 5"], 4),
        (["--expect", ">= 5"], 4),
        (["--expect", "<= 3"], 4),
        (["--expect", "four"], 2),
        (["--definition", "nonempty"], 4),
        (["--with-output"], 4),
        (["--without-output"], 0),
        (["--box", "0", "1"], 4),
        (["--box", "0", "1.0000004"], 0),
    ],
)
def test_verify_is_told_what_must_be_proved(
    tmp_path: Path, options: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ReLUNetwork([[[1], [1], [1]], [[1, 1, 1]]], [[-0.25, -0.5, -0.75], [0]])
    path, certificate = tmp_path / "t.npz", tmp_path / "t.cert"
    save_npz(line, path)
    box = ["--box", "0", "1.0000004"]
    assert (
        run(["count", str(path), *box, "--engine", "brute", "--certificate", str(certificate)]) == 0
    )
    assert "4 full" in capsys.readouterr().out
    arguments = ["verify", str(certificate), "--network", str(path), *options]
    assert run(arguments) == code
    captured = capsys.readouterr()
    if code == 0:
        assert "over Box(0, 1.0000004)" in captured.out
    else:
        assert captured.out == ""
        assert captured.err.count("\n") == 1


def test_a_weak_certificate_does_not_prove_a_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, certificate = tmp_path / "t.npz", tmp_path / "t.cert"
    save_npz(random_net(np.random.default_rng(4), [2, 6, 1]), path)
    limited = ["--box", "-1", "1", "--region-limit", "2", "--engine", "tree-highs"]
    assert run(["count", str(path), *limited, "--certificate", str(certificate)]) == 3
    assert run(["verify", str(certificate), "--network", str(path)]) == 0
    assert run(["verify", str(certificate), "--network", str(path), "--expect", ">= 2"]) == 0
    capsys.readouterr()
    assert run(["verify", str(certificate), "--network", str(path), "--expect", "== 2"]) == 4
    assert "it proves >= 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["784,11,11"], "with spaces between: 784 11 11"),
        (["784-11-11"], "with spaces between: 784 11 11"),
        (["99999999999", "5", "99999999999"], "over the limit"),
        (["1000000", "1000000"], "GiB"),
        (["9" * 5000, "5"], "(5000 digits) inputs"),
    ],
)
def test_bounds_refuse_what_they_cannot_compute(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bound", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_bounds_of_any_size_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for widths in (["784", "512", "512"], ["784", "392", "393"], ["99999999999", "5", "5"]):
        assert run(["bound", *widths]) == 0
        assert "serra2018" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"domain: {box: [-1, 1]}": "domain: {box: [1, 0]}"}, ":3: domain: box: the box is empty"),
        ({"[x.npz]": "[x.npz, y*.npz]"}, ":2: networks: 'y*.npz' matches no file"),
        ({"engine: brute": "engine: brute, only: z"}, ":4: only: 'z' matches no network"),
        ({"output: out": "output: ../out"}, ":5: output: '../out' lies outside"),
        ({"output: out": "output: /tmp/out"}, ":5: output: '/tmp/out' lies outside"),
    ],
)
def test_errors_of_a_study_name_file_and_line(
    tmp_path: Path, change: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save_npz(random_net(np.random.default_rng(4), [2, 3, 1]), tmp_path / "x.npz")
    text = (
        "name: a\nnetworks: [x.npz]\ndomain: {box: [-1, 1]}\ncounts: [{engine: brute}]\n"
        "output: out\nfigures: []\n"
    )
    for old, new in change.items():
        text = text.replace(old, new)
    config = tmp_path / "study.yaml"
    config.write_text(text)
    assert run(["run", str(config), "--dry-run"]) == 2
    assert f"study.yaml{message}" in capsys.readouterr().err


def test_a_property_of_another_network_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_npz(random_net(np.random.default_rng(4), [2, 3, 1]), tmp_path / "x.npz")
    prop = tmp_path / "p.vnnlib"
    prop.write_text("(declare-const X_0 Real)\n(assert (>= X_0 0))\n(assert (<= X_0 1))\n")
    assert run(["count", str(tmp_path / "x.npz"), "--vnnlib", str(prop)]) == 2
    assert "p.vnnlib declares 1 inputs" in capsys.readouterr().err


def test_an_archive_that_unpacks_to_gigabytes_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "big.npz"
    np.savez_compressed(path, W0=np.zeros((9000, 9000), np.int8), b0=np.zeros(9000))
    assert path.stat().st_size < 10**6
    assert run(["info", str(path)]) == 2
    assert "over the limit of 0.5 GiB" in capsys.readouterr().err


def test_stored_runs_are_data_too(tmp_path: Path) -> None:
    """The one hostile name through the tables that studies make of their records."""
    from milpcount.study.tables.architecture import runs_table

    rows: list[dict[str, Any]] = [record(HOSTILE, 1), record("b", 2)]
    write_table(runs_table(rows, []), tmp_path, "runs", HOSTILE)
    assert "\x1b" not in "".join(p.read_text() for p in tmp_path.iterdir())
