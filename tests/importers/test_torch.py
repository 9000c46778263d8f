"""PyTorch modules against PyTorch itself: outputs, and pre-activations caught with hooks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from milpcount.core.network import ReLUNetwork
from milpcount.errors import InputError, MissingDependencyError, NetworkError, UnsupportedError
from milpcount.importers import load_network
from milpcount.importers.torch.module import from_torch

torch = pytest.importorskip("torch", reason="the package torch is not installed")
nn, functional = torch.nn, torch.nn.functional


def agree(module: Any, inputs: int | None = None, catch: bool = True) -> ReLUNetwork:
    """Load a module and compare it with itself in double precision, units included."""
    torch.manual_seed(0)
    net = load_network(module)
    state = {key: value.clone() for key, value in module.state_dict().items()}
    copy = module.double().eval()
    seen: list[np.ndarray] = []

    def hook(_module: Any, given: tuple[Any, ...], _result: Any) -> None:
        seen.append(given[0].detach().numpy().ravel())

    handles = [
        m.register_forward_hook(hook)
        for m in copy.modules()
        if isinstance(m, nn.ReLU | nn.LeakyReLU | nn.PReLU)
    ]
    rng = np.random.default_rng(1)
    for _ in range(8):
        x = rng.normal(size=inputs or net.input_dimension)
        seen.clear()
        with torch.no_grad():
            y = copy(torch.from_numpy(x)[None]).numpy().ravel()
        np.testing.assert_allclose(net.forward(x), y, rtol=1e-12, atol=1e-12)
        if catch:
            theirs = np.concatenate([np.zeros(0), *seen])
            ours = np.concatenate([np.zeros(0), *net.preactivations(x)])
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
            assert np.array_equal(net.pattern(x).bits, theirs > 0)
    for handle in handles:
        handle.remove()
    for key, value in module.state_dict().items():
        assert torch.equal(value.to(state[key].dtype), state[key])
    return net


def trained_batch_norm(size: int) -> Any:
    layer = nn.BatchNorm1d(size)
    rng = np.random.default_rng(size)
    for name, values in (
        ("running_mean", rng.normal(size=size)),
        ("running_var", rng.uniform(0.5, 2, size=size)),
        ("weight", rng.normal(size=size)),
        ("bias", rng.normal(size=size)),
    ):
        getattr(layer, name).data = torch.tensor(values, dtype=torch.float32)
    return layer


def test_nested_sequential_keeps_the_weights() -> None:
    module = nn.Sequential(
        nn.Flatten(),
        nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Identity()),
        nn.Linear(5, 4, bias=False),
        nn.LeakyReLU(0.125),
        nn.Sequential(nn.Linear(4, 4), nn.PReLU(4)),
        nn.PReLU(),
        nn.Linear(4, 2),
    )
    weight = module[1][0].weight.detach().numpy().copy()
    net = agree(module)
    assert net.architecture == (3, 5, 4, 4, 4, 2)
    assert np.array_equal(net.weights[0], weight)
    assert np.array_equal(net.slopes[1], np.full(4, 0.125))
    assert net.name == "Sequential"
    assert net.notes == ()
    assert load_network(module, name="mine").name == "mine"


def test_units_before_the_first_layer_and_after_the_last() -> None:
    net = agree(nn.Sequential(nn.ReLU(), nn.Linear(2, 3), nn.ReLU()))
    assert net.widths == (2, 3)
    assert any("ends in a ReLU" in note for note in net.notes)


def test_batch_norm_is_folded_and_noted() -> None:
    module = nn.Sequential(
        nn.Linear(3, 4), trained_batch_norm(4), nn.ReLU(), trained_batch_norm(4), nn.Linear(4, 2)
    )
    net = agree(module.eval())
    assert any("BatchNorm1d '1'" in note and "rounded" in note for note in net.notes)
    assert not any("training" in note for note in net.notes)


def test_batch_norm_without_parameters() -> None:
    agree(nn.Sequential(nn.BatchNorm1d(3, affine=False), nn.Linear(3, 2)).eval())


@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.BatchNorm1d(4)])
def test_training_mode_is_noted_and_kept(layer: Any) -> None:
    module = nn.Sequential(nn.Linear(3, 4), layer.train(), nn.ReLU(), nn.Linear(4, 2))
    net = load_network(module)
    assert module.training
    assert layer.training
    assert any("training mode" in note for note in net.notes)


@pytest.mark.parametrize("head", [nn.Softmax(dim=1), nn.LogSoftmax(dim=1), nn.Sigmoid()])
def test_heads_are_left_out_with_a_note(head: Any) -> None:
    net = load_network(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), head))
    assert net.architecture == (3, 4, 2)
    assert any("output head" in note for note in net.notes)
    with pytest.raises(NetworkError, match="comes after it"):
        load_network(nn.Sequential(nn.Linear(3, 4), head, nn.Linear(4, 2)))


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_every_precision_is_widened_exactly(kind: str) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).to(getattr(torch, kind))
    net = load_network(module)
    assert np.array_equal(net.weights[0], module[0].weight.detach().double().numpy())


class Chain(nn.Module):
    """A forward of every supported kind."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(4, 5), nn.ReLU())
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(5, 4)
        self.last = nn.Linear(4, 3)
        self.weight = nn.Parameter(torch.full((2, 3), 0.5))

    def forward(self, x: Any) -> Any:
        x = x.view(x.size(0), -1)
        x = self.drop(self.block(x))
        x = functional.leaky_relu(self.fc(x), negative_slope=0.25)
        x = functional.dropout(x, 0.5, self.training).reshape(-1, 4).contiguous()
        x = torch.relu(self.last(torch.flatten(x, 1))).view(x.shape[0], 3)
        return functional.linear(x.relu(), self.weight)


