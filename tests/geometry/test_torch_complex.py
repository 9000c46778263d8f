"""Vertices with gradients, against finite differences of exact complexes; shapes of known size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

import milpcount as mc
from milpcount.geometry.differentiable.torch_complex import torch_complex

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

STEP = 1e-6


def perceptron(widths: list[int], seed: int, slope: float = 0.0) -> torch.nn.Module:
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [torch.nn.Linear(a, b), torch.nn.LeakyReLU(slope) if slope else torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).double()


def norm_one(n: int, radius: float = 1.0) -> torch.nn.Module:
    """``|x_1| + ... + |x_n| - radius``."""
    module = torch.nn.Sequential(
        torch.nn.Linear(n, 2 * n), torch.nn.ReLU(), torch.nn.Linear(2 * n, 1)
    ).double()
    with torch.no_grad():
        module[0].weight.copy_(torch.cat([torch.eye(n), -torch.eye(n)]))
        module[0].bias.zero_()
        module[2].weight.fill_(1.0)
        module[2].bias.fill_(-radius)
    return module


class Residual(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.a, self.b, self.c = (torch.nn.Linear(*s).double() for s in ((2, 5), (5, 5), (5, 2)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.a(x).relu()
        return self.c(y + torch.nn.functional.leaky_relu(self.b(y), 0.2, inplace=True))


def derivative(
    module: torch.nn.Module, value: Callable[[], float], directions: list[torch.Tensor]
) -> float:
    """Central difference of a function of the module's weights."""
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            for p, d in zip(module.parameters(), directions, strict=True):
                p.add_(sign * STEP * d)
        ends.append(value())
        with torch.no_grad():
            for p, d in zip(module.parameters(), directions, strict=True):
                p.sub_(sign * STEP * d)
    return (ends[0] - ends[1]) / (2 * STEP)


def along(module: torch.nn.Module, value: torch.Tensor, directions: list[torch.Tensor]) -> float:
    found = torch.autograd.grad(value, list(module.parameters()), allow_unused=True)
    pairs = zip(found, directions, strict=True)
    return sum(float((g * d).sum()) for g, d in pairs if g is not None)


def directions_of(module: torch.nn.Module) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in module.parameters()]


