"""Local maps against double-precision autograd, exact composition, and the papers' rules."""

from __future__ import annotations

import copy
import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.errors import DomainError, InputError, MissingDependencyError, NetworkError
from milpcount.geometry.local_maps.around_points import local_maps

torch = pytest.importorskip("torch")
nn = torch.nn


class Residual(nn.Module):  # type: ignore[misc]
    """A convolution, batch normalisation, a sum with the input, pools of both kinds, functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.norm = nn.BatchNorm2d(2)
        self.slope = nn.PReLU()
        self.drop = nn.Dropout()
        self.last = nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        f = nn.functional
        x = x.view(-1, 1, 8, 8)
        y = f.relu(self.norm(self.conv(x)), inplace=True) + x
        y = f.avg_pool2d(f.max_pool2d(y, 3, stride=2, padding=1), 2)
        z = self.drop(self.slope(y).flatten(1))
        z = f.hardtanh(z) + f.leaky_relu(z, 0.2) + torch.maximum(z, 0.5 - z)
        return self.last(torch.where(z > 0.3, 2 * z - 0.3, z))


@pytest.fixture(scope="module")
def residual() -> Any:
    torch.manual_seed(0)
    module = Residual()
    module(torch.randn(64, 64))  # statistics of the batch normalisation
    return module.eval()


def points(n: int, d: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(n, d))


def by_autograd(module: Any, rows: Any) -> Any:
    """Gradients and offsets in float64, a point at a time."""
    module = copy.deepcopy(module).double()
    out = []
    for row in torch.tensor(rows, dtype=torch.float64):
        slope = torch.autograd.functional.jacobian(lambda t: module(t[None])[0], row)
        value = module(row[None])[0]
        out.append(torch.cat([slope, (value - slope @ row)[:, None]], dim=1).detach().numpy())
    return np.stack(out, axis=1)


def test_maps_of_a_module_with_every_kind_of_part(residual: Any) -> None:
    rows = points(40, 64)
    found = mc.local_maps(residual, rows, dtype="float64", batch=7)
    assert found.shape == (3, 40, 65)
    assert found.dtype == np.float64
    assert np.abs(found - by_autograd(residual, rows)).max() < 1e-12
    assert found.boundary_points == 0
    single = mc.local_maps(residual, rows.astype(np.float32))
    assert single.dtype == np.float32
    assert np.abs(single - found).max() < 1e-4
    assert next(residual.parameters()).dtype == torch.float32
    assert all(p.grad is None for p in residual.parameters())


def test_some_outputs_into_an_array_that_is_there(residual: Any) -> None:
    rows = points(5, 64)
    whole = mc.local_maps(residual, rows, dtype="float64")
    room = np.zeros((2, 5, 65))
    found = mc.local_maps(residual, rows, dtype="float64", outputs=[2, 0], out=room)
    assert np.shares_memory(found, room)
    assert np.array_equal(np.asarray(found), np.asarray(whole)[[2, 0]])
    with pytest.raises(InputError, match="out: an array of shape"):
        mc.local_maps(residual, rows, out=room)
    with pytest.raises(InputError, match="outputs 0 to 2"):
        mc.local_maps(residual, rows, outputs=[3])


def test_images_and_rows_are_the_same() -> None:
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)
    )
    rows = points(6, 36)
    images = mc.local_maps(module, rows.reshape(6, 1, 6, 6), dtype="float64")
    assert np.array_equal(
        images, mc.local_maps(module, rows, dtype="float64", input_shape=(1, 6, 6))
    )
    with pytest.raises(NetworkError, match="cannot be run on inputs of shape"):
        mc.local_maps(module, rows)
    with pytest.raises(DomainError, match="input_shape"):
        mc.local_maps(module, rows, input_shape=(1, 5, 5))


def test_networks_by_composition_and_by_region() -> None:
    torch.manual_seed(2)
    module = nn.Sequential(
        nn.Linear(9, 12), nn.ReLU(), nn.Linear(12, 7), nn.LeakyReLU(0.1), nn.Linear(7, 3)
    )
    rows = points(30, 9)
    net = mc.load_network(module)
    found = mc.local_maps(net, rows, batch=4)
    assert np.abs(found - by_autograd(module, rows)).max() < 1e-12
    for k, row in enumerate(rows[:6]):
        slope, constant = mc.region_at(net, row).affine_map()
        assert np.abs(found[:, k, :-1] - slope).max() < 1e-12
        assert np.abs(found[:, k, -1] - constant).max() < 1e-12


def test_cancellation_that_floats_do_not_survive() -> None:
    big = 2.0**40
    # Two units of one form: their difference leaves weights of 1 beside weights of 2**40.
    net = mc.ReLUNetwork(
        [[[big + 1.0, big], [big, big]], [[big + 1.0, -big - 1.0]]], [[big, big], [1.0]]
    )
    (found,) = mc.local_maps(net, [[0.25, 0.5]])
    assert found[0].tolist() == [float(Fraction(2**40 + 1)), 0.0, 1.0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3))
def test_integer_networks_exactly(seed: int, inputs: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = [inputs, *rng.integers(1, 5, size=depth), 2]
    weights = [rng.integers(-3, 4, size=(b, a)).astype(float) for a, b in itertools.pairwise(sizes)]
    biases = [rng.integers(-3, 4, size=b).astype(float) for b in sizes[1:]]
    net = mc.ReLUNetwork(weights, biases)
    rows = rng.integers(-4, 5, size=(8, inputs)) / 4
    found = mc.local_maps(net, rows)
    values = np.einsum("jpd,pd->pj", found.gradients, rows) + found.offsets.T
    assert np.array_equal(values, net.forward(rows))  # integers over 4: nothing is rounded


def test_skips() -> None:
    class Skip(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(8, 2)

        def forward(self, x: Any) -> Any:
            y = torch.relu(self.a(x))
            return self.c(torch.cat([torch.relu(self.b(y)) + x, y], dim=1))

    torch.manual_seed(3)
    module, rows = Skip(), points(20, 4)
    net = mc.load_network(module, input_shape=(4,))
    found = mc.local_maps(net, rows)
    assert np.abs(found - by_autograd(module, rows)).max() < 1e-12
    assert np.abs(found - mc.local_maps(module, rows, dtype="float64")).max() < 1e-12


def test_points_on_a_boundary_are_counted() -> None:
    module = nn.Sequential(nn.Linear(2, 1, bias=False), nn.ReLU())
    module[0].weight.data[:] = torch.tensor([[1.0, -1.0]])
    rows = np.array([[1.0, 1.0], [2.0, 1.0], [1.0, 2.0]])
    for source in (module, mc.ReLUNetwork([[[1.0, -1.0]], [[1.0]]], [[0.0], [0.0]])):
        found = mc.local_maps(source, rows)
        assert found.on_boundary is not None
        assert found.on_boundary.tolist() == [True, False, False]
        assert found[0].tolist() == [[0, 0, 0], [1, -1, 0], [0, 0, 0]]


def test_ties_of_windows() -> None:
    pool = nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.MaxPool2d(2), nn.Flatten())
    rows = np.array([[1.0, 2.0, 2.0, 0.0], [1.0, 2.0, 3.0, 0.0]])
    found = mc.local_maps(pool, rows)
    assert found.on_boundary is not None
    assert found.on_boundary.tolist() == [True, False]
    assert found[0, 0].tolist() == [0, 1, 0, 0, 0]  # the first of equal ones
    # Zeros that a ReLU keeps there are no tie, but a ReLU at 0 beside them is one.
    after = nn.Sequential(nn.ReLU(), *pool)
    found = mc.local_maps(after, np.array([[-1.0, -2.0, -2.0, -3.0], [-1.0, 0.0, -2.0, -3.0]]))
    assert found.on_boundary is not None
    assert found.on_boundary.tolist() == [False, True]


class Calls(nn.Module):  # type: ignore[misc]
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(self.first(x))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Linear(4, 3), nn.Sigmoid()), r"'1' \(Sigmoid\) computes sigmoid"),
        (
            nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.GELU())),
            r"'1\.0' \(GELU\) computes gelu",
        ),
        (nn.Sequential(nn.Linear(4, 3), nn.Hardswish()), "Hardswish"),
        (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), "native_layer_norm"),
        (Calls(torch.tanh), "Calls computes tanh"),
        (Calls(lambda y: y * y), "multiplies two tensors that depend on the input"),
        (Calls(lambda y: 1.0 / y), "reciprocal"),
        (Calls(lambda y: y / (y + 9)), "divides by what depends on the input"),
        (Calls(lambda y: nn.functional.dropout(y, 0.5, True)), "random numbers"),
        (Calls(lambda y: y - y.mean(0)), "another output for a point"),
        (Calls(lambda y: (y, y)), "gives tuple"),
        (Calls(lambda y: y.detach()), "without a gradient"),
        (
            nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)),
            r"1 \(BatchNorm1d\) is in training mode",
        ),
        (nn.Sequential(nn.Linear(4, 3), nn.Dropout()), r"call module\.eval\(\) first"),
        (nn.Linear(4, 3).half(), "dtype='float64'"),
    ],
)
def test_modules_that_are_refused(module: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        mc.local_maps(module, points(5, 4))


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (np.zeros((0, 4)), {}, "there are no points"),
        (np.zeros(4), {}, "one a row"),
        ([[1.0, np.nan, 0.0, 0.0]], {}, "point 0 holds a NaN"),
        ([["a", "b", "c", "d"]], {}, "not an array of numbers"),
        (np.zeros((2, 3)), {}, "3"),
        (np.zeros((2, 4)), {"batch": 0}, "batch: points at a time"),
        (np.zeros((2, 4)), {"dtype": "int32"}, "float32 or float64"),
        (np.zeros((2, 4)), {"dtype": "what"}, "float32 or float64"),
        (np.zeros((2, 4)), {"outputs": []}, "outputs 0 to 1"),
    ],
)
def test_arguments_that_are_refused(rows: Any, options: dict[str, Any], message: str) -> None:
    net = mc.ReLUNetwork([np.ones((3, 4)), np.ones((2, 3))], [np.zeros(3), np.zeros(2)])
    for source in (net, nn.Linear(4, 2)):
        with pytest.raises(InputError, match=message):
            mc.local_maps(source, rows, **options)
    with pytest.raises(InputError, match="input_shape is for"):
        mc.local_maps(net, np.zeros((2, 4)), input_shape=(4,))


def test_the_test_of_piecewise_linearity(residual: Any) -> None:
    report = mc.check_piecewise_linear(residual, points(20, 64))
    assert report.holds
    assert not report.failed
    smooth = nn.Sequential(nn.Linear(4, 5), nn.Softplus(beta=0.5), nn.Linear(5, 2))
    report = mc.check_piecewise_linear(smooth, points(20, 4))
    assert not report.holds
    assert len(report.failed) > 10  # a point may lie where it is nearly straight
    assert "softplus" in report.smooth[0]
    # A gradient that is not the function's.
    report = mc.check_piecewise_linear(Calls(lambda y: y + 2 * y.detach()), points(3, 4))
    assert report.failed == (0, 1, 2)
    assert "point 0" in str(report)
    relu = nn.Sequential(nn.ReLU())
    report = mc.check_piecewise_linear(relu, np.array([[0.0, 1.0], [1.0, 2.0]]))
    assert report.holds
    assert report.on_boundary.tolist() == [True, False]
    with pytest.raises(NetworkError, match="no PyTorch module"):
        mc.check_piecewise_linear(mc.ReLUNetwork([[[1.0]]], [[0.0]]), [[1.0]])
    with pytest.raises(InputError, match="directions"):
        mc.check_piecewise_linear(relu, [[1.0, 2.0]], directions=0)


def test_local_maps_is_the_name_of_the_function() -> None:
    assert mc.local_maps is local_maps


def test_the_name_of_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.cluster", None)
    with pytest.raises(MissingDependencyError, match=r"milpcount\[sklearn\]"):
        mc.cluster_maps(np.ones((1, 3, 2)), 2)
