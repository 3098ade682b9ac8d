"""Named SQL statements from a file: `-- name --`, a comment what it is for, the statement."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

_HEADING = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)


@cache
def queries(path: Path) -> Mapping[str, LiteralString]:
    """The statements of a file by name; parameters are psycopg's `%(name)s`."""
    parts = _HEADING.split(path.read_text())
    # Statements come from files of this package alone, hence literal in psycopg's sense.
    return {
        name: cast("LiteralString", text.strip())
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def beside(module_file: str, name: str) -> Mapping[str, LiteralString]:
    """The statements of a file beside a module: `beside(__file__, "record.sql")`."""
    return queries(Path(module_file).with_name(name))
