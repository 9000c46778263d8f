"""Input boxes of VNN-LIB property files.

A file declares the reals ``X_0, X_1, ...`` (inputs) and ``Y_0, ...`` (outputs) and asserts
comparisons, joined with ``and`` and ``or``.  What it says about inputs alone is read as boxes;
comparisons of outputs are left out, so a box may be larger than the set of counterexamples.

Numbers are read to the nearest float64, the usual semantics of these files; ``<`` and ``>`` are
read as ``<=`` and ``>=`` (boxes are closed).
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from milpcount.core.domain import Box
from milpcount.errors import DomainError
from milpcount.importers._files import read_text
from milpcount.importers.rounding import nearest_float

__all__ = ["load_vnnlib", "output_note"]

_TOKEN = re.compile(r'\s+|;[^\n]*|(?P<word>[()]|\|[^|]*\||"[^"]*"|[^\s();|"]+)')
_INPUT = re.compile(r"X_(0|[1-9]\d*)")
_OUTPUT = re.compile(r"Y_(0|[1-9]\d*)")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
_IGNORED = frozenset({"check-sat", "exit", "get-model", "set-info", "set-logic", "set-option"})
_CLOSED = {"<": "<=", ">": ">="}
_FLIPPED = {"<=": ">=", ">=": "<=", "=": "="}
_MAX_NESTING = 100
_MAX_BOUNDS = 2_000_000  # in all alternatives together

Bounds = dict[tuple[int, str], float]
"""What one conjunction says: the tightest number for each input and side (``<=`` or ``>=``)."""


class _Form(list["_Form | str"]):
    """A parenthesised expression."""

    line = 0


def load_vnnlib(path: str | Path) -> list[Box]:
    """The boxes whose union is the set of inputs of a property; several for a disjunction.

    Empty alternatives and repeated boxes are dropped; boxes may overlap.

    Raises:
        DomainError: a missing or malformed file, an input without a lower or upper bound (named),
            a comparison of inputs that is not a bound on one of them, or an empty set.
    """
    return _Property(Path(path)).boxes()


def output_note(path: str | Path) -> str | None:
    """What the user should know about a property's conditions on outputs; None without any.

    Raises:
        DomainError: a missing or malformed file.
    """
    path = Path(path)
    if not _Property(path).names_outputs:
        return None
    return (
        f"{path.name} also has conditions on outputs, which are not used: the domain is the box of "
        "its inputs"
    )


class _Property:
    """A property file while it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 0
        self._inputs: set[int] = set()
        self._outputs: set[str] = set()
        self._clauses: list[Bounds] = [{}]
        self.names_outputs = False
        for form in self._parse(read_text(path, DomainError)):
            self._line = form.line
            self._command(form)

    def boxes(self) -> list[Box]:
        count = len(self._inputs)
        if not count or self._inputs != set(range(count)):
            missing = next((i for i in range(count) if i not in self._inputs), 0)
            raise DomainError(f"{self._path} does not declare X_{missing}; declare X_0, X_1, ...")
        found: dict[bytes, Box] = {}
        empty = None
        for clause in self._clauses:
            for i in range(count):
                for side, word in ((">=", "lower"), ("<=", "upper")):
                    if (i, side) not in clause:
                        raise DomainError(
                            f"{self._path} gives X_{i} no {word} bound; "
                            f"add (assert ({side} X_{i} ...))"
                        )
            lo = np.array([clause[i, ">="] for i in range(count)])
            hi = np.array([clause[i, "<="] for i in range(count)])
            inverted = np.flatnonzero(lo > hi)
            if inverted.size:
                i = inverted[0]
                empty = f"X_{i} has lower bound {lo[i]:g} above upper bound {hi[i]:g}"
            else:
                found.setdefault(lo.tobytes() + hi.tobytes(), Box(lo, hi))
        if not found:
            raise DomainError(f"{self._path} describes an empty set of inputs: {empty}; correct it")
        return list(found.values())

    def _error(self, reason: str) -> DomainError:
        return DomainError(f"{self._path}, line {self._line}: {reason}")

    def _parse(self, text: str) -> list[_Form]:
        """Top-level expressions; without recursion, so that nesting cannot exhaust the stack."""
        top = current = _Form()
        stack: list[_Form] = []
        position = 0
        self._line = 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._error(f"unexpected {text[position]!r}; check the file")
            word = match["word"]
            if word == "(":
                if len(stack) >= _MAX_NESTING:
                    raise self._error(f"more than {_MAX_NESTING} nested parentheses")
                inner = _Form()
                inner.line = self._line
                current.append(inner)
                stack.append(current)
                current = inner
            elif word == ")":
                if not stack:
                    raise self._error("closing parenthesis without an opening one")
                current = stack.pop()
            elif word is not None:
                if not stack:
                    raise self._error(f"{word!r} outside of parentheses; is this a VNN-LIB file?")
                current.append(word.strip("|") if word.startswith("|") else word)
            self._line += match[0].count("\n")
            position = match.end()
        if stack:
            raise self._error(f"{len(stack)} parentheses are not closed; the file is truncated")
        return [form for form in top if isinstance(form, _Form)]

    def _command(self, form: _Form) -> None:
        match form:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                self._declare(name)
            case ["assert", condition]:
                self._clauses = self._both(self._clauses, self._condition(condition))
            case [str(word), *_] if word in _IGNORED:
                pass
            case _:
                raise self._error(
                    f"{_shown(form)} is not a declaration of a Real or an assertion; "
                    "only VNN-LIB 1.0 is read"
                )

    def _declare(self, name: str) -> None:
        if match := _INPUT.fullmatch(name):
            self._inputs.add(int(match[1]))
        elif _OUTPUT.fullmatch(name):
            self._outputs.add(name)
        else:
            raise self._error(f"{name!r} is neither an input X_i nor an output Y_i")

    def _condition(self, form: _Form | str) -> list[Bounds]:
        """A condition in disjunctive normal form, as far as it speaks of inputs."""
        match form:
            case ["and", *parts]:
                clauses: list[Bounds] = [{}]
                for part in parts:
                    clauses = self._both(clauses, self._condition(part))
                return clauses
            case ["or", first, *rest]:
                clauses = list(self._condition(first))
                for part in rest:
                    clauses.extend(self._condition(part))
                    self._require_few(len(clauses))
                # An alternative that leaves the inputs free makes the others say nothing.
                return [{}] if {} in clauses else clauses
            case [("<=" | ">=" | "<" | ">" | "=") as sign, left, right]:
                return self._comparison(_CLOSED.get(sign, sign), left, right)
        raise self._error(f"{_shown(form)} is not a comparison, 'and' or 'or'")

    def _comparison(self, sign: str, left: _Form | str, right: _Form | str) -> list[Bounds]:
        used = self._variables(left) | self._variables(right)
        self.names_outputs |= any(name.startswith("Y") for name in used)
        if not any(name.startswith("X") for name in used):
            if not used:
                raise self._error("a comparison without a variable")
            return [{}]
        shown = f"({sign} {_shown(left)} {_shown(right)})"
        factors, constant = self._affine(["-", left, right])
        named = [(name, factor) for name, factor in factors.items() if factor]
        if len(named) != 1 or not _is_input(named[0][0]):
            raise self._error(f"{shown} is not a bound on one input; only boxes of inputs are read")
        name, factor = named[0]
        if factor < 0:
            sign = _FLIPPED[sign]
        try:
            value, _ = nearest_float(-constant / factor)
        except (OverflowError, ValueError) as error:  # beyond float64, or too long to read
            raise self._error(f"the bound of {shown} is out of range") from error
        unknown = int(name[2:])
        return [{(unknown, side): value for side in (("<=", ">=") if sign == "=" else (sign,))}]

    def _variables(self, form: _Form | str) -> set[str]:
        if isinstance(form, str):
            if _NUMBER.fullmatch(form):
                return set()
            found = _INPUT.fullmatch(form)
            if not (found and int(found[1]) in self._inputs) and form not in self._outputs:
                raise self._error(f"{form!r} is neither a number nor a declared variable")
            return {form}
        return set[str]().union(*(self._variables(part) for part in form[1:]))

    def _affine(self, form: list[_Form | str] | str) -> tuple[dict[str, Fraction], Fraction]:
        """An expression as factors of variables, and a constant.

        A bound of 1e400 is no float, but a number: it is refused where it is rounded.
        """
        match form:
            case str(word) if _NUMBER.fullmatch(word):
                try:
                    return {}, Fraction(word)
                except ValueError as error:
                    raise self._error(f"{_shown(word)} is out of range") from error
            case str(word):
                return {word: Fraction(1)}, Fraction(0)
            case [("+" | "-") as sign, first, *rest]:
                terms = [self._affine(part) for part in (first, *rest)]
                minus = sign == "-"
                signs = [-1 if minus and (k or not rest) else 1 for k in range(len(terms))]
                factors: dict[str, Fraction] = {}
                for turn, (part, _) in zip(signs, terms, strict=True):
                    for name, factor in part.items():
                        factors[name] = factors.get(name, Fraction(0)) + turn * factor
                return factors, sum(
                    (turn * constant for turn, (_, constant) in zip(signs, terms, strict=True)),
                    Fraction(0),
                )
            case ["*", a, b]:
                (left, by), (right, add) = self._affine(a), self._affine(b)
                if left and right:
                    raise self._error(f"{_shown(form)} multiplies two variables")
                if left:
                    left, by, right, add = right, add, left, by
                return {name: by * factor for name, factor in right.items()}, by * add
            case ["/", a, b]:
                (left, add), (right, by) = self._affine(a), self._affine(b)
                if not right and by:
                    return {name: factor / by for name, factor in left.items()}, add / by
        raise self._error(f"{_shown(form)} is not a number or a multiple of a variable")

    def _both(self, first: list[Bounds], second: list[Bounds]) -> list[Bounds]:
        self._require_few(len(first) * len(second))
        if len(first) == 1 and len(second) == 1:  # the common case, without a copy
            _tighten(first[0], second[0])
            return first
        out = []
        for a in first:
            for b in second:
                joint = dict(a)
                _tighten(joint, b)
                out.append(joint)
        return out

    def _require_few(self, count: int) -> None:
        if count * max(1, len(self._inputs)) > _MAX_BOUNDS:
            raise self._error(f"the condition has {count} alternatives or more; split the file")


def _is_input(form: _Form | str) -> bool:
    return isinstance(form, str) and _INPUT.fullmatch(form) is not None


def _tighten(bounds: Bounds, by: Bounds) -> None:
    for key, value in by.items():
        closer = min if key[1] == "<=" else max
        bounds[key] = closer(bounds.get(key, value), value)


def _shown(form: list[_Form | str] | str) -> str:
    """An expression as it was written, shortened."""
    if isinstance(form, str):
        return form
    text = " ".join(_shown(part) for part in form[:4])
    return f"({' '.join(text.split())}{' ...' if len(form) > 4 else ''})"[:80]
