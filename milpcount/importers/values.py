"""What a tensor of a graph may be besides an affine function: an output head, a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from milpcount.importers.image import Image

__all__ = ["MAXIMUM", "Choice", "Head", "head_note"]

MAXIMUM = (
    "is a maximum or minimum of several entries, which is not counted; replace it with average "
    "pooling, a strided convolution, or maxima of two tensors"
)


@dataclass(frozen=True, eq=False)
class Head:
    """What an output head (softmax and the like) made of ``source``.

    Attributes:
        source: the affine tensor before it.
        shape: of the result; None where it is not known.
        place: the first operation of the head.
        curved: whether anything in it is not piecewise linear; else it is a maximum.
    """

    source: Image
    shape: tuple[int, ...] | None
    place: str
    curved: bool = True

    @property
    def reason(self) -> str:
        """Why it cannot stand before anything else."""
        return "is not piecewise linear" if self.curved else MAXIMUM


@dataclass(frozen=True, eq=False)
class Choice:
    """A tensor of booleans: true where an entry of ``sign`` is positive, if not ``otherwise``.

    On the boundary itself it may be either: what is chosen by it has to be continuous.
    """

    sign: Image
    otherwise: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor."""
        return self.sign.shape


def head_note(place: str) -> str:
    """What the user should know about a head that is left out."""
    return (
        f"the output head {place} is left out: the network ends with the affine layer "
        "before it, and its activation patterns are the same"
    )