PLANE = mc.Slice.plane([0.1, 0.0, -0.2], [1.0, 0.3, 0.2], [0.0, 1.0, 0.5])
CASES = {
    "plane": (lambda: perceptron([2, 6, 5, 1], 0), mc.Box(-1.5, 1.5)),
    "space": (lambda: perceptron([3, 5, 4, 1], 1), mc.Box(-1.0, 1.0)),
    "leaky": (lambda: perceptron([2, 6, 5, 1], 2, 0.3), mc.Box(-1.5, 1.5)),
    "slice": (lambda: perceptron([3, 6, 5, 1], 4), PLANE),
    "residual": (Residual, mc.Box(-1.5, 1.5)),
    "whole": (lambda: perceptron([2, 5, 4, 1], 6), mc.WholeSpace()),
}


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_vertices(case: str) -> None:
    build, domain = CASES[case]
    module = build()
    made = torch_complex(module, domain)
    exact = mc.polyhedral_complex(mc.load_network(module), domain)
    np.testing.assert_array_equal(made.vertices.detach().numpy(), exact.vertices[:, exact.free])
    assert not made.overdetermined.any()
    signs = exact.faces(0).signs, exact.faces(0).sides
    weights = np.random.default_rng(0).normal(size=made.vertices.shape)
    # Far away vertices move too fast for a difference of this step.
    weights[np.abs(exact.vertices).max(axis=1) > 5] = 0

    def value() -> float:
        again = mc.polyhedral_complex(mc.load_network(module), domain)
        names = {(s.tobytes(), e.tobytes()): k for k, (s, e) in enumerate(
            zip(again.faces(0).signs, again.faces(0).sides, strict=True)
        )}  # fmt: skip
        order = [names[s.tobytes(), e.tobytes()] for s, e in zip(*signs, strict=True)]
        return float((weights * again.vertices[order][:, exact.free]).sum())

    directions = directions_of(module)
    found = along(module, (made.vertices * torch.tensor(weights)).sum(), directions)
    assert found == pytest.approx(derivative(module, value, directions), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("which", ["level", "outputs", "argmax"])
def test_gradients_of_boundaries(which: str) -> None:
    module = perceptron([2, 7, 5, 3], 8)
    box = mc.Box(-2, 2)
    with torch.no_grad():  # through the middle of the box
        module[-1].bias.sub_(module(torch.tensor([0.31, 0.2], dtype=torch.float64)))
        module[-1].bias.add_(torch.tensor([0.0, 0.01, -0.02]))
    at = {"level": {"output": 1}, "outputs": {"outputs": (0, 2)}, "argmax": {"argmax": True}}[which]
    part = torch_complex(module, box).boundary(**at)
    assert len(part.vertices)

    def value() -> float:
        again = mc.polyhedral_complex(mc.load_network(module), box)
        return float(again.boundary(**at).measure)

    assert float(part.shape.measure.detach()) == pytest.approx(value(), rel=1e-12)
    directions = directions_of(module)
    found = along(module, part.shape.measure, directions)
    assert found == pytest.approx(derivative(module, value, directions), rel=1e-4, abs=1e-4)


def test_shape_of_a_square() -> None:
    module = norm_one(2)
    shape = torch_complex(module, mc.Box(-2, 2)).boundary().shape
    assert shape.measure.item() == pytest.approx(4 * math.sqrt(2))
    assert shape.enclosed.item() == pytest.approx(2)
    assert shape.compactness.item() == pytest.approx(math.pi / 4)
    assert shape.angles.detach().numpy() == pytest.approx(np.full(4, math.pi / 2))
    assert shape.total_curvature.item() == pytest.approx(2 * math.pi)
    # d area / d radius of an l1 ball of radius r: area 2 r^2.
    (slope,) = torch.autograd.grad(shape.enclosed, module[2].bias)
    assert float(slope) == pytest.approx(-4)


def test_shape_of_an_octahedron() -> None:
    part = torch_complex(norm_one(3), mc.Box(-2, 2)).boundary()
    shape = part.shape
    assert shape.measure.item() == pytest.approx(4 * math.sqrt(3))
    assert shape.enclosed.item() == pytest.approx(4 / 3)
    bend = math.pi - math.acos(-1 / 3)
    assert shape.angles.detach().numpy() == pytest.approx(np.full(12, bend))
    assert shape.total_curvature.item() == pytest.approx(12 * math.sqrt(2) * bend / 2)
    assert shape.sizes(2).detach().numpy() == pytest.approx(np.full(8, math.sqrt(3) / 2))
    # Its corners lie on the zeros of four units: they need not stay one vertex.
    assert part.overdetermined.all()


def test_the_inside_is_where_the_function_is_negative() -> None:
    module = norm_one(2)
    with torch.no_grad():
        for p in module[2].parameters():
            p.neg_()
    shape = torch_complex(module, mc.Box(-2, 2)).boundary().shape
    assert shape.enclosed.item() == pytest.approx(-2)
    assert shape.compactness.item() == pytest.approx(math.pi / 4)


def test_gradients_reach_single_precision_and_survive_a_step() -> None:
    module = perceptron([2, 5, 1], 0).float()
    made = torch_complex(module, mc.Box(-1, 1))
    with torch.no_grad():
        module[0].weight.add_(0.25)
    made.vertices.sum().backward()
    assert module[0].weight.grad.dtype == torch.float32
    assert torch.isfinite(module[0].weight.grad).all()


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    box = mc.Box(-1, 1)
    with pytest.raises(mc.InputError, match=r"takes a torch\.nn\.Module, not ReLUNetwork"):
        torch_complex(mc.load_network(norm_one(2)), box)
    clipped = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU6(), torch.nn.Linear(3, 1))
    with pytest.raises(mc.UnsupportedError, match=r"other kinks than one at 0"):
        torch_complex(clipped, box)

    module = norm_one(2)
    whole = torch_complex(module, box)
    with pytest.raises(mc.UnsupportedError, match="not closed: 4 of 6 of its vertices"):
        torch_complex(norm_one(2, 1.5), mc.Box(-1, [2.0, 2.0])).boundary().shape.enclosed  # noqa: B018
    with pytest.raises(mc.UnsupportedError, match="only boundaries"):
        whole.shape.enclosed  # noqa: B018
    with pytest.raises(mc.InputError, match="a part of a complex"):
        whole.boundary(level=-0.5).boundary()
    with torch.no_grad():
        module[0].bias.add_(0.3)
    with pytest.raises(mc.UnsupportedError, match="weights have changed"):
        whole.boundary(level=-0.5)
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(mc.MissingDependencyError, match=r"milpcount\[torch\]"):
        torch_complex(module, box)


def test_by_its_name() -> None:
    assert mc.geometry.torch_complex is torch_complex
    with pytest.raises(AttributeError):
        mc.geometry.no_such_thing  # noqa: B018
