"""The native records Xero publishes as examples in its OpenAPI file, and which of them are odd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from tests.oracles.openapi_paths import Operation
from tests.oracles.xero_specification import (
    Specification,
    accounting,
    collection,
    json_media,
)
from tests.oracles.yaml_files import Raw

# Fits ids, numbers given as text and file names alike, but not JournalNumber, which shows nothing.
_INVENTED: Final = "3f1c7f4e-0d67-4d5e-9a51-7f2f6f1f0a11"

Side = Literal["answers", "requests"]


@dataclass(frozen=True, slots=True)
class Example:
    """One whole published body: what is sent (status None), or what is answered."""

    operation: Operation
    status: int | None
    body: Raw

    @property
    def name(self) -> str:
        return f"{self.operation} {'request' if self.status is None else self.status}"

    @property
    def path(self) -> str:
        """The operation's path with invented ids."""
        steps = self.operation.template.split("/")
        return "/".join(_INVENTED if step.startswith("{") else step for step in steps)

    @property
    def schema(self) -> Raw:
        operation = self.operation
        content = operation.request if self.status is None else operation.answers[str(self.status)]
        return json_media(content)["schema"]


def bodies() -> Iterator[Example]:
    """Every published body, in the order of the file."""
    for operation in accounting().operations:
        sent = json_media(operation.request).get("example")
        if sent is not None:
            yield Example(operation, None, sent)
        for status, answer in operation.answers.items():
            body = json_media(answer).get("example")
            if body is not None:
                # One is written as a string of JSON.
                yield Example(operation, int(status), _parsed(body))


def _parsed(body: Raw) -> Raw:
    return json.loads(body) if isinstance(body, str) else body


def examples(side: Side = "answers") -> Iterator[tuple[str, Raw]]:
    """Each different record published, with its collection; those sent apart from those answered.

    Bodies that are no record (deletions by id, for one) come under their schema's name.
    """
    seen = set()
    for example in bodies():
        wanted = example.status == 200 if side == "answers" else example.status is None
        if not wanted:
            continue
        for name, record in _records(example):
            mark = (name, json.dumps(record, sort_keys=True, default=str))
            if mark not in seen:
                seen.add(mark)
                yield name, record


def _records(example: Example) -> Iterator[tuple[str, Raw]]:
    wrapped = collection(accounting(), example.schema)
    if wrapped is None:
        name = _schema_name(example.schema)
        yield from _bare(_collections().get(name, name), example.body)
        return
    # Some examples spell their collection another way (bankTransactions).
    spelled = {key.lower(): value for key, value in example.body.items()}
    held = spelled.get(wrapped[0].lower(), [])
    for record in held if isinstance(held, list) else [held]:
        yield wrapped[0], record


def _bare(name: str, body: Raw) -> Iterator[tuple[str, Raw]]:
    """The record itself, or the list form some examples give of it."""
    inner = next(iter(body.values()), None)
    if len(body) == 1 and isinstance(inner, list):
        yield from ((name, one) for one in inner)
    else:
        yield name, body


def _schema_name(schema: Raw) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


@cache
def _collections() -> dict[str, str]:
    """Schema of one record to the collection it stands in: Invoice to Invoices."""
    return dict(_named(accounting()))


def _named(specification: Specification) -> Iterator[tuple[str, str]]:
    for name in specification.document["components"]["schemas"]:
        wrapped = collection(specification, {"$ref": f"#/components/schemas/{name}"})
        if wrapped and wrapped[0] == name:
            yield _schema_name(wrapped[1]), name
