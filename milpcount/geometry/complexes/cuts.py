"""Functions of the outputs whose signs refine a complex: levels, differences, the greatest one.

A cut appends counted units to the network: the refined complex is that of a larger network, and its
signs are exact like all others.  The outputs come as a linear stage, which passes them on as they
are; the stages after it have weights -1, 0 and 1, and the level as a bias, so nothing is rounded.

The greatest of several outputs is found in a tournament: ``m_1 = f_1``, ``u_k = f_{k+1} - m_k``,
``m_{k+1} = m_k + max(u_k, 0)``.  The signs of all ``u_k`` say which outputs attain the greatest
value: where ``u_k > 0`` output ``k + 1`` alone is ahead, where ``u_k = 0`` it joins those ahead.
Comparisons among losers cut more than is asked for; faces are joined again afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.gate import LinearGate, ReLUGate
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.stage import Stage
from milpcount.errors import DomainError, InputError
from milpcount.geometry.complexes.face_sets import FaceSet

__all__ = ["EVERYWHERE", "Cut", "cut_of", "leading", "refined", "require_no_plateau", "vanishes"]

Signs = NDArray[np.int8]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Cut:
    """A function of the outputs.

    Attributes:
        kind: "level" (one output against a number), "difference" (of two outputs), "argmax".
        outputs: which outputs it is made of; all for "argmax".
        level: the number.
    """

    kind: str
    outputs: tuple[int, ...]
    level: float = 0.0

    @property
    def columns(self) -> int:
        """Number of signs that name a face of the refined complex, beside those of the units."""
        return len(self.outputs) if self.kind == "argmax" else 1

    def __str__(self) -> str:
        if self.kind == "argmax":
            return "the greatest output"
        if self.kind == "difference":
            return f"output {self.outputs[0]} - output {self.outputs[1]}"
        return f"output {self.outputs[0]} at level {self.level:g}"


EVERYWHERE = Cut("positive", ())  # a unit that is 1


def cut_of(
    net: ReLUNetwork, output: Any = 0, level: Any = 0.0, outputs: Any = None, argmax: bool = False
) -> Cut:
    """What a user names, checked.

    Raises:
        InputError: no such output, no finite level, or arguments that exclude each other.
    """
    count = net.output_dimension
    if not isinstance(argmax, bool):
        raise InputError(f"argmax is True or False, not {argmax!r}")
    if argmax and outputs is not None:
        raise InputError("give outputs=(i, j) or argmax=True, not both")
    try:
        number = float(level)
    except (TypeError, ValueError) as error:
        raise InputError(f"the level is a number, not {level!r}") from error
    if not math.isfinite(number):
        raise InputError(f"the level must be finite, not {number}")
    if argmax:
        if count < 2:
            raise InputError(
                f"argmax compares outputs, and {net.name} has {count}; take output=0, level=0"
            )
        return Cut("argmax", tuple(range(count)))
    if outputs is not None:
        pair = tuple(outputs) if isinstance(outputs, tuple | list) else ()
        if len(pair) != 2:
            raise InputError(f"outputs names two outputs, (i, j), not {outputs!r}")
        i, j = (_output(o, count, net.name) for o in pair)
        if i == j:
            raise InputError(f"outputs ({i}, {j}) are one; name two different ones")
        return Cut("difference", (i, j))
    return Cut("level", (_output(output, count, net.name),), number)


def _output(value: Any, count: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"an output is named by a whole number, not {value!r}")
    if not 0 <= value < count:
        raise InputError(
            f"{name} has no output {value}: it has {count}, numbered from 0 to {count - 1}"
        )
    return int(value)


def refined(problem: CountProblem, cut: Cut) -> CountProblem:
    """The problem whose last units have the signs of the cut."""
    net = problem.network
    stages = list(net.stages)
    if problem.with_output:
        stages.append(net.output.as_relu())
    count = net.output_dimension
    stages.append(Stage(net.output.reads, net.output.weights, net.output.bias, LinearGate(count)))
    values = len(stages)  # the stage that holds the outputs
    if cut is EVERYWHERE:
        last = Stage((values,), (np.zeros((1, count)),), np.ones(1), LinearGate(1))
    elif cut.kind != "argmax":
        row = np.zeros((1, count))
        row[0, cut.outputs[0]] = 1.0
        if cut.kind == "difference":
            row[0, cut.outputs[1]] = -1.0
        last = Stage((values,), (row,), np.array([-cut.level]), LinearGate(1))
    else:
        for k in range(1, count):
            row = np.zeros((1, count))
            row[0, k], row[0, 0] = 1.0, -1.0
            before = tuple(range(values + 1, values + k))
            minus = tuple(np.array([[-1.0]]) for _ in before)
            last = Stage((values, *before), (row, *minus), np.zeros(1), LinearGate(1))
            if k < count - 1:
                stages.append(Stage(last.reads, last.weights, last.bias, ReLUGate(np.zeros(1))))
    whole = ReLUNetwork.of_stages(stages, last, input_box=net.input_box, name=net.name)
    return CountProblem(
        whole,
        whole.counted_stages(True),
        problem.domain,
        problem.definition,
        True,
        problem.slice,
    )


def vanishes(faces: FaceSet, cut: Cut, column: int) -> Bools:
    """On which faces the function is 0, or two outputs or more are the greatest.

    Arguments:
        faces: of a complex with the signs of the cut.
        cut: the function.
        column: of its sign, the first one for "argmax".
    """
    if cut.kind == "argmax":
        return np.asarray(np.count_nonzero(faces.signs[:, column:] == 0, axis=1) > 1)
    return np.asarray(faces.sign_of(column) == 0)


def require_no_plateau(flat: Bools, cut: Cut) -> None:
    """Refuse a boundary that is full-dimensional.

    Arguments:
        flat: what :func:`vanishes` says of the cells.
        cut: the function.

    Raises:
        DomainError: on some.
    """
    if np.any(flat):
        what = (
            "two outputs or more are the greatest"
            if cut.kind == "argmax"
            else f"{cut} is a plateau: the function is constant"
        )
        raise DomainError(
            f"{what} on {np.count_nonzero(flat)} of {len(flat)} cells, where the boundary is "
            "full-dimensional; choose another level or other outputs, or take sublevel() or "
            "superlevel()"
        )


def leading(signs: Signs, base: int) -> Signs:
    """Signs whose columns from ``base`` on are a tournament's, with one column an output instead.

    It is 0 for the outputs that attain the greatest value, else -1.
    """
    rounds = signs[:, base:]
    out = np.full((len(signs), rounds.shape[1] + 1), -1, dtype=np.int8)
    out[:, 0] = 0
    for k, column in enumerate(rounds.T, start=1):
        out[column > 0, :k] = -1
        out[column >= 0, k] = 0
    return np.hstack([signs[:, :base], out])
