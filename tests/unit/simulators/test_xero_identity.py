"""Consent, rotating tokens, revocation and connections of the simulated Xero."""

from datetime import timedelta
from pathlib import Path

import jwt
from tests.unit.simulators.xero_session import BACK, SCOPE, Session, session


def bearer(xero: Session) -> dict[str, str]:
    return {"authorization": f"Bearer {xero.access_token}", "accept": "application/json"}


async def renewed(xero: Session, token: str) -> tuple[int, str]:
    answer = await xero.token(grant_type="refresh_token", refresh_token=token)
    return answer.status_code, answer.json().get("refresh_token", answer.json().get("error"))


async def test_the_consent_page_names_itself_and_the_organisations(xero: Session) -> None:
    query = {"response_type": "code", "client_id": "simulated-xero", "redirect_uri": BACK}
    page = await xero.plain.get("/xero/identity/connect/authorize", params=query)
    assert "<h1>Simulated Xero</h1>" in page.text
    assert "Harrow &amp; Vale Joinery Ltd" in page.text


async def test_a_customer_may_say_no(xero: Session) -> None:
    assert await xero.consent(xero.tenant, decision="cancel") == ""


async def test_consent_leads_back_to_this_computer_only(xero: Session) -> None:
    query = {
        "response_type": "code",
        "client_id": "simulated-xero",
        "redirect_uri": "https://evil.example/x",
    }
    page = await xero.plain.get("/xero/identity/connect/authorize", params=query)
    assert page.status_code == 400


async def test_a_code_is_good_once(xero: Session) -> None:
    code = await xero.consent(xero.tenant)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    assert (await xero.token(**form)).status_code == 200
    assert (await xero.token(**form)).json() == {"error": "invalid_grant"}


async def test_the_app_must_know_its_secret(xero: Session) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": xero.refresh_token}
    answer = await xero.plain.post(
        "/xero/identity/connect/token", data=form, auth=("simulated-xero", "wrong")
    )
    assert answer.json() == {"error": "invalid_client"}


async def test_the_token_tells_which_connection_was_just_made(xero: Session) -> None:
    claims = jwt.decode(xero.access_token, options={"verify_signature": False})
    answer = await xero.http.get("/xero/connections", headers=bearer(xero))
    (made,) = answer.json()
    assert made["authEventId"] == claims["authentication_event_id"]
    assert made["tenantId"] == xero.tenant
    assert len(made["createdDateUtc"]) == len("2019-12-07T18:46:19.5165400")


async def test_every_refresh_gives_a_new_token_and_the_old_one_has_half_an_hour(
    xero: Session,
) -> None:
    first = xero.refresh_token
    status, second = await renewed(xero, first)
    assert status == 200
    assert second != first
    assert (await renewed(xero, first))[0] == 200, "within the grace a lost answer is asked again"
    xero.app.world.clock.advance(timedelta(minutes=31))
    assert await renewed(xero, first) == (400, "invalid_grant")
    assert (await renewed(xero, second))[0] == 200


async def test_a_refresh_token_dies_after_sixty_days_unused(xero: Session) -> None:
    xero.app.world.clock.advance(timedelta(days=61))
    assert await renewed(xero, xero.refresh_token) == (400, "invalid_grant")


async def test_an_access_token_lasts_half_an_hour(xero: Session) -> None:
    await xero.ok("GET", "/Organisation")
    xero.app.world.clock.advance(timedelta(minutes=31))
    answer = await xero.call("GET", "/Organisation")
    assert answer.status_code == 401
    assert "TokenExpired" in answer.json()["Detail"]


async def test_without_offline_access_there_is_no_refresh_token(xero: Session) -> None:
    await xero.grant(xero.tenant, scope="accounting.transactions")
    assert xero.refresh_token == ""


async def test_a_missing_scope_is_said(xero: Session) -> None:
    await xero.grant(xero.tenant, scope="accounting.contacts.read")
    assert (await xero.call("GET", "/Contacts")).status_code == 200
    answer = await xero.call("GET", "/Accounts")
    assert (answer.status_code, answer.json()["Detail"]) == (401, "AuthorizationUnsuccessful")
    write = await xero.call("PUT", "/Contacts", {"Contacts": [{"Name": "x"}]})
    assert write.status_code == 401


async def test_granular_scopes_open_the_same_doors(xero: Session) -> None:
    await xero.grant(xero.tenant, scope="accounting.invoices accounting.payments")
    assert (await xero.call("GET", "/Invoices")).status_code == 200
    assert (await xero.call("GET", "/BatchPayments")).status_code == 200


async def test_another_organisation_stays_closed(xero: Session) -> None:
    other = (await xero.organisations())[1]["id"]
    answer = await xero.call("GET", "/Organisation", headers={"xero-tenant-id": other})
    assert answer.status_code == 403


async def test_disconnecting_closes_the_organisation(xero: Session) -> None:
    (made,) = (await xero.http.get("/xero/connections", headers=bearer(xero))).json()
    gone = await xero.http.delete(f"/xero/connections/{made['id']}", headers=bearer(xero))
    assert gone.status_code == 204
    assert (await xero.call("GET", "/Organisation")).status_code == 403


async def test_revoking_takes_every_connection_of_the_user(xero: Session) -> None:
    auth = (xero.app.world.client_id, xero.app.world.client_secret)
    form = {"token": xero.refresh_token}
    answer = await xero.plain.post("/xero/identity/connect/revocation", data=form, auth=auth)
    assert answer.status_code == 200
    assert (await xero.call("GET", "/Organisation")).status_code == 401
    assert await renewed(xero, xero.refresh_token) == (400, "invalid_grant")


async def test_a_customer_who_leaves_is_gone_until_consent(xero: Session) -> None:
    await xero.control("POST", f"/organisations/{xero.tenant}/revoke")
    assert (await xero.call("GET", "/Organisation")).status_code == 403
    assert await renewed(xero, xero.refresh_token) == (400, "invalid_grant")
    await xero.grant(xero.tenant)
    await xero.ok("GET", "/Organisation")


async def test_books_tokens_and_clock_outlive_a_restart(tmp_path: Path) -> None:
    async with session(tmp_path) as first:
        first.app.world.clock.advance(timedelta(days=3))
        offset = first.app.world.clock.offset()
        await first.grant(first.tenant, scope=SCOPE)
        made = await first.ok("PUT", "/Contacts", {"Contacts": [{"Name": "Remembered"}]})
        ledger = await first.ledger()
        held = (first.tenant, first.access_token, first.refresh_token)
    async with session(tmp_path, grant=False) as second:
        second.tenant, second.access_token, second.refresh_token = held
        assert second.app.world.clock.offset() == offset
        id_ = made["Contacts"][0]["ContactID"]
        assert (await second.one("Contacts", id_))["Name"] == "Remembered"
        assert await second.ledger() == ledger
        assert (await renewed(second, held[2]))[0] == 200
