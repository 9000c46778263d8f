"""A C++ compiler for machines without one: zig, from the package index; standard library only."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

__all__ = ["build_environment"]

_NAMES = ("c++", "g++", "clang++")
_TOOLS = {"cc": "cc", "c++": "c++", "ar": "ar", "ranlib": "ranlib"}


def build_environment(python: Path) -> dict[str, str]:
    """Environment variables with which pip can build the kernels.

    Nothing is added where a C++ compiler is found (on Windows CMake looks for Visual Studio
    itself).  Elsewhere ``ziglang`` is installed beside ``python``, and CMake is told to use it.
    Ends the program with one line when that fails.
    """
    environment = dict(os.environ)
    if environment.get("CXX") or any(shutil.which(name) for name in _NAMES) or _visual_studio():
        return environment
    print("No C++ compiler found; bringing one (ziglang, 100 MB) ...", flush=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*command, "ziglang", "ninja"], check=False).returncode != 0:
        sys.exit(
            "milpcount is built with a C++ compiler and none could be brought from the package "
            "index: install g++ or clang++ and run this again"
        )
    tools = {name: _wrapper(python, name, argument) for name, argument in _TOOLS.items()}
    environment["CC"], environment["CXX"] = str(tools["cc"]), str(tools["c++"])
    options = [f"-DCMAKE_AR={tools['ar']}", f"-DCMAKE_RANLIB={tools['ranlib']}"]
    # CMAKE_ARGS is split at spaces: a checkout in a folder with spaces goes through a list.
    environment["SKBUILD_CMAKE_ARGS"] = ";".join(options)
    environment["CMAKE_GENERATOR"] = "Ninja"
    environment["PATH"] = os.pathsep.join([str(python.parent), environment.get("PATH", "")])
    return environment


def _visual_studio() -> bool:
    """Whether Visual Studio or its build tools are there: what installs them puts this there."""
    base = os.environ.get("PROGRAMFILES(X86)", "")
    return bool(base) and (Path(base) / "Microsoft Visual Studio/Installer/vswhere.exe").exists()


def _wrapper(python: Path, name: str, argument: str) -> Path:
    """A script beside ``python`` that runs this part of zig.

    Isolated (``-I``): pip hides what is installed here from the Python that builds.
    """
    if os.name == "nt":
        path = python.parent / f"zig-{name}.cmd"
        path.write_text(f'@"{python}" -I -m ziglang {argument} %*\n', encoding="utf-8")
        return path
    path = python.parent / f"zig-{name}"
    path.write_text(f'#!/bin/sh\nexec "{python}" -I -m ziglang {argument} "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path
