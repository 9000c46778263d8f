"""What an importer remembers while it folds: where it is, what it rounded, what to tell the user.

Whether a fold is exact is decided here, for :class:`~milpcount.importers.affine.Folder`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes
from milpcount.importers.image import Image, Part, merged, same_entries
from milpcount.importers.samples import MixedSamplesError

__all__ = ["Ledger", "RoundedError"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]

_SHOWN = 8  # places that a note lists


class RoundedError(Exception):
    """A fold whose result float64 does not hold, or that takes too long."""


class Ledger(ABC):
    """The place, the notes and the rounding of one import.

    Attributes:
        name: of the network, for messages.
        place: what is being folded at present, for messages and notes; the importer sets it.
        notes: what the user should know about the network.
    """

    def __init__(self, name: str) -> None:
        """Start with nothing rounded."""
        self.name = name
        self.place = "the input"
        self.notes: list[str] = []
        self._constants: list[str] = []
        self._kept: list[str] = []
        self._linear: list[tuple[Image, Image]] = []
        self._may_round = False

    @abstractmethod
    def _units(self, image: Image, slope: Float, linear: bool) -> Image:
        """The outputs of new units that get the entries of ``image``."""

    def linear(self, image: Image) -> Image:
        """The outputs of linear units that compute the entries of ``image``."""
        made = self.held(image)
        if made is None:
            made = self._units(image, np.ones(image.rows), linear=True)
            self._linear.append((image, made))
        return made

    def held(self, image: Image) -> Image | None:
        """The outputs of linear units that compute the entries of ``image``, if there are any."""
        for known, made in self._linear:
            alike = (known.shape, known.batch, known.needs) == (
                image.shape,
                image.batch,
                image.needs,
            )
            if known is image or (alike and same_entries(known, image)):
                return made
        return None

    def fail(self, reason: str) -> NoReturn:
        """Refuse what is being folded."""
        raise NetworkError(f"{self.name}: {self.place} {reason}")

    def compute(self, operation: Callable[..., tuple[Float, bool]], *arguments: Any) -> Float:
        """Arithmetic on constants with one of :mod:`rounding`'s functions.

        Where float64 does not hold the result it is the nearest number, and a note says so.
        """
        try:
            result, exact = operation(*arguments)
        except OverflowError as error:
            raise NetworkError(
                f"{self.name}: the constants of {self.place} leave the range of float64; "
                "rescale the weights"
            ) from error
        if not exact:
            self.note_constants()
        return result

    def note_constants(self) -> None:
        """Remember that constants of the present place were rounded to float64."""
        if self.place not in self._constants:
            self._constants.append(self.place)

    def finite(self, constant: ArrayLike) -> Float:
        """A constant as float64; refuses what is not finite."""
        array = np.asarray(constant, dtype=np.float64)
        if not np.all(np.isfinite(array)):
            self.fail("has a NaN or infinite value; export it again from finite weights")
        return array

    def rounding_notes(self) -> list[str]:
        """What the user should know about numbers that were rounded."""
        notes = []
        if self._constants:
            notes.append(
                f"constants of {_listed(self._constants)} are no float64 numbers; the nearest "
                "float64 numbers are used"
            )
        if self._kept:
            notes.append(
                f"the weights on the input of {_listed(self._kept)} are the float64 numbers "
                "nearest to the products with what scales the input"
            )
        return notes

    def _folded(self, fold: Callable[..., Image], *images: Image, may_round: bool = False) -> Image:
        """``fold(*images)``, or the same of linear units where it would round."""
        try:
            return fold(*images)
        except RoundedError:
            pass
        if may_round:
            self._may_round = True
            try:
                result = fold(*images)
            except RoundedError:  # too long, or out of range
                pass
            else:
                if self.place not in self._kept:
                    self._kept.append(self.place)
                return result
            finally:
                self._may_round = False
        return fold(*map(self.linear, images))

    def _sure(self, operation: Callable[..., tuple[Float, bool]], *arguments: Any) -> Float:
        """The result of one of :mod:`rounding`'s functions, if it is exact."""
        try:
            result, exact = operation(*arguments)
        except OverflowError as error:
            raise RoundedError from error
        if not exact and not self._may_round:
            raise RoundedError
        return result

    def _merged(self, stage: int, index: Index, value: Float) -> Part:
        index, value, exact = merged(index, value)
        if not exact and not (self._may_round and np.all(np.isfinite(value))):
            raise RoundedError
        return Part(stage, index, value)

    def _proved(self, prove: Callable[..., Any], *arguments: Any) -> Any:
        """A proof of :mod:`samples`, with the present place in its refusal."""
        try:
            return prove(*arguments)
        except MixedSamplesError as error:
            return self._mixed(error)

    def _mixed(self, error: MixedSamplesError) -> NoReturn:
        raise MixedSamplesError(
            f"{self.name}: {self.place} {error}; keep them apart along one axis, or "
            "give the network with a batch of 1"
        ) from error

    def _require(self, size: int) -> None:
        what = f"{self.name}: {self.place}, expanded to a matrix,"
        require_bytes(size, what, NetworkError)


def _listed(places: Sequence[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(places[:_SHOWN]) + more
