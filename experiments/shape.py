"""Decision boundaries made compact: gradients through the vertices of exact complexes.

A network is fitted to the distance from a star-shaped curve, and one to that from a bumpy sphere.
Then the isoperimetric quotient of its zero level is raised at constant area or volume: every step
makes the complex of the present weights, exactly, and follows the gradient of

    quotient - constraint * (size / size at the start - 1)^2

in the weights, through the vertices.  ``python -m experiments.shape [CONFIG]`` makes a picture of
each before and after, and the curves of both quantities as a table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

import milpcount as mc
from experiments.command_line import tell_files
from experiments.shape_pictures import State, draw_states
from milpcount.study.config.strict import Strict, require_valid
from milpcount.study.config.yaml_loader import load_yaml
from milpcount.study.figures import save_figure
from milpcount.study.tables.architecture import to_markdown
from milpcount.study.whole_files import write_text

SMOKE = "configs/shape/smoke.yaml"
PAPER = "configs/shape/paper.yaml"
RESULTS = "results/shape/paper"

ROOT = Path(__file__).parents[1]


class Task(Strict):
    """A shape, and the network that is fitted to it.

    The shape is where ``|x|`` is ``radius + amplitude * wave``, with ``wave`` between -1 and 1:
    ``cos(5 * angle)`` in the plane, five spikes; in space ``3 (u_1^4 + u_2^4 + u_3^4) - 2`` of the
    direction ``u``, six bumps.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    dimension: Literal[2, 3]
    hidden: list[int] = Field(min_length=1)
    seed: int = Field(ge=0)
    radius: float = Field(gt=0)
    amplitude: float = Field(ge=0)


class Settings(Strict):
    """What is fitted and for how long."""

    name: str
    title: str
    output: str
    box: list[float] = Field(min_length=2, max_length=2)
    tasks: list[Task] = Field(min_length=1)
    points: int = Field(ge=1)
    fit_steps: int = Field(ge=1)
    fit_rate: float = Field(gt=0)
    steps: int = Field(ge=1)
    rate: float = Field(gt=0)
    constraint: float = Field(ge=0)


def run(path: Path, tell: Callable[[str], None] = lambda line: None) -> list[Path]:
    """Make what a configuration describes; return the files written."""
    settings = require_valid(Settings, load_yaml(path), path)
    folder = ROOT / settings.output
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    rows = []
    for task in settings.tasks:
        states = _states(_fitted(task, settings), task, settings)
        first, last = states[0], states[-1]
        tell(f"{task.name}: compactness {first.compactness:.3f} to {last.compactness:.3f}")
        written += save_figure(draw_states(states), task.name, folder)
        table = pd.DataFrame([{"step": k, **state.numbers()} for k, state in enumerate(states)])
        write_text(folder / f"{task.name}.csv", table.to_csv(index=False, lineterminator="\n"))
        written.append(folder / f"{task.name}.csv")
        rows.append(
            {
                "shape": task.name,
                "network": "-".join(map(str, [task.dimension, *task.hidden, 1])),
                "steps": len(states) - 1,
                "compactness_before": round(first.compactness, 4),
                "compactness_after": round(last.compactness, 4),
                "size_before": round(first.size, 4),
                "size_after": round(last.size, 4),
                "around_before": round(first.around, 4),
                "around_after": round(last.around, 4),
                "regions": last.regions,
            }
        )
    summary = pd.DataFrame(rows, dtype=object)
    write_text(folder / "shape.md", f"{settings.title}\n\n{to_markdown(summary)}")
    return [*written, folder / "shape.md"]


def _distance(task: Task, x: np.ndarray) -> np.ndarray:
    """How far beyond the shape a point lies along its ray."""
    size = np.linalg.norm(x, axis=1)
    if task.dimension == 2:
        wave = np.cos(5 * np.arctan2(x[:, 1], x[:, 0]))
    else:
        wave = 3 * np.sum((x / np.maximum(size, 1e-9)[:, None]) ** 4, axis=1) - 2
    return np.asarray(size - (task.radius + task.amplitude * wave))


def _fitted(task: Task, settings: Settings) -> Any:
    """The network, fitted to the distance by least squares."""
    import torch

    torch.manual_seed(task.seed)
    rng = np.random.default_rng(task.seed)
    layers: list[Any] = []
    width: int = task.dimension
    for units in task.hidden:
        layers += [torch.nn.Linear(width, units), torch.nn.ReLU()]
        width = units
    module = torch.nn.Sequential(*layers, torch.nn.Linear(width, 1)).double()
    lo, hi = settings.box
    x = rng.uniform(lo, hi, size=(settings.points, task.dimension))
    y = torch.tensor(_distance(task, x)).unsqueeze(1)
    inputs = torch.tensor(x)
    optimiser = torch.optim.Adam(module.parameters(), lr=settings.fit_rate)
    for _ in range(settings.fit_steps):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(module(inputs), y).backward()
        optimiser.step()
    return module


def _states(module: Any, task: Task, settings: Settings) -> list[State]:
    """The boundary before, after every step, and so at last."""
    import torch

    domain = mc.Box([settings.box[0]] * task.dimension, [settings.box[1]] * task.dimension)
    optimiser = torch.optim.Adam(module.parameters(), lr=settings.rate)
    states: list[State] = []
    start = None
    while True:
        whole = mc.geometry.torch_complex(module, domain)
        part = whole.boundary()
        shape = part.shape
        size, quotient = shape.enclosed, shape.compactness
        start = size.detach() if start is None else start
        states.append(
            State(
                part.complex,
                len(whole.complex),
                quotient.item(),
                size.item(),
                shape.measure.item(),
            )
        )
        if len(states) > settings.steps:
            return states
        optimiser.zero_grad()
        loss = -quotient + settings.constraint * (size / start - 1) ** 2
        loss.backward()
        optimiser.step()


def main(arguments: list[str]) -> int:
    """Run the experiment; return the exit code."""
    return tell_files(run, arguments, PAPER)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
