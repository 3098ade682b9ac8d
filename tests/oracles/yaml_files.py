"""OpenAPI files read by YAML 1.2's own rules, each parsed once."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Raw = Any


class _Json(yaml.CSafeLoader):
    """YAML's JSON schema (YAML 1.2, chapter 10.2): no dates, no octal numbers, no yes and no.

    PyYAML alone follows YAML 1.1 and would turn `DateString: 2018-10-20T00:00:00` into a datetime
    and the country code NO into False.
    """

    # Not inherited: the base class resolves by YAML 1.1.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


def _number(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(node.value)


def _integer(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> int:
    return int(node.value)


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"~|null|", ["~", "n", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Json.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )
_Json.add_constructor("tag:yaml.org,2002:int", _integer)
_Json.add_constructor("tag:yaml.org,2002:float", _number)


@cache
def load(path: Path) -> Raw:
    """The file's content; numbers with a fraction are Decimals."""
    with path.open(encoding="utf-8") as file:
        # The loader descends from the safe one.
        return yaml.load(file, Loader=_Json)  # noqa: S506
