"""Pictures of local maps show the maps that are there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import InputError, NetworkError

pytest.importorskip("matplotlib")

# relu(x + y + 2) - 2 relu(x + y) - 1: three maps.
XOR = mc.ReLUNetwork([[[1.0, 1.0], [1.0, 1.0]], [[1.0, -2.0]]], [[2.0, 0.0], [-1.0]])
MAPS = {(0.0, 0.0, -1.0), (1.0, 1.0, 1.0), (-1.0, -1.0, 1.0)}
CORNERS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])


def shown(axes: Any) -> set[tuple[float, ...]]:
    """The maps among the collections of a picture, the coloured ones."""
    dots = next(c for c in axes.collections if c.get_array() is not None)
    return {
        (*place, value)
        for place, value in zip(
            np.asarray(dots.get_offsets()).tolist(), dots.get_array().tolist(), strict=True
        )
    }


def marked(axes: Any) -> list[list[float]]:
    """The places of the marked maps, class after class."""
    plain = [c for c in axes.collections if c.get_array() is None and len(c.get_offsets())]
    return [p for c in plain[-2:] for p in np.asarray(c.get_offsets()).tolist()]


def test_regions_the_grid_and_a_module_show_the_same_maps() -> None:
    torch = pytest.importorskip("torch")
    labels = np.array([0, 1, 1, 0])
    over = mc.Box([-3.0, -3.0], [3.0, 3.0])
    axes = mc.draw.local_maps(XOR, over, points=(CORNERS, labels))
    assert shown(axes) == MAPS
    assert marked(axes) == [[0.0, 0.0], [-1.0, -1.0], [1.0, 1.0], [1.0, 1.0]]
    axes = mc.draw.local_maps(XOR, over, points=(CORNERS, labels), grid=31)
    assert shown(axes) == MAPS
    assert marked(axes) == [[0.0, 0.0], [-1.0, -1.0], [1.0, 1.0], [1.0, 1.0]]
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    for layer, (weight, bias) in zip(
        module[::2], zip(XOR.weights, XOR.biases, strict=True), strict=True
    ):
        layer.weight.data = torch.tensor(weight, dtype=torch.float32)
        layer.bias.data = torch.tensor(bias, dtype=torch.float32)
    assert shown(mc.draw.local_maps(module)) == MAPS  # on the grid of [-1, 1]^2
    assert shown(mc.draw.local_maps(XOR, grid=101, domain=over)) == MAPS


def test_a_slice_is_shown_in_its_own_coordinates() -> None:
    plane = mc.Slice([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]], -2.0, 2.0)
    axes = mc.draw.local_maps(XOR, plane, points=[[-2.0, 0.0]])
    # x = 2 s, y = t: slopes (2, 1) times those of the inputs.
    assert {m[:2] for m in shown(axes)} == {(2.0, 1.0), (-2.0, -1.0), (0.0, 0.0)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": 1}, "at least 2"),
        ({"grid": 5, "domain": mc.WholeSpace()}, "box of two inputs"),
        ({"grid": 5, "domain": mc.Box(0, 1), "points": [[1.0, 2.0, 3.0]]}, "shape"),
        ({"grid": 5, "domain": mc.Box(0, 1), "output": 1}, "outputs 0 to 0"),
    ],
)
def test_what_no_grid_shows(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mc.draw.local_maps(XOR, **options)


def test_gradients_are_those_of_the_outputs() -> None:
    rng = np.random.default_rng(0)
    net = mc.ReLUNetwork(
        [rng.normal(size=(5, 12)), rng.normal(size=(3, 5))], [rng.normal(size=5), np.zeros(3)]
    )
    image = rng.random((3, 4))
    panels = mc.draw.gradients(net, image, outputs=[2, 0], names=["two", "zero"])
    maps = mc.local_maps(net, image.reshape(1, 12))
    assert [p.get_title() for p in panels] == ["input", "two", "zero"]
    assert np.array_equal(panels[0].images[0].get_array(), image)
    for panel, j in zip(panels[1:], (2, 0), strict=True):
        assert np.allclose(panel.images[0].get_array(), maps.gradients[j, 0].reshape(3, 4))
        low, high = panel.images[0].get_clim()
        assert low == -high
    with pytest.raises(InputError, match="no square"):
        mc.draw.gradients(net, image.reshape(12))
    with pytest.raises(InputError, match="no picture of shape"):
        mc.draw.gradients(net, image, shape=(5, 5))
    with pytest.raises(InputError, match="2 outputs are drawn, and 1 named"):
        mc.draw.gradients(net, image, outputs=[0, 1], names=["one"])
    with pytest.raises(InputError, match="needs 4 axes"):
        mc.draw.gradients(net, image, ax=[panels[0]])


def test_a_smooth_module_is_not_drawn() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(NetworkError, match="Tanh"):
        mc.draw.local_maps(torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Tanh()))
