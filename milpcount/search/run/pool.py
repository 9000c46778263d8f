"""Where bundles are run."""

from __future__ import annotations

from typing import Protocol

from milpcount.search.run.bundle import Bundle, Report

__all__ = ["Pool"]


class Pool(Protocol):
    """What runs bundles."""

    @property
    def size(self) -> int:
        """How many at a time."""

    @property
    def idle(self) -> int:
        """How many more may be submitted now."""

    @property
    def slice(self) -> float:
        """Seconds that a bundle is worked on before its report."""

    @property
    def short(self) -> float:
        """The same while there are too few bundles for all workers."""

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Start on a bundle; its report comes with this number."""

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        """Reports that have come, waiting for one at most so long."""

    def stop(self) -> None:
        """Ask for the reports of what is at work, at the end or because others are idle."""

    def close(self) -> None:
        """End at once; what is at work is lost."""
