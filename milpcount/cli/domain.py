"""The domain options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from milpcount.domain import Box, Domain, Slice, WholeSpace
from milpcount.errors import DomainError, InputError
from milpcount.importers import load_boxes, load_point

__all__ = [
    "BoxOption",
    "CenterOption",
    "DisjunctOption",
    "LineOption",
    "PlaneOption",
    "RadiusOption",
    "VnnlibOption",
    "WholeSpaceOption",
    "domain_from_options",
]

BoxOption = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--box",
        metavar="LO HI",
        help="Input box: one number for all inputs, or comma-separated, one an input.",
    ),
]
CenterOption = Annotated[
    Path | None,
    typer.Option("--center", metavar="FILE", help="Centre of a box (.npy, .csv, .txt)."),
]
RadiusOption = Annotated[
    float | None, typer.Option("--radius", metavar="R", help="Half the width of that box.")
]
VnnlibOption = Annotated[
    Path | None, typer.Option("--vnnlib", metavar="FILE", help="Input box of a property file.")
]
DisjunctOption = Annotated[
    int | None,
    typer.Option("--disjunct", metavar="K", help="Which box of the property file, from 1."),
]
LineOption = Annotated[
    Path | None,
    typer.Option("--line", metavar="FILE", help="Segment between the two points of a file."),
]
PlaneOption = Annotated[
    Path | None,
    typer.Option(
        "--plane",
        metavar="FILE",
        help="Parallelogram a, b, c, b + c - a of the three points of a file.",
    ),
]
WholeSpaceOption = Annotated[
    bool, typer.Option("--whole-space", help="All inputs, without bounds.")
]


def domain_from_options(
    box: tuple[str, str] | None,
    center: Path | None,
    radius: float | None,
    vnnlib: Path | None,
    disjunct: int | None,
    line: Path | None,
    plane: Path | None,
    whole_space: bool,
    *,
    inputs: int,
) -> Domain | None:
    """Return the domain that the options describe, None when they name none.

    ``inputs`` is the number of inputs of the network, for messages that name the file.

    Raises:
        InputError: two domains at once, half of one, or values that are no numbers.
    """
    named = {
        "--box": box is not None,
        "--center": center is not None,
        "--vnnlib": vnnlib is not None,
        "--line": line is not None,
        "--plane": plane is not None,
        "--whole-space": whole_space,
    }
    given = [name for name, present in named.items() if present]
    if len(given) > 1:
        raise InputError(f"{given[0]} and {given[1]} both name a domain; give one")
    if (center is None) != (radius is None):
        raise InputError("--center FILE and --radius R go together")
    if disjunct is not None and vnnlib is None:
        raise InputError("--disjunct K chooses a box of --vnnlib FILE; give that too")
    if box is not None:
        return Box(_numbers(box[0]), _numbers(box[1]))
    if center is not None and radius is not None:
        return Box.around(load_point(center), radius)
    if vnnlib is not None:
        return _disjunct(vnnlib, disjunct)
    for path, count in ((line, 2), (plane, 3)):
        if path is not None:
            return _slice(path, count, inputs)
    return WholeSpace() if whole_space else None


def _slice(path: Path, count: int, inputs: int) -> Slice:
    from milpcount.importers.points import load_points

    points = load_points(path, inputs, count)
    try:
        return Slice.through(points)
    except DomainError as error:
        raise DomainError(f"{path}: {error}") from error


def _numbers(text: str) -> np.ndarray:
    """One number, or several with commas between."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise DomainError(f"--box: {text!r} is not a number or comma-separated numbers") from error
    return np.array(values[0] if len(values) == 1 else values)


def _disjunct(path: Path, chosen: int | None) -> Box:
    boxes = load_boxes(path)
    if chosen is None and len(boxes) > 1:
        raise DomainError(
            f"{path} holds {len(boxes)} boxes; choose one with --disjunct 1..{len(boxes)}"
        )
    index = (chosen or 1) - 1
    if not 0 <= index < len(boxes):
        raise DomainError(f"{path} holds {len(boxes)} box(es); --disjunct {chosen} is not one")
    return boxes[index]
