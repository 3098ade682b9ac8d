"""Judges calls of Xero's token endpoint by the schemas of its identity file and by RFC 6749."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from tests.oracles.openapi_bodies import check_answered, closed
from tests.oracles.openapi_paths import SpecViolation
from tests.oracles.xero_specification import identity
from tests.oracles.yaml_files import Raw

# Per grant: the fields that must be sent, and those that may be (RFC 6749 4.1.3 and 6, RFC 7636).
_GRANTS: Final[dict[str, tuple[set[str], set[str]]]] = {
    "authorization_code": ({"grant_type", "code", "redirect_uri"}, {"code_verifier"}),
    "refresh_token": ({"grant_type", "refresh_token"}, {"scope"}),
}
_GIVEN: Final = ("access_token", "expires_in", "token_type")


def validate_token_request(headers: Mapping[str, str], body: bytes) -> None:
    """Refuses a token request a confidential Xero app would not send."""
    small = {name.lower(): value for name, value in headers.items()}
    if not small.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise SpecViolation("token: takes a form")
    if not small.get("authorization", "").startswith("Basic "):
        raise SpecViolation("token: the client names itself by HTTP Basic")
    sent = dict(parse_qsl(body.decode(), keep_blank_values=True))
    grant = sent.get("grant_type", "")
    if grant not in _GRANTS:
        raise SpecViolation(f"token: unknown grant {grant!r}")
    must, may = _GRANTS[grant]
    if must - set(sent) or set(sent) - must - may:
        raise SpecViolation(f"token: {grant} sent with the fields {sorted(sent)}")
    if not all(sent.values()):
        raise SpecViolation(f"token: {grant} sent with an empty field")


def validate_token_response(status: int, body: Raw) -> None:
    """Refuses tokens that are not Xero's, and errors that are not OAuth's."""
    if status != 200:
        if status == 400 and not isinstance(body.get("error"), str):
            raise SpecViolation("token answered 400: without an 'error'")
        return
    schemas = identity().answered
    tokens = schemas["AccessToken"]
    properties = {**tokens["properties"], "scope": {"type": "string"}}
    schema = closed({**tokens, "properties": properties, "required": list(_GIVEN)})
    check_answered(what="token answered 200", schema=schema, schemas=schemas, body=body)
