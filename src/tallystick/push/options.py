"""What a platform takes of a record, shown to callers before they write."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.connectors.contract import Need, Write
from tallystick.model.base import Part
from tallystick.push.shape import Kind, Member, members

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def option(write: Write[Any, Any], *, platform: str) -> dict[str, Any]:
    """The tree of properties of one data type, as `GET .../options/{dataType}` answers it.

    An array's `properties` describe one element. A property without choices is free.
    """
    name = write.type.__name__
    return {
        "type": Kind.Object,
        "displayName": _words(name),
        "description": f"What {platform} takes to create a record of {write.type.key}.",
        "required": True,
        "properties": _properties(write.type, write.needs, at=""),
    }


def _properties(part: type[Part], needs: Sequence[Need], *, at: str) -> dict[str, Any]:
    known = members(part)
    named = dict.fromkeys(need.path.removeprefix(at).split(".", 1)[0] for need in needs)
    return {name: _property(known[name], needs, at=at) for name in named}


def _property(member: Member, needs: Sequence[Need], *, at: str) -> dict[str, Any]:
    path = at + member.name
    own = next((need for need in needs if need.path == path), Need(path))
    below = [need for need in needs if need.path.startswith(f"{path}.")]
    shown: dict[str, Any] = {
        "type": member.kind,
        "displayName": _words(member.name),
        # Every property has a description: official clients drop the whole map where one lacks it.
        "description": own.note or _words(member.name),
        "required": own.required,
    }
    if member.part is not None and below:
        shown["properties"] = _properties(member.part, below, at=f"{path}.")
        shown["required"] = own.required or (
            member.kind is Kind.Object and any(_is_required_child(need, path) for need in below)
        )
    choices = own.choices or (member.words if own.path == path else ())
    if choices:
        shown["options"] = [_choice(value) for value in choices]
    if own.length_max is not None:
        shown["validation"] = _limits(member, own.length_max)
    return shown


def _is_required_child(need: Need, path: str) -> bool:
    return need.required and "." not in need.path.removeprefix(f"{path}.")


def _choice(value: str) -> Mapping[str, Any]:
    words = _words(value)
    return {
        "value": value,
        "type": Kind.String,
        "displayName": words,
        "description": words,
        "required": False,
    }


def _limits(member: Member, length_max: int) -> dict[str, Any]:
    details = f"Must not be longer than {length_max} characters."
    field = member.name[:1].upper() + member.name[1:]
    return {"warnings": [{"field": field, "details": details}], "information": []}


def _words(name: str) -> str:
    """`supplierRef` as people read it: `Supplier Ref`."""
    spaced = _HUMP.sub(" ", name)
    return spaced[:1].upper() + spaced[1:]
