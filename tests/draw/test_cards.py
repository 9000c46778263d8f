"""What a notebook shows, and short names."""

from __future__ import annotations

import pytest

import milpcount as mc
from milpcount.draw import thumbnails
from milpcount.support.cards import card, interval_text, whole_text
from tests.draw.nets import DIAMOND, SQUARE, random_net


def test_numbers_of_any_size() -> None:
    assert whole_text(12345) == "12,345"
    assert whole_text(-(10**15)) == "-1.000e+15"
    assert whole_text(2**20000).endswith("e+6020")
    assert interval_text(3, 3) == "3"
    assert interval_text(3, None) == "at least 3"
    assert interval_text(3, 1000) == "3 to 1,000"


def test_text_is_escaped() -> None:
    shown = card("<b>\x1b[31m", [("a&b", "<i>")])
    assert "<b>\x1b" not in shown
    assert "&lt;b&gt;" in shown
    assert "a&amp;b" in shown
    assert "<i>" not in shown


def test_short_names() -> None:
    found = mc.count(DIAMOND, SQUARE, engine="subdivision")
    assert repr(found) == "CountResult(4, full, engine subdivision)"
    stopped = mc.count(random_net(2, 9, 8, 1), SQUARE, budget=mc.Budget(regions=5))
    assert repr(stopped).startswith("CountResult(")
    assert "stopped by regions" in repr(stopped)
    assert repr(mc.bound([2, 4, 1])).startswith("BoundResult(2-4-1: at most 22 by")
    estimate = mc.estimate(DIAMOND, SQUARE, method="tree-sample")
    assert repr(estimate).startswith("EstimateResult(at least 4")


def test_cards_have_the_numbers() -> None:
    K = mc.polyhedral_complex(DIAMOND, SQUARE)
    assert "9, 12, 4" in K._repr_html_()
    assert "4 regions" in mc.count(DIAMOND, SQUARE)._repr_html_()
    assert "2-4-1" in DIAMOND._repr_html_()
    region = K.regions[0]
    assert "<svg" in region._repr_html_()
    assert "area" in region._repr_html_()
    assert "confidence" in mc.estimate(DIAMOND, SQUARE, method="tree-sample")._repr_html_()
    deep = mc.region_at(random_net(4, 3, 1), [0.0] * 4)
    assert "<svg" not in deep._repr_html_()


def test_pictures_of_complexes_where_there_can_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    flat = mc.ReLUNetwork([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
    for net, domain in ((DIAMOND, SQUARE), (flat, SQUARE), (random_net(3, 3, 1), SQUARE)):
        K = mc.polyhedral_complex(net, domain)
        assert "data:image/png" in K._repr_html_()
        assert "data:image/png" in K.refine(level=0.25)._repr_html_()
    assert "<img" not in mc.polyhedral_complex(DIAMOND, mc.WholeSpace())._repr_html_()
    monkeypatch.setattr(thumbnails.importlib.util, "find_spec", lambda name: None)
    assert "<img" not in mc.polyhedral_complex(DIAMOND, SQUARE)._repr_html_()
