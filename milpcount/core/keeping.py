"""What was made of an object that never changes, kept with the object."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

__all__ = ["Keeps"]

T = TypeVar("T")

_MADE = "_made"


class Keeps:
    """An immutable object that keeps what was made of it, for as long as it lives.

    What is kept is a function of the object and of what its key names, so it never grows stale; it
    must not refer to the object itself, which would then outlive its last user.  Pickles and
    copies leave it out: it is made again where it is needed.
    """

    def once(self, make: Callable[..., T], *arguments: Hashable) -> T:
        """``make(self, *arguments)``: made at the first call, and kept."""
        made = self.__dict__.get(_MADE) or self.__dict__.setdefault(_MADE, {})
        key = (make, *arguments)
        value: T
        try:
            value = made[key]
        except KeyError:
            value = made[key] = make(self, *arguments)
        return value

    def latest(self, what: str, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` makes for this key: kept until another key is asked for."""
        made = self.__dict__.get(_MADE) or self.__dict__.setdefault(_MADE, {})
        last = made.get(what)  # another thread may put its own in this place
        if last is None or last[0] != key:
            last = made[what] = (key, make())
        value: T = last[1]
        return value

    def __getstate__(self) -> dict[str, Any]:
        """The object itself, without what was made of it."""
        return {name: value for name, value in self.__dict__.items() if name != _MADE}
