"""What users pass: the forms that work, and for the others the nearest right value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.arguments import workers_of
from milpcount.importers.npz import save_npz
from tests.shared import random_net

NET = random_net(np.random.default_rng(4), [2, 3, 1])
BOX = mc.Box(-1, 1)


def test_a_network_is_taken_as_users_have_it(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    save_npz(NET, path)
    pair = (list(NET.weights), list(NET.biases))
    expected = mc.count(NET, BOX, engine="brute").lower
    for form in (str(path), path, pair):
        assert mc.count(form, BOX, engine="brute").lower == expected
        assert mc.bound(form).upper == mc.bound(NET).upper
        assert len(list(mc.enumerate_regions(form, BOX, engine="brute"))) == expected
        rows = mc.survey(form, [[-1, -1], [1, 1]], engine="brute").rows
        assert rows[0].lower >= 1
    certificate = tmp_path / "c.cert"
    mc.count(path, BOX, engine="brute", certificate=certificate)
    assert mc.verify(certificate, path, expect=expected).regions == expected


def test_bound_tells_widths_from_networks() -> None:
    upper = mc.bound([2, 3]).upper
    assert mc.bound((2, 3)).upper == mc.bound(np.array([2, 3])).upper == upper
    with pytest.raises(mc.InputError, match="go with a network"):
        mc.bound([2, 3], BOX)


def test_a_budget_may_be_seconds() -> None:
    assert mc.count(NET, BOX, budget=1000, engine="brute").exact
    with pytest.raises(mc.InputError, match="above 0"):
        mc.count(NET, BOX, budget=0)
    with pytest.raises(mc.InputError, match=r"Budget\(seconds"):
        mc.count(NET, BOX, budget="10")


def test_progress_may_be_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert mc.count(NET, BOX, progress=True, engine="brute").exact
    assert list(mc.enumerate_regions(NET, BOX, progress=True, engine="brute"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert mc.count(NET, BOX, progress=False, engine="brute").exact
    assert capsys.readouterr().err == ""


class _Client:
    """Looks like the client of a Dask cluster."""

    class scheduler:  # noqa: N801
        address = "tcp://10.0.0.1:8786"


_Client.__module__ = "distributed.client"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"definition": "maximal"}, "no definition 'maximal'; known: full, nonempty, linear"),
        ({"definition": "ful"}, r"did you mean 'full'\?"),
        ({"definition": None}, "no definition None"),
        ({"workers": 2.0}, "did you mean 2?"),
        ({"workers": "4"}, "did you mean 4?"),
        ({"workers": 0}, "at least 1"),
        ({"workers": True}, "whole number"),
        ({"workers": _Client()}, r"DaskCluster\('tcp://10.0.0.1:8786'\)"),
        ({"with_output": "yes"}, "with_output: give True or False"),
        ({"progress": 3}, "progress: give True for a bar"),
        ({"engine": "tre"}, "did you mean tree"),
    ],
)
def test_misuse_names_the_nearest(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(mc.InputError, match=message):
        mc.count(NET, BOX, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"confidence": 95}, "did you mean 0.95?"),
        ({"confidence": "0.95"}, "between 0 and 1"),
        ({"seed": 1.5}, "whole number"),
        ({"seed": -1}, "at least 0"),
    ],
)
def test_misuse_of_estimate(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(mc.InputError, match=message.replace("?", r"\?")):
        mc.estimate(NET, BOX, **arguments)


@pytest.mark.parametrize("value", [3, object(), "net", ([1.0], [1.0], [1.0])])
def test_what_is_no_network_is_refused(value: Any) -> None:
    with pytest.raises(mc.InputError):
        mc.count(value, BOX)


@pytest.mark.parametrize("value", [(0, 1), "p.vnnlib", np.zeros((500, 2))])
def test_what_is_no_domain_is_refused_in_few_words(value: Any) -> None:
    with pytest.raises(mc.DomainError, match="is not a domain") as caught:
        mc.count(NET, value)
    assert len(str(caught.value)) < 200


def test_images_are_to_be_flattened() -> None:
    image = np.zeros((28, 28))
    wide = random_net(np.random.default_rng(0), [784, 2, 1])
    with pytest.raises(mc.DomainError, match=r"reshape\(-1\)"):
        mc.Box.around(image, 0.1)
    with pytest.raises(mc.DomainError, match=r"reshape\(-1\)"):
        mc.Box(image, image + 1)
    with pytest.raises(mc.InputError, match=r"reshape\(-1\)"):
        wide.forward(image)
    with pytest.raises(mc.InputError, match=r"reshape\(len\(x\), -1\)"):
        wide.forward(np.zeros((3, 28, 28)))
    with pytest.raises(mc.InputError, match=r"reshape\(len\(points\), -1\)"):
        mc.survey(wide, np.zeros((3, 28, 28)))


def test_numpy_integers_are_numbers_of_workers() -> None:
    assert workers_of(np.int64(2)) == 2


def test_a_point_has_no_full_regions() -> None:
    for engine in ("auto", "brute", "tree-highs"):
        with pytest.raises(mc.DomainError, match="single point"):
            mc.count(NET, mc.Box(0, 0), engine=engine)
        assert mc.count(NET, mc.Box([0, 0], [0, 1]), engine=engine).lower >= 1
    with pytest.raises(mc.DomainError, match="single point"):
        mc.count(NET, mc.Box(0, 0), definition="linear")
    assert mc.count(NET, mc.Box(0, 0), engine="brute", definition="nonempty").lower == 1


@pytest.mark.parametrize("number", [1.0000004, 0.1, 1e-300, 5e-324, -1e22, 123456789.123])
def test_domains_are_described_by_numbers_that_read_back(number: float) -> None:
    domains = (
        mc.Box(-1e30, number),
        mc.Box([-1e30, -1e30], [number, 5]),
        mc.Polytope([[number, 1]], [1]),
        mc.Slice([[0, number], [1, 1]], 0, 1),
    )
    for domain in domains:
        words = domain.describe().replace("]", " ").replace(")", " ").replace(",", " ")
        assert any(_reads_as(word.split("[")[-1].split("(")[-1], number) for word in words.split())
    assert repr(mc.Box(0, 1.0000004)) == "Box(0, 1.0000004)"
    assert repr(mc.Box(0, np.arange(20.0))) == "Box(0, [0, 1, 2, 3, 4, 5, 6, 7, ... 12 more])"


def _reads_as(word: str, number: float) -> bool:
    try:
        return float(word) == number
    except ValueError:
        return False
