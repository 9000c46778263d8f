"""Functions that an ONNX model defines itself, written out into its graph.

The body of a function replaces each node that calls it; names inside are made the call's own.
Nothing is run, and a model whose functions would grow beyond a stated number of nodes is refused
before they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes

__all__ = ["inlined_nodes"]

_MOST_NODES = 100_000
_DEEPEST = 50


def inlined_nodes(model: Any, what: str) -> Sequence[Any]:
    """The nodes of a model's graph, without calls of its own functions.

    Raises:
        NetworkError: functions that call themselves or grow too large.
    """
    if not model.functions:
        return model.graph.node  # type: ignore[no-any-return]
    return _Inliner(model, what).nodes(model.graph.node, "", {}, {}, 0)


class _Inliner:
    """Writes out calls; one per model."""

    def __init__(self, model: Any, what: str) -> None:
        self._functions = {(f.domain, f.name): f for f in model.functions}
        self._what = what
        self._count = 0
        self._bytes = 0

    def nodes(
        self,
        nodes: Sequence[Any],
        prefix: str,
        names: dict[str, str],
        attributes: dict[str, Any],
        depth: int,
    ) -> list[Any]:
        """Nodes of a body with the call's names and attributes in them.

        ``names`` maps what the body's inputs and outputs are called to what the caller calls them;
        every other name gets the prefix.
        """
        out = []
        for node in nodes:
            if not all(isinstance(n, str) for n in (node.name, *node.input, *node.output)):
                self._fail("a name in it is no text")  # not UTF-8
            made = type(node)()
            made.CopyFrom(node)
            if prefix:
                for field in (made.input, made.output):
                    renamed = [names.get(n, prefix + n) if n else n for n in field]
                    del field[:]
                    field.extend(renamed)
                made.name = prefix + made.name if made.name else ""
                self._fill_attributes(made, attributes)
            function = self._functions.get((made.domain, made.op_type))
            if function is None:
                self._grow(made)
                out.append(made)
                continue
            if depth >= _DEEPEST:
                self._fail(f"its function {made.op_type!r} calls itself or is nested too deep")
            out += self._call(made, function, depth)
        return out

    def _call(self, node: Any, function: Any, depth: int) -> list[Any]:
        self._grow(node)  # a call of an empty function counts too
        formal = list(function.input)
        if len(node.input) > len(formal) or len(node.output) > len(function.output):
            self._fail(f"node {node.op_type!r} gives its function more than it takes")
        names = dict.fromkeys(formal, "")
        names.update(zip(formal, node.input, strict=False))
        names.update(
            (inner, outer)
            for inner, outer in zip(function.output, node.output, strict=False)
            if outer
        )
        given = {a.name: a for a in function.attribute_proto}
        given.update((a.name, a) for a in node.attribute)
        prefix = f"{node.name or (node.output[0] if node.output else node.op_type)}/"
        return self.nodes(function.node, f"{prefix}{self._count}/", names, given, depth + 1)

    def _grow(self, node: Any) -> None:
        self._count += 1
        if self._count > _MOST_NODES:
            self._fail(f"its functions have more than {_MOST_NODES} nodes together")
        self._bytes += node.ByteSize()
        require_bytes(self._bytes, f"{self._what} with its functions written out", NetworkError)

    def _fill_attributes(self, node: Any, given: dict[str, Any]) -> None:
        """Put the call's attributes where the body refers to them."""
        kept = []
        for attribute in node.attribute:
            if not attribute.ref_attr_name:
                kept.append(attribute)
            elif attribute.ref_attr_name in given:
                filled = type(attribute)()
                filled.CopyFrom(given[attribute.ref_attr_name])
                filled.name = attribute.name
                kept.append(filled)
        copies = [type(a).FromString(a.SerializeToString()) for a in kept]
        del node.attribute[:]
        node.attribute.extend(copies)

    def _fail(self, reason: str) -> None:
        raise NetworkError(f"{self._what}: {reason}; export it without functions")
