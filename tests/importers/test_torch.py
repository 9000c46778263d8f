"""PyTorch modules against PyTorch itself: outputs, and pre-activations caught with hooks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from milpcount.core.matrix import SparseMatrix
from milpcount.core.network import ReLUNetwork
from milpcount.errors import InputError, MissingDependencyError, NetworkError, UnsupportedError
from milpcount.importers import load_network
from milpcount.importers.torch.module import from_torch

torch = pytest.importorskip("torch", reason="the package torch is not installed")
nn, functional = torch.nn, torch.nn.functional


UNITS = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.Hardtanh)


def agree(
    module: Any,
    shape: tuple[int, ...] | None = None,
    *,
    catch: bool = True,
    head: Callable[[np.ndarray], np.ndarray] = np.ravel,
) -> ReLUNetwork:
    """Load a module and compare it with itself in double precision, units included."""
    torch.manual_seed(0)
    net = load_network(module, input_shape=shape)
    state = {key: value.clone() for key, value in module.state_dict().items()}
    copy = module.double().eval()
    seen: list[np.ndarray] = []

    def hook(part: Any, given: tuple[Any, ...], _result: Any) -> None:
        g = given[0].detach().numpy().ravel().copy()
        ends = (part.min_val, part.max_val) if isinstance(part, nn.Hardtanh) else (0.0,)
        seen.extend(g - end for end in ends)

    handles = [
        m.register_forward_pre_hook(lambda part, given: hook(part, given, None))
        for m in copy.modules()
        if isinstance(m, UNITS)
    ]
    rng = np.random.default_rng(1)
    for _ in range(8):
        x = rng.normal(size=net.input_dimension)
        seen.clear()
        with torch.no_grad():
            y = copy(torch.from_numpy(x).reshape(1, *(shape or (-1,)))).numpy().ravel()
        np.testing.assert_allclose(head(net.forward(x)), y, rtol=1e-11, atol=1e-11)
        if catch:
            theirs = np.concatenate([np.zeros(0), *seen])
            pre = net.preactivations(x)
            units = [g[~s.linear] for g, s in zip(pre, net.stages, strict=True)]
            ours = np.concatenate([np.zeros(0), *units])
            if not net.is_chain:  # stages may bring together units from here and there
                ours, theirs = np.sort(ours), np.sort(theirs)
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)
            assert np.count_nonzero(net.pattern(x).bits) == np.count_nonzero(theirs > 0)
            if net.is_chain:
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
    assert any("BatchNorm1d '1'" in note and "no float64" in note for note in net.notes)
    assert net.counted_widths == (0, 4, 0)
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
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)), NetworkError,
         "Tanh '1' is not piecewise linear, and Linear '2' comes after it"),
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.GELU(), nn.ReLU())), NetworkError,
         "GELU '1.0'"),
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2)), NetworkError, "LSTM '1'"),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.Unflatten(1, (1, 2, 2)), nn.MaxPool2d(2)),
         NetworkError, "MaxPool2d '2' is a maximum or minimum of several entries"),
        (lambda: nn.Sequential(nn.Conv2d(1, 1, 2)), NetworkError, "input_shape=(1, 28, 28)"),
        (lambda: nn.Sequential(nn.Flatten(0, 1), nn.Linear(2, 2)), UnsupportedError, "Flatten '0'"),
        (lambda: nn.Sequential(nn.ReLU()), NetworkError, "no Linear layer"),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 1)), NetworkError, "'1' takes 2"),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.PReLU(2)), NetworkError, "'1' takes 2"),
        (lambda: nn.BatchNorm1d(3, track_running_stats=False), NetworkError, "running statistics"),
        (lambda: nn.Sequential(nn.LazyLinear(2)), NetworkError, "no weights yet"),
        (lambda: nn.Sequential(nn.Linear(2, 2, device="meta")), NetworkError, "no weights yet"),
        (lambda: nn.ModuleList([nn.Linear(2, 2)]), NetworkError, "ModuleList"),
        (lambda: of(lambda m, x: m.fc(x) * x), NetworkError, "mul"),
        (lambda: of(lambda m, x: m.fc(torch.tanh(x))), NetworkError, "tanh"),
        (lambda: of(lambda m, x: functional.prelu(x, m.fc(x).flatten())), InputError, "flatten"),
        (lambda: of(lambda m, x: (m.fc(x), x)), NetworkError, "several results (0, 1)"),
        (lambda: of(lambda m, x: m.fc(x.reshape(3, -1))), UnsupportedError, "mixes the samples"),
        (lambda: of(lambda m, x: m.fc(x - x.mean(0))), UnsupportedError, "mixes the samples"),
        (lambda: of(lambda m, x: m.fc(x.view(x.size(1), 3))), NetworkError, "view"),
        (lambda: of(lambda m, x: functional.linear(x, x)), NetworkError, "computed"),
        (lambda: of(lambda m, x: m.fc(x) if x > 0 else x), InputError, "branches on"),
        (lambda: of(lambda m, x: m.fc(x.item())), InputError, "item"),
        (lambda: of(lambda m, x: m.gone(x)), NetworkError, "cannot be run"),
        (lambda: of(lambda m, x: torch.where(x > 0, x, x - 1)), NetworkError, "jumps"),
        (lambda: of(lambda m, x: m.fc(x[x > 0])), NetworkError, "chooses entries"),
        (lambda: of(lambda m, x: functional.threshold(x, 1, 0)), NetworkError, "jumps"),
        (lambda: of(lambda m, x: m.fc(torch.zeros(2, 3))), NetworkError, "does not depend"),
        (lambda: of(lambda m, x: (x[:, :2].relu_(), m.fc(x))[1]), NetworkError, "in place"),
        (lambda: nn.Linear(3, 2, dtype=torch.complex64), NetworkError, "complex"),
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

    doubled = nn.Sequential(Doubled(2, 2))
    net = load_network(doubled)
    assert np.array_equal(net.weights[0], 2 * doubled[0].weight.detach().double().numpy())

    class Renamed(nn.Linear):
        pass

    assert load_network(nn.Sequential(Renamed(2, 2))).architecture == (2, 2)
    patched = nn.Linear(2, 2)
    patched.forward = lambda x: x
    assert np.array_equal(load_network(patched).weights[0], np.eye(2))


def test_parametrised_weights_are_the_effective_ones() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    net = load_network(nn.Sequential(layer))
    assert np.array_equal(net.weights[0], layer.weight.detach().double().numpy())


class Residual(nn.Module):
    """A small residual network with what such networks are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 2, 3, padding=1, bias=False), nn.BatchNorm2d(2)
        self.conv2, self.bn2 = nn.Conv2d(2, 2, 3, padding="same"), nn.BatchNorm2d(2)
        self.down = nn.Conv2d(2, 3, 1, stride=2)
        self.conv3 = nn.Conv2d(2, 3, 3, stride=2, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Any) -> Any:
        if x.dim() == 3:
            x = x[None]
        x = self.act(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(x))
        out += x
        x = self.act(out)
        x = self.act(self.conv3(x) + self.down(x))
        return self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


