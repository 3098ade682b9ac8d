"""Short lists that are filtered and ordered in memory, by the same language as the long ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from tallystick.http.endpoint import Call
from tallystick.query import language, order
from tallystick.query.comparison import folded
from tallystick.query.fields import Fields
from tallystick.query.matches import Plain, matches

T = TypeVar("T")


def asked_for(
    call: Call,
    items: Sequence[T],
    *,
    values: Callable[[T], Mapping[str, Plain]],
    fields: Fields,
) -> list[T]:
    """The items a request's `query` matches, in the order of its `orderBy`, else as they come."""
    found = list(items)
    if query := call.param("query"):
        tree = language.parse(query)
        # Asked of nothing first, so that a mistake is told even where the list is empty.
        matches(tree, {}, fields)
        found = [item for item in found if matches(tree, values(item), fields)]
    if wanted := call.param("orderBy"):
        by = order.parse(wanted, fields)

        def held(item: T) -> Plain:
            return values(item).get(by.field.path)

        present = [item for item in found if held(item) is not None]
        missing = [item for item in found if held(item) is None]
        present.sort(key=lambda item: _key(held(item)), reverse=by.descending)
        found = [*present, *missing]
    return found


def _key(value: Plain) -> Any:
    return folded(value) if isinstance(value, str) else value
