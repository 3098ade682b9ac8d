"""Whether a request can be sent at all: the needs that the options show, applied to a body."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from tallystick.connectors.contract import Need, Write
from tallystick.errors import BadRequest, Problem
from tallystick.model.base import Part, Record
from tallystick.push.shape import Kind, Member, members

# Known to be ours or the platform's to say; ignored where a caller sends a record back.
_READ_ONLY = frozenset({"id", "modifiedDate", "sourceModifiedDate", "metadata", "supplementalData"})

_EXPECTED = {
    Kind.Array: "must be a list",
    Kind.Object: "must be an object",
    Kind.String: "must be text",
    Kind.Number: "must be a number",
    Kind.Boolean: "must be true or false",
    Kind.DateTime: "must be a date such as 2026-01-31",
}
_DEPTH_MAX = 30
_EXPONENT_MAX = 15
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a body: the record, or problems; and what was left out, as warnings."""

    record: Record | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def checked(write: Write[Any, Any], body: Mapping[str, Any], *, platform: str) -> Checked:
    """A body held against what the platform takes, before anything is sent."""
    sent = without_nulls(body)
    name = write.type.__name__
    says = dict(_lacking(write.needs, sent))
    record: Record | None = None
    try:
        record = write.type.from_wire(sent)
    except ValidationError as error:
        for item, text in _misshapen(write.type, error):
            # What is looked for inside something of another shape says nothing.
            says = {at: said for at, said in says.items() if not at.startswith(f"{item}.")}
            says.setdefault(item, text)
    if record is not None:
        says |= dict.fromkeys(_beyond_measure(record), "is too large or too small")
    problems = tuple(
        Problem(item, f"Failed to push to {name} as {item} {text}.", name)
        for item, text in says.items()
    )
    return Checked(
        None if problems else record, problems, _left_out(write, sent, platform=platform)
    )


def without_nulls(value: Any, *, depth: int = 0) -> Any:
    """A body as if what is null had not been sent.

    Raises:
        BadRequest: nested deeper than any record is.
    """
    if depth > _DEPTH_MAX:
        raise BadRequest("The body is nested too deeply.")
    if isinstance(value, Mapping):
        return {
            key: without_nulls(inner, depth=depth + 1)
            for key, inner in value.items()
            if inner is not None
        }
    if isinstance(value, list):
        return [without_nulls(inner, depth=depth + 1) for inner in value]
    return value


def pascal(path: str) -> str:
    """`lineItems[0].accountRef.id` as validation items name it."""
    return ".".join(piece[:1].upper() + piece[1:] for piece in path.split("."))


def _lacking(needs: Sequence[Need], body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is missing, too long or not among the choices, by PascalCase path."""
    declared = {need.path for need in needs}
    for need in needs:
        for path, value in _values(need.path.split("."), body, "", declared):
            text = _objection(need, value)
            if text:
                yield pascal(path), text


def _values(
    pieces: Sequence[str], holder: Any, at: str, declared: set[str]
) -> Iterator[tuple[str, Any]]:
    """Every place a path leads to with what stands there; None where nothing does.

    An absent list has no places, and an absent object none where a need of its own speaks for it.
    """
    name, rest = pieces[0], pieces[1:]
    if not isinstance(holder, Mapping):
        return
    value, path = holder.get(name), f"{at}{name}"
    if not rest:
        yield path, value
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _values(rest, element, f"{path}[{index}].", declared)
    elif value is None:
        if _INDEX.sub("", path) not in declared:
            yield from _values(rest, {}, f"{path}.", declared)
    else:
        yield from _values(rest, value, f"{path}.", declared)


def _objection(need: Need, value: Any) -> str | None:
    if value is None or value in ("", []):
        return "is required" if need.required else None
    if need.length_max is not None and isinstance(value, str) and len(value) > need.length_max:
        return f"must not be longer than {need.length_max} characters long"
    if need.choices and isinstance(value, str) and value not in need.choices:
        return f"must be one of {', '.join(need.choices)}"
    return None


def _beyond_measure(value: Any, at: str = "") -> Iterator[str]:
    """Where a number stands that no books hold, and that arithmetic would stumble over."""
    if isinstance(value, Decimal) and value and abs(value.adjusted()) > _EXPONENT_MAX:
        yield pascal(at)
    elif isinstance(value, Part):
        for name, field in type(value).model_fields.items():
            path = f"{at}.{field.alias or name}".lstrip(".")
            yield from _beyond_measure(getattr(value, name), path)
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _beyond_measure(inner, f"{at}[{index}]")


def _misshapen(part: type[Part], error: ValidationError) -> Iterator[tuple[str, str]]:
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in found["loc"])
        member = _member_at(part, [p for p in found["loc"] if isinstance(p, str)])
        if found["type"] == "missing":
            text = "is required"
        elif member is not None and member.words:
            text = f"must be one of {', '.join(member.words)}"
        else:
            text = _EXPECTED[member.kind] if member else "cannot be understood"
        yield pascal(path.lstrip(".")), text


def _member_at(part: type[Part], names: Sequence[str]) -> Member | None:
    found: Member | None = None
    holder: type[Part] | None = part
    for name in names:
        found = members(holder).get(name) if holder else None
        holder = found.part if found else None
    return found


def _left_out(
    write: Write[Any, Any], body: Mapping[str, Any], *, platform: str
) -> tuple[Problem, ...]:
    """What was sent but will not be written, each once however many lines have it."""
    name = write.type.__name__
    known = {need.path for need in write.needs}
    taken = known | {path[:end] for path in known for end, c in enumerate(path) if c == "."}
    texts: dict[str, str] = {}
    for path, is_member in _sent(write.type, body, ""):
        if path in taken or path in _READ_ONLY or path in write.type.computed:
            continue
        text = f"is not taken by {platform}" if is_member else f"is not part of {name}"
        texts.setdefault(pascal(path), f"{pascal(path)} {text} and was left out.")
    return tuple(Problem(item, text, name) for item, text in texts.items())


def _sent(part: type[Part], body: Mapping[str, Any], at: str) -> Iterator[tuple[str, bool]]:
    """Each member with something in it, as a dotted path, and whether the class knows it."""
    known = members(part)
    for name, value in body.items():
        if value in ("", [], {}):
            continue
        member, path = known.get(name), f"{at}{name}"
        inner = value if isinstance(value, list) else [value]
        below = [element for element in inner if isinstance(element, Mapping)]
        if member is not None and member.part is not None and below:
            for element in below:
                yield from _sent(member.part, element, f"{path}.")
        else:
            yield path, member is not None
