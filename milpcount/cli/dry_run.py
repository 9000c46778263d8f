"""What ``milpcount run --dry-run`` shows."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from milpcount.study.config.plan import Plan

__all__ = ["describe_plan"]


def describe_plan(plan: Plan, out: Console) -> None:
    """Print every run, then a line for each architecture, then the whole."""
    runs = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("run", "state", "seconds", "known from"):
        runs.add_column(head, justify="right" if head == "seconds" else "left", overflow="fold")
    for run in plan.runs:
        state = "stored" if run.stored else "to do"
        runs.add_row(run.label, state, _seconds(run.seconds), "" if run.stored else run.basis)
    out.print(runs)
    shapes = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("architecture", "to do", "stored", "seconds to do"):
        shapes.add_column(head, justify="left" if head == "architecture" else "right")
    for name, todo, stored, seconds in plan.architectures():
        shapes.add_row(name, str(todo), str(stored), _seconds(seconds))
    out.print()
    out.print(shapes)
    out.print()
    out.print(_whole(plan))


def _whole(plan: Plan) -> str:
    line = f"{len(plan.todo)} run(s) to do, {len(plan.runs) - len(plan.todo)} stored"
    if not plan.todo:
        return line + "."
    if plan.unknown == len(plan.todo):
        return f"{line}; time unknown."
    if plan.seconds is None:
        known = _seconds(sum(run.seconds or 0.0 for run in plan.todo))
        return (
            f"{line}; unknown for {plan.unknown} of them, about {known} s in turn for the others."
        )
    line += f"; about {_seconds(plan.seconds)} s in turn"
    if plan.workers not in (None, 1):
        line += f", {_seconds(plan.wall_seconds)} s with {plan.workers} workers"
    return line + "."


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.2g}"
