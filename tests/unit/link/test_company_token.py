"""The token a browser holds for one company."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from tallystick.access import tokens
from tallystick.errors import Forbidden, NotAuthenticated
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
COMPANY, CLIENT = new_id(), new_id()


def _token(vault: Vault) -> str:
    return tokens.issue(vault, company_id=COMPANY, client_id=CLIENT, now=NOW)


def test_a_token_names_its_company_and_client(vault: Vault) -> None:
    held = tokens.check(vault, _token(vault), NOW)
    assert (held.company_id, held.client_id) == (COMPANY, CLIENT)
    assert held.expires_at == NOW + timedelta(days=1)


def test_a_token_lasts_one_day_by_the_given_clock(vault: Vault) -> None:
    token = _token(vault)
    tokens.check(vault, token, NOW + timedelta(hours=23, minutes=59))
    with pytest.raises(NotAuthenticated, match="expired"):
        tokens.check(vault, token, NOW + timedelta(days=1))


def test_a_token_of_another_key_is_refused(vault: Vault) -> None:
    with pytest.raises(NotAuthenticated):
        tokens.check(Vault(bytes(32)), _token(vault), NOW)


def test_an_altered_token_is_refused(vault: Vault) -> None:
    head, body, signature = _token(vault).split(".")
    with pytest.raises(NotAuthenticated):
        tokens.check(vault, ".".join((head, body[:-2] + "AA", signature)), NOW)


@pytest.mark.parametrize("text", ["", "a.b.c", "no token", "é"])
def test_what_is_no_token_is_refused(vault: Vault, text: str) -> None:
    with pytest.raises(NotAuthenticated):
        tokens.check(vault, text, NOW)


def test_an_unsigned_token_is_refused(vault: Vault) -> None:
    claims = jwt.decode(_token(vault), options={"verify_signature": False})
    with pytest.raises(NotAuthenticated):
        tokens.check(vault, jwt.encode(claims, "", algorithm="none"), NOW)


def test_a_token_made_for_something_else_is_forbidden(vault: Vault) -> None:
    claims = jwt.decode(_token(vault), options={"verify_signature": False}) | {"scope": "other"}
    other = jwt.encode(claims, vault.derived("access-token"), algorithm="HS256")
    with pytest.raises(Forbidden):
        tokens.check(vault, other, NOW)


def test_a_token_that_lacks_a_claim_is_refused(vault: Vault) -> None:
    bare = jwt.encode({"sub": COMPANY}, vault.derived("access-token"), algorithm="HS256")
    with pytest.raises(NotAuthenticated):
        tokens.check(vault, bare, NOW)