def test_residual_convolutions() -> None:
    module = Residual()
    rng = np.random.default_rng(3)
    for bn in (module.bn1, module.bn2):
        bn.running_mean.data = torch.tensor(rng.normal(size=2), dtype=torch.float32)
        bn.running_var.data = torch.tensor(rng.uniform(0.5, 2, size=2), dtype=torch.float32)
    net = agree(module.eval(), (1, 4, 4))
    assert sum(net.counted_widths) == 32 + 32 + 12
    assert not net.is_chain


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: nn.Conv1d(2, 3, 3, stride=2, dilation=2, padding=2), (2, 9)),
        (lambda: nn.Conv2d(4, 4, (3, 2), groups=2, padding=(1, 0)), (4, 5, 4)),
        (lambda: nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), (1, 4, 4)),
        (lambda: nn.Conv2d(1, 2, 3, padding=2, padding_mode="circular"), (1, 4, 4)),
        (lambda: nn.Conv2d(1, 2, 3, padding=2, padding_mode="replicate"), (1, 4, 4)),
        (lambda: nn.Conv3d(1, 2, 2), (1, 3, 3, 3)),
        (lambda: nn.ConvTranspose2d(2, 4, 3, 2, 1, output_padding=1, groups=2), (2, 3, 3)),
        (lambda: nn.ConvTranspose1d(2, 1, 4, stride=3, dilation=2), (2, 3)),
        (lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True), (2, 6, 5)),
        (lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), (2, 6, 5)),
        (lambda: nn.AdaptiveAvgPool2d((3, 2)), (1, 5, 5)),
        (lambda: nn.AvgPool1d(2), (2, 6)),
        (lambda: nn.Upsample(scale_factor=2), (2, 2, 3)),
        (lambda: nn.Upsample(size=(5, 4), mode="nearest-exact"), (1, 2, 3)),
        (lambda: nn.ConstantPad2d((1, 0, 2, -1), 0.5), (1, 3, 3)),
        (lambda: nn.PixelShuffle(2), (4, 2, 3)),
        (lambda: nn.PixelUnshuffle(2), (1, 4, 6)),
        (lambda: nn.ChannelShuffle(3), (6, 2, 1)),
        (lambda: nn.Sequential(nn.Unflatten(1, (2, -1)), nn.Flatten(2)), (6, 2)),
    ],
)
def test_layers_of_images(layer: Callable[[], Any], shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    agree(nn.Sequential(layer(), nn.ReLU()), shape)


@pytest.mark.parametrize(
    "unit",
    [
        lambda m, x: functional.relu6(3 * m.fc(x)),
        lambda m, x: functional.hardtanh(m.fc(x), -0.25, 0.5),
        lambda m, x: functional.hardsigmoid(4 * m.fc(x)),
        lambda m, x: m.fc(x).abs(),
        lambda m, x: abs(m.fc(x) - 1),
        lambda m, x: torch.clamp(m.fc(x), max=0.25),
        lambda m, x: m.fc(x).clamp(-0.5, 0.25),
        lambda m, x: torch.maximum(m.fc(x), torch.tensor([0.25, 0.0, -1.0], dtype=m.fc.bias.dtype)),
        lambda m, x: torch.maximum(m.fc(x), x),
        lambda m, x: torch.min(m.fc(x), 0.5 - x),
        lambda m, x: functional.softshrink(m.fc(x), 0.25),
        lambda m, x: functional.threshold(m.fc(x), 0.25, 0.25),
        lambda m, x: functional.rrelu(m.fc(x), 0.25, 0.5),
        lambda m, x: torch.where(m.fc(x) > 0, m.fc(x), 0.5 * m.fc(x)),
        lambda m, x: torch.where(m.fc(x) > 0, m.fc(x), 0.1 * m.fc(x)),  # a product that rounds
        lambda m, x: torch.where(m.fc(x) <= 0, 0.1 * m.fc(x), 0.3 * m.fc(x)),
        lambda m, x: m.fc(x).masked_fill(m.fc(x) < 0, 0.0),
        lambda m, x: torch.where(x < 0.5, 0.5, x),
        lambda m, x: torch.where(~(x <= 0), 0.0 * x, -x),
        lambda m, x: m.fc(x) * (m.fc(x) > 0),
        lambda m, x: torch.max(m.fc(x), torch.zeros_like(x)),
        lambda m, x: torch.where(x > 1, torch.ones_like(x), x),
        lambda m, x: m.fc(x) * (m.fc(x) > 0).to(x.dtype),
    ],
)
def test_piecewise_linear_functions(unit: Callable[[Any, Any], Any]) -> None:
    torch.manual_seed(2)
    net = agree(of(lambda m, x: m.end(unit(m, x)), end=nn.Linear(3, 2)), catch=False)
    assert sum(net.counted_widths) in (3, 6)


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: torch.cat([x, m.fc(x).relu(), torch.relu(m.fc(m.fc(x).relu()))], dim=1),
        lambda m, x: torch.stack([m.fc(x), x], -1).sum(-1).relu().mean(1, keepdim=True),
        lambda m, x: sum(part.relu() for part in m.fc(x).chunk(3, 1)),
        lambda m, x: (2 - m.fc(x).t().relu().transpose(0, 1) / 3)[:, [2, 0]],
        lambda m, x: torch.einsum("bi,ij->bj", x, m.fc.weight).relu() @ m.fc.weight,
        lambda m, x: torch.addmm(m.fc.bias, x, m.fc.weight.t() * 2).relu(),
        lambda m, x: m.fc(x).relu_() + 1,
        lambda m, x: (x.relu_(), m.fc(x))[1],
        lambda m, x: m.fc(x)[:, None].expand(-1, 2, -1).reshape(x.shape[0], 6).relu(),
        lambda m, x: x.unsqueeze(1).repeat(1, 2, 1).flatten(1).flip(1).relu(),
        lambda m, x: functional.linear(x, functional.normalize(m.fc.weight)).relu(),
        lambda m, x: x + 0.1 * m.fc((0.3 * x).relu()),
        lambda m, x: torch.cat([x, torch.ones(x.size(0), 1), x.new_zeros(len(x), 2)], 1).relu(),
        lambda m, x: (x * np.float32(0.5) - torch.ones(3)).relu(),
        lambda m, x: torch.where(torch.arange(3) != 1, x, m.fc(x)).relu(),
        lambda m, x: m.fc(x).masked_fill(torch.tensor([True, False, False]), 0.5).relu(),
        lambda m, x: m.fc(x.unfold(1, 2, 1).flatten(1)[:, :3]).repeat_interleave(2, 1).relu(),
    ],
)
def test_forwards_of_known_operations(forward: Callable[[Any, Any], Any]) -> None:
    agree(of(forward).double(), catch=False)


