"""The zoo: what its numbers promise is what is counted."""

from __future__ import annotations

import pytest

import milpcount as mc
from milpcount import zoo

SPECIMENS = [
    zoo.braid(4),
    zoo.shi(3),
    zoo.catalan(3),
    zoo.linial(4),
    zoo.resonance(4),
    zoo.threshold(2),
    zoo.general_position(6, 3),
    zoo.tent_map(5),
    zoo.cantor(3),
    zoo.cantor(3, with_output=True),
    zoo.montufar(2, [4, 4, 5]),
    zoo.montufar(1, [3, 2, 4]),
]


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda s: s.name)
def test_counts(specimen: zoo.Specimen) -> None:
    result = mc.count(specimen.net, specimen.domain, with_output=specimen.with_output)
    assert result.exact
    assert result.lower == specimen.regions
    assert specimen.source


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: zoo.braid(1), "at least 2"),
        (lambda: zoo.resonance(9), "up to n = 8"),
        (lambda: zoo.threshold(8), "up to n = 7"),
        (lambda: zoo.montufar(2, [3, 4]), "multiple of 2 units, not 3"),
        (lambda: zoo.montufar(2, [4, 1]), "at least 2"),
        (lambda: zoo.general_position(10**4, 9), "pass the floats"),
        (lambda: zoo.tent_map(0), "at least 1"),
    ],
)
def test_refusals(make: object, message: str) -> None:
    with pytest.raises(mc.InputError, match=message):
        make()  # type: ignore[operator]
