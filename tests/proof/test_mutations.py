"""Damaged certificates are refused: by the checksum, and, where that is set right, by the proof."""

from __future__ import annotations

import copy
import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from tests.proof.tools import FIXED, Certificate, Step, read
from tests.shared import net, random_net

BOX = mc.Box(-1, 1)
WIDTHS = [3, 6, 5, 1]


def _network(seed: int = 0) -> mc.ReLUNetwork:
    return random_net(np.random.default_rng(seed), WIDTHS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A valid certificate of ``_network()`` over ``BOX``."""
    path = tmp_path / "certificate"
    mc.count(_network(), BOX, certificate=path)
    assert mc.verify(path, _network()).header.relation == "=="
    return path


def _read(path: Path) -> Certificate:
    return read(path, 3, 6, 11)


def _refused(path: Path, certificate: Certificate, match: str | None = None) -> None:
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match=match):
        mc.verify(path, _network(), BOX)


def test_taking_apart_and_putting_together_changes_nothing(path: Path) -> None:
    before = mc.verify(path, _network())
    _read(path).write(path)
    assert mc.verify(path, _network(), BOX).regions == before.regions


def test_every_changed_bit_is_refused(path: Path) -> None:
    data = path.read_bytes()
    chosen = random.Random(0)
    places = {*range(60), *range(len(data) - 40, len(data))}
    places |= set(chosen.sample(range(len(data)), 400))
    for place in sorted(places):
        changed = bytearray(data)
        changed[place] ^= 1 << chosen.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(mc.CertificateError):
            mc.verify(path, _network())


def test_files_that_are_cut_short_or_too_long_are_refused(path: Path) -> None:
    data = path.read_bytes()
    for size in (0, 1, 7, 8, 53, 54, 80, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(mc.CertificateError):
            mc.verify(path, _network())
    path.write_bytes(data + b"\0")
    with pytest.raises(mc.CertificateError):
        mc.verify(path, _network())
    # Something between the segments and a right checksum.
    body = data[:-32] + b"more"
    path.write_bytes(body + hashlib.sha256(body).digest())
    with pytest.raises(mc.CertificateError, match="between the segments and the end"):
        mc.verify(path, _network())


def test_announced_sizes_are_not_believed(path: Path) -> None:
    data = path.read_bytes()[:-32]
    for place, value in ((FIXED.size, 2**31), (FIXED.size + 4, 2**31), (FIXED.size + 4, 5)):
        body = data[:place] + value.to_bytes(4, "little") + data[place + 4 :]
        path.write_bytes(body + hashlib.sha256(body).digest())
        with pytest.raises(mc.CertificateError):
            mc.verify(path, _network())
    certificate = _read(path)
    # 2^32 - 1 inputs.
    certificate.domain = b"\0" + b"\xff" * 4
    _refused(path, certificate)
    certificate.domain = b"\1" + b"\xff" * 8
    _refused(path, certificate)
    certificate.domain = b"\0" * 5
    _refused(path, certificate, "0 inputs, the network 3")


def test_numbers_out_of_range_are_refused(path: Path, tmp_path: Path) -> None:
    certificate = _read(path)
    k = _places(certificate, 0)[0]
    certificate.steps[k].size, certificate.steps[k].numbers = 0, [0, 0, 0]
    _refused(path, certificate, "at least one byte")
    # A network without units, whose nodes take no bytes.
    affine = mc.ReLUNetwork([[[1.0]]], [[0.0]])
    mc.count(affine, BOX, certificate=path)
    certificate = read(path, 0, 0, 0)  # nothing depends on the input
    certificate.segments[0] = ([b""] * 10**6, certificate.steps)
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match="nodes are too many for it"):
        mc.verify(path, affine)
    # A point given by the weights of no units: the middle of the box, and a region.
    certificate.segments[0] = ([b""], [Step(1, numbers=[0])])
    certificate.write(path)
    assert mc.verify(path, affine).regions == 1
    certificate.segments[0] = ([b""], [Step(1, numbers=[10**6])])
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match="exponent"):
        mc.verify(path, affine)


def test_another_network_is_refused(path: Path) -> None:
    with pytest.raises(mc.CertificateError, match="another network"):
        mc.verify(path, _network(1))
    # Even where its hash is put in.
    valid = _read(path)
    for seed in range(1, 6):
        certificate = copy.deepcopy(valid)
        certificate.fixed[3] = bytes.fromhex(_network(seed).sha256)
        certificate.write(path)
        with pytest.raises(mc.CertificateError):
            mc.verify(path, _network(seed))
    # One weight changed by as little as floats allow.
    weights = [w.copy() for w in _network().weights]
    weights[0][0, 0] = np.nextafter(weights[0][0, 0], 2)
    with pytest.raises(mc.CertificateError, match="another network"):
        mc.verify(path, mc.ReLUNetwork(weights, _network().biases))


def test_another_domain_is_refused(path: Path) -> None:
    with pytest.raises(mc.CertificateError, match="another domain"):
        mc.verify(path, _network(), mc.Box(-1, 1.0000001))
    with pytest.raises(mc.CertificateError, match="another domain"):
        mc.verify(path, _network(), mc.WholeSpace())
    # A certificate that names another box is refused by the proof.
    valid = _read(path)
    for lo, hi in ((-2.0, 1.0), (-1.0, 0.5), (-np.inf, 1.0), (1.0, 1.0), (1.0, -1.0), (np.nan, 1)):
        certificate = copy.deepcopy(valid)
        ends = np.array([[lo] * 3, [hi] * 3])
        certificate.domain = b"\0" + (3).to_bytes(4, "little") + ends.astype("<f8").tobytes()
        certificate.write(path)
        with pytest.raises(mc.CertificateError):
            mc.verify(path, _network())


def test_another_statement_is_refused(path: Path) -> None:
    count = mc.verify(path, _network()).regions
    valid = _read(path)
    for relation, stated in ((0, count - 1), (0, count + 1), (1, count + 1), (2, count - 1)):
        certificate = copy.deepcopy(valid)
        certificate.fixed[1:3] = [relation, stated]
        _refused(path, certificate, "states")
    for relation in (1, 2):
        certificate = copy.deepcopy(valid)
        certificate.fixed[1] = relation
        certificate.write(path)
        assert mc.verify(path, _network()).regions == count
    for place in (5, 6):  # output units, a list
        certificate = copy.deepcopy(valid)
        certificate.fixed[place] = 1
        _refused(path, certificate)
    for value in (2, 255):
        certificate = copy.deepcopy(valid)
        certificate.fixed[4] = value
        _refused(path, certificate, "no such statement")


def test_the_definitions_are_told_apart(tmp_path: Path) -> None:
    # Three lines through a point: 6 sectors, and the point has a pattern of its own.
    network = net(([[1, 0], [0, 1], [-1, -1]], [0, 0, 0]))
    for code, definition, other in ((0, "full", 1), (1, "nonempty", 0)):
        path = tmp_path / definition
        mc.count(network, BOX, definition=definition, certificate=path)
        certificate = read(path, 2, 3, 3)
        assert certificate.fixed[2] == 6 + code
        assert certificate.fixed[4] == code
        certificate.fixed[4] = other
        certificate.write(path)
        with pytest.raises(mc.CertificateError):
            mc.verify(path, network)


def _places(certificate: Certificate, *codes: int) -> list[int]:
    return [k for k, step in enumerate(certificate.steps) if step.code in codes]


def _drop(c: Certificate, k: int) -> None:
    del c.steps[k]


def _double(c: Certificate, k: int) -> None:
    c.steps.insert(k, copy.deepcopy(c.steps[k]))


def _swap_signs(c: Certificate, k: int) -> None:
    c.steps[k].code ^= 1


def _swap_witnesses(c: Certificate, k: int) -> None:
    leaves = _places(c, 0)
    other = leaves[(leaves.index(k) + 1) % len(leaves)]
    a, b = c.steps[k], c.steps[other]
    a.numbers, b.numbers, a.size, b.size = b.numbers, a.numbers, b.size, a.size


def _copy_witness(c: Certificate, k: int) -> None:
    leaves = _places(c, 0)
    c.steps[k] = copy.deepcopy(c.steps[leaves[leaves.index(k) - 1]])


def _mirror_witness(c: Certificate, k: int) -> None:
    step = c.steps[k]
    step.numbers = [256**step.size - 1 - v for v in step.numbers]


def _scale(c: Certificate, k: int) -> None:
    for term in c.steps[k].terms:
        term[1] += 8


def _shrink(c: Certificate, k: int) -> None:
    for term in c.steps[k].terms:
        term[1] -= 30


def _no_terms(c: Certificate, k: int) -> None:
    c.steps[k].terms = []


def _zero(c: Certificate, k: int) -> None:
    c.steps[k].terms[0][2] = 0


def _other_row(c: Certificate, k: int) -> None:
    c.steps[k].terms[0][0] += 1


def _row_out_of_range(c: Certificate, k: int) -> None:
    c.steps[k].terms[0][0] = 11


def _own_row(c: Certificate, k: int) -> None:
    # The row whose sign is to be proved, with the sign that is wished.
    c.steps[k].terms = [[c.steps[k].place, 40, 1]]


def _huge_exponent(c: Certificate, k: int) -> None:
    c.steps[k].terms[0][1] = 10**12


def _other_place(c: Certificate, k: int) -> None:
    c.steps[k].place = (c.steps[k].place + 1) % 5


def _place_out_of_range(c: Certificate, k: int) -> None:
    c.steps[k].place = 50


def _unwitnessed(c: Certificate, k: int) -> None:
    c.steps[k] = Step(3)


def _emptied(c: Certificate, k: int) -> None:
    c.steps[k] = Step(8)


def _unknown(c: Certificate, k: int) -> None:
    c.steps[k] = Step(9)


SUMS, POINTS, BRANCHES = (6, 7), (0,), (4, 5)


@pytest.mark.parametrize(
    ("codes", "damage"),
    [
        (SUMS, _drop),
        (POINTS, _drop),
        (BRANCHES, _drop),
        (SUMS, _double),
        (POINTS, _double),
        (BRANCHES, _double),
        (SUMS, _swap_signs),
        (BRANCHES, _swap_signs),
        (POINTS, _swap_witnesses),
        (POINTS, _copy_witness),
        (POINTS, _mirror_witness),
        (SUMS, _scale),
        (SUMS, _shrink),
        (SUMS, _no_terms),
        (SUMS, _zero),
        (SUMS, _row_out_of_range),
        (SUMS, _own_row),
        (SUMS, _huge_exponent),
        (SUMS, _place_out_of_range),
        (BRANCHES, _place_out_of_range),
        (POINTS, _unwitnessed),
        (POINTS, _emptied),
        (POINTS, _unknown),
        (SUMS, _unknown),
        (BRANCHES, _unknown),
    ],
    ids=lambda v: getattr(v, "__name__", None) or "-".join(map(str, v)),
)
def test_damage_at_every_step(
    path: Path, codes: tuple[int, ...], damage: Callable[[Certificate, int], None]
) -> None:
    certificate = _read(path)
    places = _places(certificate, *codes)
    if codes == SUMS:
        # Sums without terms stand for themselves; there is nothing to damage.
        places = [k for k in places if certificate.steps[k].terms]
    refused = 0
    for k in places[::3] or places:
        changed = copy.deepcopy(certificate)
        damage(changed, k)
        if changed == certificate:
            continue
        changed.write(path)
        try:
            proved = mc.verify(path, _network(), BOX)
        except mc.CertificateError as error:
            # The place, or the count that does not come out.
            refused += "segment 0, byte" in str(error) or "states" in str(error)
        else:
            # Rows may be scaled, or left out, without loss; the statement is the true one.
            assert damage in (_scale, _shrink, _no_terms), (damage, k)
            assert proved.regions == certificate.fixed[2]
    assert refused


def test_a_dropped_subtree_is_refused(path: Path) -> None:
    certificate = _read(path)
    for k in _places(certificate, *BRANCHES)[:20]:
        changed = copy.deepcopy(certificate)
        depth, end = 1, k
        while depth:
            code = changed.steps[end].code
            depth += 1 if code in BRANCHES else -1 if code in (0, 1, 2, 3, 8) else 0
            end += 1
        removed = sum(step.code in (0, 1, 2) for step in changed.steps[k:end])
        # Left out, or declared empty, with the count made to fit.
        for stead in ([], [Step(8)], [Step(8, terms=[[0, 0, 1]])]):
            damaged = copy.deepcopy(changed)
            damaged.steps[k:end] = copy.deepcopy(stead)
            damaged.fixed[2] = certificate.fixed[2] - removed  # type: ignore[operator]
            _refused(path, damaged)


def test_nodes_are_opened_once_and_closed(path: Path) -> None:
    certificate = _read(path)
    nodes, steps = certificate.segments[0]
    # The whole tree twice, and a part of it twice.
    twice = copy.deepcopy(certificate)
    twice.segments.append(copy.deepcopy(twice.segments[0]))
    twice.fixed[2] = 2 * certificate.fixed[2]  # type: ignore[operator]
    _refused(path, twice, "was not left open")
    double = copy.deepcopy(certificate)
    double.segments[0] = (nodes * 2, steps * 2)
    double.fixed[2] = 2 * certificate.fixed[2]  # type: ignore[operator]
    _refused(path, double, "was not left open")
    # Nothing opened, nothing said.
    empty = copy.deepcopy(certificate)
    empty.segments = []
    empty.fixed[2] = 0
    _refused(path, empty, "left open")
    # The root closed in one segment and the rest in another is fine; in the wrong order it is not.
    split = copy.deepcopy(certificate)
    split.segments = [(nodes, steps[:0]), (nodes, steps)]
    split.write(path)
    assert mc.verify(path, _network()).regions == certificate.fixed[2]
    for bad in (b"\xff\xff\xff", b"\x00\x00\xc0", b"\x00\x00\x10"):
        broken = copy.deepcopy(certificate)
        broken.segments[0] = ([bad], steps)
        _refused(path, broken)


CONE = net(([[1, 0], [0, 1], [-1, -1]], [0, 0, 0]))
FACE = net(([[1, 0], [0, 1], [1, 1]], [-1, 1, 0]), ([[1, -1, 1], [1, 1, 0]], [0, -1]))


@pytest.mark.parametrize(
    ("network", "sizes", "definition"),
    [
        (_network(), (3, 6, 11), "full"),
        (CONE, (2, 3, 3), "full"),
        (CONE, (2, 3, 3), "nonempty"),
        (FACE, (2, 3, 5), "full"),
        (FACE, (2, 3, 5), "nonempty"),
    ],
    ids=["general", "cone-full", "cone-nonempty", "face-full", "face-nonempty"],
)
def test_no_damage_makes_a_false_count_true(
    tmp_path: Path, network: mc.ReLUNetwork, sizes: tuple[int, int, int], definition: str
) -> None:
    """Random changes of steps: what is still accepted states the true count."""
    path = tmp_path / "c"
    mc.count(network, BOX, definition=definition, certificate=path)
    true = mc.count(network, BOX, definition=definition, engine="brute").lower
    certificate = read(path, *sizes)
    assert certificate.fixed[2] == true
    chosen = random.Random(1)
    accepted = 0
    for _ in range(400):
        changed = copy.deepcopy(certificate)
        for _ in range(chosen.choice((1, 1, 2, 5))):
            _change(changed.steps, sizes[2], chosen)
        # The count that it has now, or one beside the true one.
        now = sum(step.code in (0, 1, 2) for step in changed.steps)
        changed.fixed[2] = chosen.choice((now, now, max(0, true - 1), true + 1))
        changed.write(path)
        try:
            proved = mc.verify(path, network)
        except mc.CertificateError:
            continue
        assert proved.header.count == true
        accepted += 1
    # A last bit of a multiplier may well be changed without loss.
    assert accepted


def _change(steps: list[Step], units: int, chosen: random.Random) -> None:
    """One random change."""
    if not steps:
        return
    k, other, what = chosen.randrange(len(steps)), chosen.randrange(len(steps)), chosen.randrange(9)
    step = steps[k]
    if what == 0:
        del steps[k]
    elif what == 1:
        steps.insert(other, copy.deepcopy(step))
    elif what == 2:
        steps[k], steps[other] = steps[other], steps[k]
    elif what == 3:
        step.code = {4: 5, 5: 4, 6: 7, 7: 6}.get(step.code, step.code)
    elif what == 4 and step.terms:
        chosen.choice(step.terms)[2] = chosen.randrange(256**step.size)
    elif what == 5 and step.terms:
        chosen.choice(step.terms)[0] = chosen.randrange(units)
    elif what == 6 and step.terms:
        del step.terms[chosen.randrange(len(step.terms))]
    elif what == 7 and step.code in (0, 2):
        # A region that is declared empty.
        rows = chosen.sample(range(units), chosen.randrange(4))
        steps[k] = Step(8, terms=[[row, 0, chosen.randrange(1, 4)] for row in rows])
    elif what == 7 and step.code in (4, 5):
        # A branch that is declared closed.
        steps[k] = Step(chosen.choice((6, 7)), place=step.place)
    elif step.numbers:
        place = chosen.randrange(len(step.numbers))
        step.numbers[place] = chosen.randrange(256**step.size)


def test_exact_witnesses_are_checked(tmp_path: Path) -> None:
    # A point where all lines meet, for the definition nonempty: a rational witness.
    network = net(([[1, 0], [0, 1], [-1, -1]], [0, 0, 0]))
    path = tmp_path / "c"
    mc.count(network, BOX, definition="nonempty", certificate=path)
    certificate = read(path, 2, 3, 3)
    places = [k for k, step in enumerate(certificate.steps) if step.code == 2]
    assert places
    for k in places:
        d = certificate.steps[k].numbers[0]
        for numbers in ([0, 0, 0], [d, -1, 0], [d, 2 * d, 0], [d, 0, d + 1]):
            changed = copy.deepcopy(certificate)
            changed.steps[k].numbers = numbers
            changed.write(path)
            with pytest.raises(mc.CertificateError):
                mc.verify(path, network)


def test_the_box_around_a_polytope_is_proved(tmp_path: Path) -> None:
    network = random_net(np.random.default_rng(0), [2, 5, 1])
    triangle = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
    path = tmp_path / "c"
    regions = mc.count(network, triangle, certificate=path).lower
    assert mc.verify(path, network, triangle).regions == regions
    certificate = read(path, 2, 5, 5)
    start = 9 + 8 * 9 + 1 + 8 * 4  # sizes, A and c, the flag, the box; then the weights
    last = [k for k in range(start, len(certificate.domain)) if certificate.domain[k] < 128]
    ends = [start, *(k + 1 for k in last)]
    assert len(ends) == 4 * 4 + 1
    for end in range(4):
        for damage in (b"\0\0\0\0", b"\0\0\0\1", b"\1\1\1\0", b"\0\0\0\x7f"):
            changed = copy.deepcopy(certificate)
            head, tail = changed.domain[: ends[4 * end]], changed.domain[ends[4 * end + 4] :]
            changed.domain = head + damage + tail
            changed.write(path)
            with pytest.raises(mc.CertificateError, match=f"end {end} of the box"):
                mc.verify(path, network)
    # A box that is too small, one that is flat, one without end, one upside down.
    for low, high in ((0.0, 0.5), (0.5, 0.5), (-np.inf, 2.0), (0.0, np.inf), (1.0, 0.0)):
        floats = np.array([low, low, high, high]).astype("<f8").tobytes()
        changed = copy.deepcopy(certificate)
        changed.domain = changed.domain[: start - 32] + floats + changed.domain[start:]
        changed.write(path)
        with pytest.raises(mc.CertificateError, match="the domain"):
            mc.verify(path, network)


def test_many_inputs_damaged(tmp_path: Path) -> None:
    """Witnesses by weights, and sums over the first layer's pre-activations."""
    network = random_net(np.random.default_rng(3), [40, 5, 4, 1])
    path = tmp_path / "c"
    mc.count(network, BOX, certificate=path)
    certificate = read(path, 40, 5, 9)
    points = [k for k, step in enumerate(certificate.steps) if step.code == 1]
    sums = [k for k, step in enumerate(certificate.steps) if step.terms]
    for k in points[::5]:
        for damage in (0, 1):
            changed = copy.deepcopy(certificate)
            numbers = changed.steps[k].numbers
            numbers[1:] = [-w for w in numbers[1:]] if damage else [0] * 5
            changed.write(path)
            with pytest.raises(mc.CertificateError, match="other signs than its node"):
                mc.verify(path, network)
        changed = copy.deepcopy(certificate)
        changed.steps[k].numbers[0] = 10**9
        changed.write(path)
        with pytest.raises(mc.CertificateError, match="exponent"):
            mc.verify(path, network)
    refused = 0
    for k in sums[::5]:
        changed = copy.deepcopy(certificate)
        changed.steps[k].code = {6: 7, 7: 6, 8: 3}[changed.steps[k].code]
        if changed.steps[k].code == 3:
            continue
        changed.write(path)
        with pytest.raises(mc.CertificateError):
            mc.verify(path, network)
        refused += 1
    assert refused
