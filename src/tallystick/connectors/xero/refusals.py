"""What Xero says is wrong with a record: its ValidationErrors as problems of ours."""

from collections.abc import Iterator
from typing import Any

from tallystick.connectors.contract import Raw
from tallystick.errors import Problem


def problems(body: Raw) -> tuple[Problem, ...]:
    """All of an error body's or a record's ValidationErrors, each with the place it stands at."""
    if isinstance(body, dict) and isinstance(body.get("Elements"), list):
        found = [one for element in body["Elements"] for one in _walk(element, "")]
    else:
        found = list(_walk(body, ""))
    return tuple(dict.fromkeys(found))


def warnings(record: Raw) -> tuple[Problem, ...]:
    if not isinstance(record, dict):
        return ()
    # Payments were seen to spell it in small letters.
    raw = record.get("Warnings") or record.get("warnings")
    return tuple(Problem("", message, "Xero") for message in _messages(raw))


def is_error(record: Raw) -> bool:
    """Whether this element of a 200 answer was refused (summarizeErrors=false)."""
    if not isinstance(record, dict):
        return True
    status = record.get("StatusAttributeString")
    if status == "ERROR" or record.get("HasErrors") is True:
        return True
    return status != "OK" and bool(problems(record))


def _walk(value: Any, at: str) -> Iterator[Problem]:
    """Xero nests errors where they belong: on a line, on one payment of a batch."""
    if isinstance(value, list):
        for position, element in enumerate(value):
            yield from _walk(element, f"{at}[{position}]")
    elif isinstance(value, dict):
        for message in _messages(value.get("ValidationErrors")):
            yield Problem(at, message, "Xero")
        for key, inner in value.items():
            if key not in {"ValidationErrors", "Warnings", "warnings"}:
                yield from _walk(inner, f"{at}.{key}" if at else key)


def _messages(raw: Any) -> Iterator[str]:
    for entry in raw if isinstance(raw, list) else ():
        message = entry.get("Message") if isinstance(entry, dict) else None
        if isinstance(message, str) and message.strip():
            yield message.strip()