def test_a_forward_for_one_sample() -> None:
    net = agree(of(lambda m, x: m.fc(x.view(1, 3)).relu()), catch=False)
    assert net.widths == (3,)


@pytest.mark.parametrize(
    ("end", "head"),
    [
        (lambda m, x: 2 * torch.tanh(m.fc(x)) + 1, lambda y: 2 * np.tanh(y) + 1),
        (lambda m, x: functional.softplus(m.fc(x)), lambda y: np.log1p(np.exp(y))),
        (lambda m, x: m.fc(x).exp() / m.fc(x).exp().sum(1, keepdim=True), None),
        (lambda m, x: functional.normalize(m.fc(x)), lambda y: y / np.linalg.norm(y)),
        (lambda m, x: torch.tanh(m.fc(x)).squeeze(-1).flatten(1), np.tanh),
    ],
)
def test_heads_of_functions(
    end: Callable[[Any, Any], Any], head: Callable[[np.ndarray], np.ndarray] | None
) -> None:
    net = agree(of(end), catch=False, head=head or (lambda y: np.exp(y) / np.exp(y).sum()))
    assert any("output head" in note for note in net.notes)


def test_one_of_several_results() -> None:
    module = of(lambda m, x: {"first": m.fc(x), "second": m.fc(x).relu()})
    assert load_network(module, output="first").widths == ()
    assert load_network(module, output="second").widths == (3,)


@pytest.mark.parametrize("shape", [(0,), (1, -2), (), ("a",)])
def test_shapes_that_are_none(shape: Any) -> None:
    with pytest.raises(NetworkError, match="input_shape"):
        load_network(nn.Linear(3, 2), input_shape=shape)


def test_a_large_convolution_is_sparse() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())
    net = load_network(module, input_shape=(1, 40, 40))
    assert all(isinstance(stage.weights[0], SparseMatrix) for stage in net.stages)
    x = np.random.default_rng(0).normal(size=1600)
    y = module.double()(torch.from_numpy(x).reshape(1, 1, 40, 40)).detach().numpy().ravel()
    np.testing.assert_allclose(net.forward(x), y, rtol=1e-11, atol=1e-11)


def test_hooks_are_noted() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].register_forward_hook(lambda *_: None)
    assert any("hooks" in note for note in load_network(module).notes)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_compiled_modules() -> None:
    with pytest.raises(NetworkError, match="is compiled"):
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
