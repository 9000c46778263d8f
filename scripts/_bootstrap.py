"""The virtual environment that the scripts share; standard library only."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from _compiler import build_environment

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
_SETTINGS = ("pyproject.toml", "constraints.txt", "CMakeLists.txt")


def ensure_environment(extras: str) -> Path:
    """Make ``.venv`` with milpcount and these extras installed; return its Python.

    What is installed already is left alone: a stamp holds the extras and the checksums of
    ``pyproject.toml``, ``constraints.txt`` and the sources of the native kernels, which are built
    with a compiler from the package index where the machine has none.  Ends the program with one
    line when it cannot.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - the Python that was typed may be older
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    python = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = FOLDER / "milpcount-stamp"
    wanted = _checksum()
    have = stamp.read_text(encoding="utf-8").split() if stamp.exists() else []
    installed = set(have[1:]) if have[:1] == [wanted] and python.exists() else set()
    # "dev" holds all that the scripts ask for, and every installation compiles the kernels anew.
    if installed & {extras, "dev"}:
        return python
    if not python.exists():
        print("Making the virtual environment .venv ...", flush=True)
        venv.create(FOLDER, with_pip=True)
    print(f"Installing milpcount[{extras}] into .venv, with kernels: some minutes ...", flush=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--constraint", str(ROOT / "constraints.txt"), "--editable", f"{ROOT}[{extras}]"]
    if subprocess.run(command, check=False, env=build_environment(python)).returncode != 0:
        sys.exit("pip could not install milpcount; its message is above")
    stamp.write_text(" ".join([wanted, *sorted(installed | {extras})]), encoding="utf-8")
    return python


def _checksum() -> str:
    digest = hashlib.sha256()
    kernels = sorted((ROOT / "milpcount" / "kernels" / "src").iterdir())
    for path in (*(ROOT / name for name in _SETTINGS), *kernels):
        digest.update(path.read_bytes())
    return digest.hexdigest()
