"""Regions and decision boundary during training: three planar classifiers, animated.

(a) three units in one layer on a disc in an annulus, (b) 8-8-8 on the same, (c) 8-8-8 on its
combination with XOR, after Sattelberg et al.  ``python -m experiments.evolution [CONFIG]`` makes,
for each of them, a film, its last frame, and the curves of regions, boundary length and loss as a
table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field

import milpcount as mc
from experiments.command_line import tell_files
from experiments.evolution_frames import Frame, draw_frame
from experiments.planar import disc_and_annulus, train
from milpcount.draw.film import film
from milpcount.study.config.strict import Strict, require_valid
from milpcount.study.config.yaml_loader import load_yaml
from milpcount.study.figures import save_figure
from milpcount.study.tables.architecture import to_markdown
from milpcount.study.whole_files import write_text

SMOKE = "configs/evolution/smoke.yaml"
PAPER = "configs/evolution/paper.yaml"
RESULTS = "results/evolution/paper"

ROOT = Path(__file__).parents[1]


class Task(Strict):
    """One network to train."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    data: Literal["disc", "disc_xor"]
    hidden: list[int] = Field(min_length=1)
    seed: int = Field(ge=0)


class Settings(Strict):
    """What is trained, and on what."""

    name: str
    title: str
    output: str
    tasks: list[Task] = Field(min_length=1)
    box: list[float] = Field(min_length=2, max_length=2)
    disc: float = Field(gt=0)
    annulus: list[float] = Field(min_length=2, max_length=2)
    points: int = Field(ge=1)
    clear: float = Field(ge=0)
    data_seed: int = Field(ge=0)
    epochs: int = Field(ge=1)
    every: int = Field(ge=1)
    rate: float = Field(gt=0)
    batch: int = Field(ge=1)
    frames_per_second: float = Field(gt=0)


def run(path: Path, tell: Callable[[str], None] = lambda line: None) -> list[Path]:
    """Make what a configuration describes; return the files written."""
    settings = require_valid(Settings, load_yaml(path), path)
    folder = ROOT / settings.output
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    last: list[dict[str, Any]] = []
    for task in settings.tasks:
        frames, points = _frames(task, settings)
        tell(f"{task.name}: {len(frames)} frames, at last {frames[-1].regions} regions")
        figures = [draw_frame(frames, k, points) for k in range(len(frames))]
        written.append(film(figures, folder / f"{task.name}.gif", settings.frames_per_second))
        written += save_figure(draw_frame(frames, len(frames) - 1, points), task.name, folder)
        rows = [{"epoch": f.epoch, **f.numbers()} for f in frames]
        table = folder / f"{task.name}.csv"
        write_text(table, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
        written.append(table)
        most = max(frames, key=lambda f: f.regions)
        last.append(
            {
                "network": task.name,
                "hidden": "-".join(map(str, task.hidden)),
                "epochs": settings.epochs,
                **frames[-1].numbers(),
                "most_regions": most.regions,
                "at_epoch": most.epoch,
            }
        )
    summary = pd.DataFrame(last, dtype=object)
    write_text(folder / "evolution.md", f"{settings.title}\n\n{to_markdown(summary)}")
    return [*written, folder / "evolution.md"]


def _frames(task: Task, settings: Settings) -> tuple[list[Frame], Any]:
    inner, outer = settings.annulus
    x, y = disc_and_annulus(
        settings.points,
        settings.disc,
        (inner, outer),
        settings.data_seed,
        task.data == "disc_xor",
        settings.clear,
    )
    domain = mc.Box(*settings.box)
    frames: list[Frame] = []

    def keep(epoch: int, network: mc.ReLUNetwork, loss: float, right: float) -> None:
        found = mc.polyhedral_complex(network, domain)
        frames.append(Frame(epoch, found, found.boundary().measure, loss, right))

    train(
        x,
        y,
        task.hidden,
        task.seed,
        settings.epochs,
        settings.every,
        settings.rate,
        settings.batch,
        keep,
    )
    return frames, (x, y)


def main(arguments: list[str]) -> int:
    """Run the experiment; return the exit code."""
    return tell_files(run, arguments, PAPER)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
