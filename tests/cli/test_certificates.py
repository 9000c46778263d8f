"""``milpcount count --certificate`` and ``milpcount verify``: outputs and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from milpcount.cli.app import run


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.npz"
    rng = np.random.default_rng(0)
    arrays = {"W0": rng.normal(size=(6, 2)), "b0": rng.normal(size=6)}
    arrays |= {"W1": np.ones((1, 6)), "b1": np.zeros(1)}
    arrays |= {"lo": -np.ones(2), "hi": np.ones(2)}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_count_and_verify(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificate = network.with_name("count.cert")
    assert run(["count", str(network), "--certificate", str(certificate), "--json"]) == 0
    counted = json.loads(capsys.readouterr().out)
    assert counted["engine"] == "tree"
    verify = ["verify", str(certificate), "--network", str(network)]
    assert run([*verify, "--json"]) == 0
    proved = json.loads(capsys.readouterr().out)
    assert (proved["verified"], proved["relation"]) == (True, "==")
    assert (proved["count"], proved["definition"]) == (counted["lower"], "full")
    assert proved["own_domain"] is True
    assert run([*verify, "--box", "-1", "1", "--definition", "full"]) == 0
    assert f"== {counted['lower']}" in capsys.readouterr().out


def test_refusals_are_one_line_and_code_4(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = network.with_name("count.cert")
    run(["count", str(network), "--certificate", str(certificate), "--box", "-2", "1", "--quiet"])
    verify = ["verify", str(certificate), "--network", str(network)]
    capsys.readouterr()
    assert run(verify) == 0
    assert "not the box that the network carries" in capsys.readouterr().out
    for options in (["--box", "-1", "1"], ["--whole-space"], ["--definition", "nonempty"]):
        assert run([*verify, *options]) == 4
        assert capsys.readouterr().err.count("\n") == 1
    data = bytearray(certificate.read_bytes())
    data[70] ^= 1
    certificate.write_bytes(data)
    assert run([*verify, "--json"]) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)["verified"] is False
    assert "checksum" in err
    assert err.count("\n") == 1
    certificate.unlink()
    assert run(verify) == 2


def test_a_limit_gives_a_certificate_of_at_least(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = network.with_name("count.cert")
    options = ["--region-limit", "3", "--certificate", str(certificate), "--quiet"]
    assert run(["count", str(network), *options]) == 3
    assert run(["verify", str(certificate), "--network", str(network)]) == 0
    assert "number of full-dimensional regions >= " in capsys.readouterr().out
