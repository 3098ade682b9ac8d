"""Finding the operation of an OpenAPI file that a method and a path mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote
from uuid import UUID

from tests.oracles.yaml_files import Raw

METHODS: Final = ("get", "put", "post", "delete", "patch")


class SpecViolation(AssertionError):
    """A request or an answer that the specification does not allow."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    place: str
    required: bool
    schema: Raw


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, with its references followed one step."""

    method: str
    template: str
    parameters: tuple[Parameter, ...]
    request: Raw
    answers: dict[str, Raw]

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def named(self, place: str) -> dict[str, Parameter]:
        return {one.name: one for one in self.parameters if one.place == place}


def follow(document: Raw, node: Raw) -> Raw:
    """The node itself, or what its reference points at."""
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for step in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def operations(document: Raw) -> Iterator[Operation]:
    for template, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(document, template=template, method=method, item=item)


def _operation(document: Raw, *, template: str, method: str, item: Raw) -> Operation:
    declared = [*item.get("parameters", []), *item[method].get("parameters", [])]
    followed = [follow(document, one) for one in declared]
    answers = item[method]["responses"]
    return Operation(
        method=method.upper(),
        template=template,
        parameters=tuple(
            Parameter(one["name"], one["in"], one.get("required", False), one["schema"])
            for one in followed
        ),
        request=follow(document, item[method].get("requestBody")),
        answers={str(status): follow(document, one) for status, one in answers.items()},
    )


def find(known: tuple[Operation, ...], *, method: str, path: str) -> Operation:
    """The operation meant: literal path steps win over ids, ids over free text."""
    fits = {
        looseness: one
        for one in known
        if one.method == method.upper() and (looseness := _looseness(one, path)) is not None
    }
    if not fits:
        raise SpecViolation(f"{method.upper()} {path}: the specification has no such operation")
    return fits[min(fits)]


def _looseness(operation: Operation, path: str) -> tuple[int, ...] | None:
    """Per step 0 for a literal, 1 for an id, 2 for free text; None when the path does not fit."""
    wanted, given = operation.template.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    found = []
    for want, have in zip(wanted, given, strict=True):
        looseness = _step(operation, want, unquote(have))
        if looseness is None:
            return None
        found.append(looseness)
    return tuple(found)


def _step(operation: Operation, want: str, have: str) -> int | None:
    if not want.startswith("{"):
        return 0 if want == have else None
    schema = operation.named("path")[want.strip("{}")].schema
    if schema.get("format") == "uuid":
        return 1 if is_uuid(have) else None
    if schema["type"] == "integer":
        return 1 if have.isdigit() else None
    return 2 if have else None


def is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
