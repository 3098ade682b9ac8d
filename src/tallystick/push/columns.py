"""JSON texts in the columns of an operation, both ways, with exact numbers."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.connectors.contract import Change, Picture
from tallystick.errors import Problem
from tallystick.lib import json
from tallystick.push.outcomes import Refusal


def text(value: Any) -> str | None:
    """None stays null."""
    return None if value is None else json.dumps(value).decode()


def value(column: str | None) -> Any:
    return None if column is None else json.loads(column)


def changes_text(changes: Iterable[Change]) -> str | None:
    return text([{"type": c.type, "dataType": c.data_type, "id": c.id} for c in changes])


def changes(column: str | None) -> tuple[Change, ...]:
    return tuple(Change(c["dataType"], c["id"], c["type"]) for c in value(column) or ())


def picture_text(picture: Picture) -> str | None:
    return text({"seen": dict(picture.seen), "balances": dict(picture.balances)})


def picture(column: str | None) -> Picture:
    held = value(column)
    if held is None:
        return Picture()
    return Picture(
        seen={name: tuple(ids) for name, ids in held["seen"].items()},
        balances={key: Decimal(amount) for key, amount in held["balances"].items()},
    )


def refusal_text(refusal: Refusal) -> str | None:
    return text(
        {
            "message": refusal.message,
            "statusCode": refusal.status_code,
            "problems": problem_items(refusal.problems),
        }
    )


def refusal(column: str | None) -> Refusal | None:
    held = value(column)
    if held is None:
        return None
    return Refusal(held["message"], problems(held["problems"]), held["statusCode"])


def validation_text(errors: Sequence[Problem], warnings: Sequence[Problem]) -> str | None:
    """As the wire shows it; null where there is nothing to say."""
    if not errors and not warnings:
        return None
    return text({"errors": problem_items(errors), "warnings": problem_items(warnings)})


def problem_items(problems: Iterable[Problem]) -> list[Mapping[str, str]]:
    return [
        {"itemId": one.item_id, "message": one.message, "validatorName": one.validator}
        for one in problems
    ]


def problems(items: Iterable[Mapping[str, str]] | None) -> tuple[Problem, ...]:
    return tuple(
        Problem(one["itemId"], one["message"], one["validatorName"]) for one in items or ()
    )
