"""Identifiers: random for what happens, derived for what must be the same everywhere."""

import uuid

_SPACE = uuid.UUID("6f1c9c2e-8f5b-5b57-9a39-0d1a6a1f7c11")


def new_id() -> str:
    """A fresh random id (UUID 4) as lower-case text."""
    return str(uuid.uuid4())


def new_correlation_id() -> str:
    """32 hexadecimal digits, as error bodies and logs show them."""
    return uuid.uuid4().hex


def derived_id(*parts: str) -> str:
    """The same parts always give the same id (UUID 5)."""
    return str(uuid.uuid5(_SPACE, "/".join(parts)))


def is_uuid(text: str) -> bool:
    return canonical(text) is not None


def canonical(text: str) -> str | None:
    """An id as it is stored, whichever of its spellings was sent; None where the text is none.

    Python takes braces, prefixes, hyphens anywhere and the digits of any script.
    """
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None
