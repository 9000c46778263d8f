"""What holds for all tests."""

from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, settings

from tests import interruptions

# A machine may be slow.
settings.register_profile("milpcount", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("milpcount")


@pytest.fixture
def short_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches stop often, and each stop is told; see :mod:`tests.interruptions`."""
    interruptions.shorten_portions(monkeypatch)


@pytest.fixture
def all_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told at every opportunity."""
    interruptions.report_always(monkeypatch)


@pytest.fixture(autouse=True)
def seeded_modules() -> None:
    """Modules of PyTorch that a test makes have the same weights whatever ran before."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(0)
