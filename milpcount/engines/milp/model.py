r"""The mixed-integer model of Serra, Tjandraatmadja, Ramalingam (ICML 2018) in Pyomo.

For ``x = h^0`` in the domain and unit ``i`` of stage ``l`` (indices from 1, as in the paper), with
a sum over the stages ``k`` that stage ``l`` reads (in a chain ``k = l - 1`` alone):

    g[l,i] = sum_k W^{l,k}_i h^k + b^l_i           preactivation
    g[l,i] = h[l,i] - h_bar[l,i]                   complement: h_bar is the complementary unit
    h[l,i] <= H[l,i] z[l,i]                        active_limit
    h_bar[l,i] <= H_bar[l,i] (1 - z[l,i])          inactive_limit
    h, h_bar >= 0,  z[l,i] in {0, 1}

and, to demand that active units are strictly active,

    scale[l,i] f <= h[l,i] + scale[l,i] (1 - z[l,i])     strictly_active,    f <= 1.

The patterns ``z`` for which the largest ``f`` is positive are the non-empty activation patterns.
For full-dimensional regions inactive units must be strict as well:

    scale[l,i] f <= h_bar[l,i] + scale[l,i] z[l,i]       strictly_inactive.

Departures from the paper, none of which changes the patterns: ``scale`` (a power of two near
``max(H, H_bar)``) makes one tolerance mean the same for every unit; units that are stable over
the domain have no binary; a leaky unit passes ``h - slope h_bar`` on.  A linear unit has nothing
but ``g``, which it passes on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.core.expr.numvalue import NumericValue

from milpcount.core.domain import Domain
from milpcount.core.matrix import dense
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.stage import Stage
from milpcount.errors import InputError
from milpcount.preactivation import PreactivationBounds, compute_preactivation_bounds

__all__ = ["DEFAULT_MARGIN", "VARIANTS", "add_nogood", "build_model", "build_problem_model"]

VARIANTS = ("feasibility", "max_f")

# Of the scaled pre-activation: far above the solvers' tolerances (1e-9), below nearly all regions.
DEFAULT_MARGIN = 1e-6

Float = NDArray[np.float64]

_NONE = np.zeros(0)


def build_model(
    net: ReLUNetwork,
    domain: Domain | None = None,
    *,
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    variant: str = "max_f",
    preactivation: str | PreactivationBounds = "lp",
    margin: float = DEFAULT_MARGIN,
) -> pyo.ConcreteModel:
    """Build the MILP as a plain Pyomo model, to be extended and solved as the user likes.

    Sets: ``units``, all pairs ``(l, i)``; ``gated``, those with a state; ``unstable``, of these.
    Variables: ``x[j]``; ``g[l,i]`` of all units; ``h[l,i]``, ``h_bar[l,i]`` of gated, ``z[l,i]`` of
    unstable ones; ``f``.  Expressions ``y[k]`` (the network's outputs) and ``pattern[l,i]`` (``z``
    or the constant sign of a stable unit); parameters ``H``, ``H_bar``, ``scale``; an empty
    constraint list ``nogoods``; the objective ``objective`` (``max f``, or constant with ``f >=
    margin``).

    Arguments:
        net: the network.
        domain: bounded; the network's own box when None.
        definition: "full" or "nonempty".
        with_output: whether the output units count as ReLUs.
        variant: "max_f" (the paper's) or "feasibility" (any point with ``f >= margin``).
        preactivation: method for H and H_bar, or bounds computed before.
        margin: of the feasibility variant, in units of ``scale``.

    Raises:
        DomainError: no domain, or an unbounded one (no big-M constants exist).
        UnsupportedError: the domain is a slice.
        InputError: an unknown variant, or a margin that is not in (0, 1).
    """
    problem = CountProblem.of(net, domain, definition, with_output)
    problem.require_no_slice("the MILP model")
    if isinstance(preactivation, str):
        preactivation = compute_preactivation_bounds(problem, preactivation)
    return build_problem_model(problem, preactivation, variant, margin)


def build_problem_model(
    problem: CountProblem, bounds: PreactivationBounds, variant: str, margin: float = DEFAULT_MARGIN
) -> pyo.ConcreteModel:
    """Build the model of :func:`build_model` from a resolved problem."""
    problem.require_no_slice("the MILP model")
    if variant not in VARIANTS:
        raise InputError(f"no variant {variant!r} of the MILP; known: {', '.join(VARIANTS)}")
    if not 0 < margin < 1:
        raise InputError(f"the margin must lie between 0 and 1, not {margin}")
    model = pyo.ConcreteModel(name="milpcount")
    model.units = pyo.Set(
        initialize=[(k + 1, i + 1) for k, n in enumerate(problem.widths) for i in range(n)], dimen=2
    )
    _declare(model, problem, bounds)
    outputs: list[list[NumericValue]] = [[model.x[j] for j in model.inputs]]
    for k, stage in enumerate(problem.stages):
        following: list[NumericValue] = []
        for i, row in enumerate(_affine_rows(stage, outputs)):
            u = (k + 1, i + 1)
            model.preactivation[u] = model.g[u] == row
            if stage.linear[i]:
                following.append(model.g[u])
                continue
            model.complement[u] = model.g[u] == model.h[u] - model.h_bar[u]
            if u in model.unstable:
                _add_signs(model, u, problem.definition)
            slope = float(stage.slope[i])
            following.append(model.h[u] - slope * model.h_bar[u] if slope else model.h[u])
        outputs.append(following)
    _add_outputs(model, problem, outputs)
    model.nogoods = pyo.ConstraintList(doc="patterns already found")
    if variant == "max_f":
        model.objective = pyo.Objective(expr=model.f, sense=pyo.maximize)
    else:
        model.f.setlb(margin)
        model.objective = pyo.Objective(expr=0.0 * model.f)
    return model


def _declare(model: pyo.ConcreteModel, problem: CountProblem, bounds: PreactivationBounds) -> None:
    """Sets, parameters, variables with their bounds, and the domain."""
    model.inputs = pyo.RangeSet(problem.dimension)
    box = {j: (float(bounds.x_lo[j - 1]), float(bounds.x_hi[j - 1])) for j in model.inputs}
    model.x = pyo.Var(model.inputs, bounds=lambda m, j: box[j], doc="input, h^0")
    rows, right = problem.rows
    model.domain = pyo.ConstraintList(doc="A x <= c")
    columns = [model.x[j] for j in model.inputs]
    for row, c in zip(rows, right, strict=True):
        if row.any():
            model.domain.add(_affine(row, columns, 0.0) <= float(c))
    units = list(model.units)
    linear = dict(zip(units, np.concatenate([*bounds.linear, _NONE]).tolist(), strict=True))
    low, high, big_h, big_h_bar = (
        dict(zip(units, np.concatenate([*arrays, _NONE]).tolist(), strict=True))
        for arrays in (bounds.lo, bounds.hi, *bounds.big_m)
    )
    gated = [u for u in units if not linear[u]]
    # What is known of each: 1, 0 or -1.
    known = dict(zip(gated, bounds.states.tolist(), strict=True))
    model.gated = pyo.Set(dimen=2, initialize=gated)
    model.unstable = pyo.Set(dimen=2, initialize=[u for u in gated if known[u] < 0])
    top, bottom = ({u: values[u] for u in gated} for values in (big_h, big_h_bar))
    model.H = pyo.Param(model.gated, initialize=top, doc="largest output of the unit")
    model.H_bar = pyo.Param(model.gated, initialize=bottom, doc="of the complementary unit")
    model.scale = pyo.Param(
        model.unstable,
        initialize={u: 2.0 ** round(math.log2(max(top[u], bottom[u]))) for u in model.unstable},
    )

    def ends(_: pyo.ConcreteModel, *u: int) -> tuple[float | None, float | None]:
        return (low[u], high[u]) if linear[u] or known[u] < 0 else (None, None)

    model.g = pyo.Var(model.units, bounds=ends, doc="pre-activation")
    model.h = pyo.Var(model.gated, bounds=lambda m, *u: (0.0, top[u]), doc="output")
    model.h_bar = pyo.Var(model.gated, bounds=lambda m, *u: (0.0, bottom[u]), doc="complement")
    model.z = pyo.Var(model.unstable, domain=pyo.Binary, doc="1 if the unit is active")
    model.f = pyo.Var(bounds=(-1.0, 1.0), doc="least scaled pre-activation")
    model.preactivation = pyo.Constraint(model.units)
    model.complement = pyo.Constraint(model.gated)
    model.active_limit = pyo.Constraint(model.unstable, doc="h <= H z")
    model.inactive_limit = pyo.Constraint(model.unstable, doc="h_bar <= H_bar (1 - z)")
    model.strictly_active = pyo.Constraint(model.unstable)
    model.strictly_inactive = pyo.Constraint(model.unstable)
    model.pattern = pyo.Expression(
        model.gated, rule=lambda m, *u: known[u] if known[u] >= 0 else m.z[u]
    )


def _add_signs(model: pyo.ConcreteModel, u: tuple[int, int], definition: Definition) -> None:
    """What the binary of an unstable unit means."""
    h, h_bar, z = model.h[u], model.h_bar[u], model.z[u]
    margin = model.scale[u] * model.f
    model.active_limit[u] = h <= model.H[u] * z
    model.inactive_limit[u] = h_bar <= model.H_bar[u] * (1 - z)
    model.strictly_active[u] = margin <= h + model.scale[u] * (1 - z)
    if definition is Definition.FULL:
        model.strictly_inactive[u] = margin <= h_bar + model.scale[u] * z


def _add_outputs(
    model: pyo.ConcreteModel, problem: CountProblem, outputs: Sequence[Sequence[NumericValue]]
) -> None:
    """Expressions ``y[k]`` for the network's outputs."""
    net = problem.network
    model.outputs = pyo.RangeSet(net.output_dimension)
    if problem.with_output:
        last = len(problem.stages)
        model.y = pyo.Expression(model.outputs, rule=lambda m, k: m.g[last, k])
        return
    # Stages behind the last unit with a state are affine in what stands before.
    every = list(outputs)
    for stage in net.stages[len(problem.stages) :]:
        every.append(list(_affine_rows(stage, every)))
    rows = list(_affine_rows(net.output, every))
    model.y = pyo.Expression(model.outputs, rule=lambda m, k: rows[k - 1])


def _affine_rows(stage: Stage, outputs: Sequence[Sequence[NumericValue]]) -> Iterator[NumericValue]:
    """The pre-activations of a stage, of the input and the outputs of the stages before."""
    read = [v for k in stage.reads for v in outputs[k]]
    weight = np.concatenate([dense(w) for w in stage.weights], axis=1)
    for row, constant in zip(weight, stage.bias, strict=True):
        yield _affine(row, read, constant)


def _affine(row: Float, outputs: Sequence[NumericValue], constant: float) -> NumericValue:
    """``row . outputs + constant`` without zero terms."""
    terms = [float(a) * v for a, v in zip(row, outputs, strict=True) if a]
    return pyo.quicksum([*terms, float(constant)], linear=None)


def add_nogood(model: pyo.ConcreteModel, pattern: Iterable[int]) -> pyo.Constraint | None:
    """Forbid an activation pattern, or all that begin with these bits (stage-major).

    ``sum_{z* = 1} (1 - z) + sum_{z* = 0} z >= 1`` over the unstable units among them.  None, and
    nothing is added, when none of them is unstable: every pattern begins so then.
    """
    bits = dict(zip(model.gated, pattern, strict=False))
    changes = [1 - model.z[u] if bits[u] else model.z[u] for u in model.unstable if u in bits]
    if not changes:
        return None
    return model.nogoods.add(pyo.quicksum(changes) >= 1)
