"""Finds the endpoint of a path: a tree of its pieces, because there are too many to try in turn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from tallystick.http.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Leaf:
    """One endpoint and what its path calls the pieces that vary."""

    endpoint: Endpoint
    names: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    leaves: dict[str, Leaf] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """What there is at a path: by method, and the pieces that vary, decoded."""

    leaves: Mapping[str, Leaf]
    values: tuple[str, ...]


class Routes:
    """All endpoints by path. Literal pieces match in any case, and before those that vary."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root = _Node()
        for endpoint in endpoints:
            for path in (endpoint.path, *endpoint.aliases):
                self._add(path, endpoint)

    def _add(self, path: str, endpoint: Endpoint) -> None:
        node, names = self._root, []
        for piece in path.strip("/").split("/"):
            if piece.startswith("{"):
                names.append(piece[1:-1])
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literals.setdefault(piece.lower(), _Node())
        if endpoint.method in node.leaves:
            raise ValueError(f"{endpoint.method} {path} is there twice.")
        node.leaves[endpoint.method] = Leaf(endpoint, tuple(names))

    def find(self, raw_path: str) -> Found | None:
        """What there is at an encoded path; a slash at its end does not count."""
        return _find(self._root, raw_path.strip("/").split("/"), 0, ())


def _find(node: _Node, pieces: list[str], at: int, values: tuple[str, ...]) -> Found | None:
    if at == len(pieces):
        return Found(node.leaves, values) if node.leaves else None
    piece = pieces[at]
    if literal := node.literals.get(piece.lower()):
        found = _find(literal, pieces, at + 1, values)
        if found is not None:
            return found
    if node.any is None or not piece:
        return None
    return _find(node.any, pieces, at + 1, (*values, unquote(piece)))
