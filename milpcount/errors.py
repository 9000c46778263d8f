"""The exceptions of milpcount: one family, each message says what is wrong, where, and what to do.

Limits (time, regions, Ctrl-C) are never exceptions: they give results whose
:class:`~milpcount.core.result.Termination` names the limit.  What is raised is misuse
(:class:`InputError` and its children, exit code 2 on the command line) or a failure
(:class:`SolverError`, :class:`OutputError`, :class:`InvariantError`, exit code 4), or a certificate
that was refused (:class:`CertificateError`, exit code 4 as well).
"""

from __future__ import annotations

__all__ = [
    "CertificateError",
    "ConfigError",
    "DomainError",
    "InputError",
    "InvariantError",
    "MilpcountError",
    "MissingDependencyError",
    "NetworkError",
    "OutputError",
    "SolverError",
    "UnsupportedError",
]


class MilpcountError(Exception):
    """Base of every exception that milpcount raises on purpose."""


class InputError(MilpcountError):
    """The user's input cannot be used: bad file, bad value, bad combination."""


class NetworkError(InputError):
    """A network file or object that is missing, malformed, or not a ReLU network."""


class DomainError(InputError):
    """An input domain that is missing, empty, inverted, or does not fit the network."""


class ConfigError(InputError):
    """A study configuration that breaks the schema."""


class UnsupportedError(InputError):
    """A valid request that the chosen engine, method or definition cannot serve."""


class MissingDependencyError(InputError):
    """An optional package is not installed; the message names what to install."""

    def __init__(self, package: str, purpose: str, extra: str | None = None) -> None:
        """Say that ``package`` is needed for ``purpose`` and how to install it."""
        remedy = f'pip install "milpcount[{extra}]"' if extra else f"pip install {package}"
        super().__init__(f"{purpose} needs the package {package}, which is not installed: {remedy}")
        self.package = package
        self.extra = extra


class OutputError(MilpcountError):
    """What is to be kept cannot be written, because the disk is full, say; see what is lost."""


class SolverError(MilpcountError):
    """A numerical solver failed in a way that leaves no valid answer."""


class InvariantError(MilpcountError):
    """Something that was proved impossible happened: a defect of milpcount, please report it."""


class CertificateError(MilpcountError):
    """A certificate that is damaged, or does not prove what it states; the message says where."""
