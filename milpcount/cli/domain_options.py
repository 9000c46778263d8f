"""The domain options that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import numpy as np
import typer

from milpcount.core.domain import Box, Domain, Slice, WholeSpace
from milpcount.errors import DomainError, InputError
from milpcount.importers import load_boxes, load_point

__all__ = ["DomainOptions", "takes_domain"]

_PARAMETER = "where"

R = TypeVar("R")


@dataclass(frozen=True)
class DomainOptions:
    """The options that name a domain, as they were given."""

    box: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--box",
            metavar="LO HI",
            help="Input box: one number for all inputs, or comma-separated, one an input.",
        ),
    ] = None
    center: Annotated[
        Path | None,
        typer.Option("--center", metavar="FILE", help="Centre of a box (.npy, .csv, .txt)."),
    ] = None
    radius: Annotated[
        float | None, typer.Option("--radius", metavar="R", help="Half the width of that box.")
    ] = None
    vnnlib: Annotated[
        Path | None, typer.Option("--vnnlib", metavar="FILE", help="Input box of a property file.")
    ] = None
    disjunct: Annotated[
        int | None,
        typer.Option("--disjunct", metavar="K", help="Which box of the property file, from 1."),
    ] = None
    line: Annotated[
        Path | None,
        typer.Option("--line", metavar="FILE", help="Segment between the two points of a file."),
    ] = None
    plane: Annotated[
        Path | None,
        typer.Option(
            "--plane",
            metavar="FILE",
            help="Parallelogram a, b, c, b + c - a of the three points of a file.",
        ),
    ] = None
    whole_space: Annotated[
        bool, typer.Option("--whole-space", help="All inputs, without bounds.")
    ] = False

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return any(value not in (None, False) for value in astuple(self))

    def domain(self, inputs: int) -> Domain | None:
        """The domain that they describe, None when they name none.

        ``inputs`` is the number of inputs of the network, for messages that name the file.

        Raises:
            InputError: two domains at once, half of one, or values that are no numbers.
        """
        named = {
            "--box": self.box is not None,
            "--center": self.center is not None,
            "--vnnlib": self.vnnlib is not None,
            "--line": self.line is not None,
            "--plane": self.plane is not None,
            "--whole-space": self.whole_space,
        }
        given = [name for name, present in named.items() if present]
        if len(given) > 1:
            raise InputError(f"{given[0]} and {given[1]} both name a domain; give one")
        if (self.center is None) != (self.radius is None):
            raise InputError("--center FILE and --radius R go together")
        if self.disjunct is not None and self.vnnlib is None:
            raise InputError("--disjunct K chooses a box of --vnnlib FILE; give that too")
        if self.box is not None:
            return Box(_numbers(self.box[0]), _numbers(self.box[1]))
        if self.center is not None and self.radius is not None:
            centre = load_point(self.center)
            if centre.size != inputs:
                raise DomainError(
                    f"{self.center} holds {centre.size} numbers, the network has {inputs} inputs"
                )
            return Box.around(centre, self.radius)
        if self.vnnlib is not None:
            return _disjunct(self.vnnlib, self.disjunct, inputs)
        for path, count in ((self.line, 2), (self.plane, 3)):
            if path is not None:
                return _slice(path, count, inputs)
        return WholeSpace() if self.whole_space else None


def takes_domain(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options of a domain, in the place of its parameter ``where``."""
    hints = get_type_hints(command, include_extras=True)
    kinds = get_type_hints(DomainOptions, include_extras=True)
    options = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=field.default,
            annotation=kinds[field.name],
        )
        for field in fields(DomainOptions)
    ]
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name == _PARAMETER:
            parameters += options
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))

    @functools.wraps(command)
    def with_options(**given: Any) -> R:
        chosen = {option.name: given.pop(option.name) for option in options}
        return command(**given, **{_PARAMETER: DomainOptions(**chosen)})

    # Where Typer reads what the options are.
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return with_options


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


def _disjunct(path: Path, chosen: int | None, inputs: int) -> Box:
    boxes = load_boxes(path)
    if chosen is None and len(boxes) > 1:
        raise DomainError(
            f"{path} holds {len(boxes)} boxes; choose one with --disjunct 1..{len(boxes)}"
        )
    index = (chosen or 1) - 1
    if not 0 <= index < len(boxes):
        raise DomainError(f"{path} holds {len(boxes)} box(es); --disjunct {chosen} is not one")
    box = boxes[index]
    if box.dimension not in (None, inputs):
        raise DomainError(
            f"{path} declares {box.dimension} inputs X_0, X_1, ..., the network has {inputs}"
        )
    return box