class Nested(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Chain()
        self.out = nn.Linear(2, 2)

    def forward(self, x: Any) -> Any:
        return functional.softmax(self.out(functional.relu(self.inner(x))), dim=1)


def test_modules_with_a_forward_of_their_own() -> None:
    net = agree(Chain(), catch=False)
    assert net.architecture == (4, 5, 4, 3, 3, 2)
    assert np.array_equal(net.slopes[1], np.full(4, 0.25))
    assert any("training mode" in note for note in net.notes)
    inner = load_network(nn.Sequential(Chain().eval(), nn.Linear(2, 1)))
    assert inner.architecture == (4, 5, 4, 3, 3, 1)
    nested = load_network(Nested().eval())
    assert nested.architecture == (4, 5, 4, 3, 3, 2, 2)
    assert len(nested.notes) == 1


def test_traced_modules_may_share_units() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.act = nn.Linear(2, 3), nn.Linear(3, 3), nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.b(self.act(self.b(self.act(self.a(x)))))

    assert agree(Shared()).widths == (3, 3)


def of(forward: Callable[[Any, Any], Any], **parts: Any) -> Any:
    """A module with the given forward."""

    class Custom(nn.Module):
        def forward(self, x: Any) -> Any:
            return forward(self, x)

    module = Custom()
    module.fc = nn.Linear(3, 3)
    for name, part in parts.items():
        setattr(module, name, part)
    return module


@pytest.mark.parametrize(
    ("module", "kind", "message"),
    [
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.Tanh()), NetworkError, "Tanh '1'"),
        (lambda: nn.Sequential(nn.Sequential(nn.GELU())), NetworkError, "GELU '0.0'"),
        (lambda: nn.Sequential(nn.ReLU6()), NetworkError, "ReLU6 '0'"),
        (lambda: nn.Sequential(nn.Conv2d(1, 1, 2)), NetworkError, "torch.onnx.export"),
        (lambda: nn.Sequential(nn.Flatten(0, 1), nn.Linear(2, 2)), NetworkError, "Flatten '0'"),
        (lambda: nn.Sequential(nn.ReLU()), NetworkError, "no Linear layer"),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 1)), NetworkError, "'1' takes 2"),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.PReLU(2)), NetworkError, "'1' takes 2"),
        (lambda: nn.BatchNorm1d(3, track_running_stats=False), NetworkError, "running statistics"),
        (lambda: nn.Sequential(nn.LazyLinear(2)), NetworkError, "no weights yet"),
        (lambda: nn.Sequential(nn.Linear(2, 2, device="meta")), NetworkError, "no weights yet"),
        (lambda: nn.ModuleList([nn.Linear(2, 2)]), NetworkError, "ModuleList"),
        (lambda: of(lambda m, x: m.fc(x) + x), NetworkError, "add"),
        (lambda: of(lambda m, x: m.fc(x.relu()) + x), NetworkError, "add"),
        (lambda: of(lambda m, x: m.fc(torch.tanh(x))), NetworkError, "tanh"),
        (lambda: of(lambda m, x: functional.leaky_relu(x, m.fc.bias)), NetworkError, "slope"),
        (lambda: of(lambda m, x: (m.fc(x), x)), UnsupportedError, "does not chain"),
        (lambda: of(lambda m, x: m.fc(x.reshape(3, -1))), NetworkError, "may mix samples"),
        (lambda: of(lambda m, x: m.fc(x.view(x.size(1), 3))), NetworkError, "may mix samples"),
        (lambda: of(lambda m, x: m.fc(x.flatten(2))), NetworkError, "flatten"),
        (lambda: of(lambda m, x: functional.linear(x, m.fc.weight * 2)), UnsupportedError, "'mul'"),
        (lambda: of(lambda m, x: functional.linear(x, x)), NetworkError, "computed"),
        (lambda: of(lambda m, x: m.fc(x) if x.sum() > 0 else x), NetworkError, "cannot be traced"),
        (lambda: nn.Linear(3, 2, dtype=torch.complex64), NetworkError, "complex"),
        (lambda: of(lambda m, x: (x.relu_(), m.fc(x))[1]), UnsupportedError, "does not chain"),
    ],
)  # fmt: skip
def test_refusals_name_the_part(
    module: Callable[[], Any], kind: type[InputError], message: str
) -> None:
    made = module()
    with pytest.raises(kind) as caught:
        load_network(made)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_subclass_with_another_forward_is_not_its_base() -> None:
    class Doubled(nn.Linear):
        def forward(self, x: Any) -> Any:
            return 2 * super().forward(x)

    with pytest.raises(InputError, match="Doubled"):
        load_network(nn.Sequential(Doubled(2, 2)))

    class Renamed(nn.Linear):
        pass

    assert load_network(nn.Sequential(Renamed(2, 2))).architecture == (2, 2)
    patched = nn.Linear(2, 2)
    patched.forward = lambda x: x
    with pytest.raises(NetworkError, match="forward of its own on the instance"):
        load_network(patched)


def test_parametrised_weights_are_the_effective_ones() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    net = load_network(nn.Sequential(layer))
    assert np.array_equal(net.weights[0], layer.weight.detach().double().numpy())


def test_hooks_are_noted() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].register_forward_hook(lambda *_: None)
    assert any("hooks" in note for note in load_network(module).notes)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_compiled_modules() -> None:
    with pytest.raises(NetworkError, match="TorchScript"):
        load_network(torch.jit.script(nn.Sequential(nn.Linear(2, 2))))


def test_several_inputs() -> None:
    class Two(nn.Module):
        def forward(self, x: Any, y: Any) -> Any:
            return x

    with pytest.raises(NetworkError, match="several inputs"):
        load_network(Two())


def test_torch_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Linear(2, 2)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"milpcount\[torch\]"):
        from_torch(module)
