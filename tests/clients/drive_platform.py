"""Every call of `codat-platform` that Tallystick answers, inside the client's environment."""

# mypy: disable-error-code="import-not-found"

import json
import sys
from dataclasses import dataclass
from typing import Any

from codat_platform import CodatPlatform
from codat_platform.models import errors, shared
from codat_platform.utils.retries import BackoffStrategy, RetryConfig
from tests.clients.drive import Drive, Observed, Step, credentials, methods, placeholders, run
from tests.clients.scope import PLATFORM, REFUSALS

XERO = "gbol"
NOBODY = "00000000-0000-4000-8000-000000000000"
OPTIONS = ("suppliers", "bills", "billCreditNotes", "billPayments", "bankAccounts")
_NOT_YET_BUILT = "qhyg"
_BAD = range(400, 401)


@dataclass(slots=True)
class Scene:
    """One caller, with a company that was read and written, and one to unlink."""

    drive: Drive
    base_url: str
    company_id: str
    connection_id: str
    fresh_company_id: str
    fresh_connection_id: str
    """Linked, read and not written: refreshing costs calls of the platform's limit."""

    spare_company_id: str
    spare_connection_id: str


def connect(base_url: str, key: str) -> Drive:
    http = Observed()
    client = CodatPlatform(
        security=shared.Security(auth_header=credentials(key)),
        server_url=base_url,
        client=http,
        retry_config=RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False),
        timeout_ms=30_000,
    )
    return Drive(client, http, errors.ErrorMessage, shown)


def shown(parsed: Any) -> Any:
    if isinstance(parsed, list):
        return [shown(one) for one in parsed]
    return parsed.to_dict() if hasattr(parsed, "to_dict") else parsed


def companies_are_made_read_changed_and_deleted(scene: Scene) -> None:
    drive = scene.drive
    request = {"name": "Platform Ltd", "description": "Made by a client", "tags": {"by": "client"}}
    made = drive.call("companies.create", **request)
    read = drive.call("companies.get", company_id=made.id)
    drive.expect(read.name == "Platform Ltd" and read.tags == {"by": "client"}, str(read))
    changed = drive.call(
        "companies.update", company_id=made.id, company_update_request={"name": "Renamed Ltd"}
    )
    drive.expect(changed.name == "Renamed Ltd" and changed.tags == {"by": "client"}, str(changed))
    replaced = drive.call(
        "companies.replace", company_id=made.id, company_request_body={"name": "Replaced Ltd"}
    )
    drive.expect(replaced.name == "Replaced Ltd" and not replaced.tags, str(replaced))
    drive.call("companies.delete", company_id=made.id)
    drive.refused("companies.get", status=404, company_id=made.id)


def companies_are_listed_by_page_query_order_and_tag(scene: Scene) -> None:
    drive = scene.drive
    for number in range(3):
        drive.call("companies.create", name=f"Listed {number}", tags={"batch": "listed"})
    page = drive.call("companies.list", page=2, page_size=1, query="name~Listed", order_by="-name")
    drive.expect(page.total_results == 3, str(page.total_results))
    drive.expect([one.name for one in page.results] == ["Listed 1"], str(page.results))
    drive.expect(bool(page.links.next.href and page.links.previous.href), str(page.links))
    tagged = drive.call("companies.list", tags="batch=listed")
    drive.expect(tagged.total_results == 3, str(tagged.total_results))
    linked = drive.call("companies.list", query="dataConnections.status=Linked")
    drive.expect(scene.company_id in [one.id for one in linked.results], str(linked.results))


def connections_are_made_listed_and_deleted(scene: Scene) -> None:
    drive = scene.drive
    company = drive.call("companies.create", name="Connecting Ltd")
    made = drive.call(
        "connections.create", company_id=company.id, request_body={"platform_key": XERO}
    )
    drive.expect(made.status == "PendingAuth", str(made.status))
    listed = drive.call(
        "connections.list", company_id=company.id, query="status=PendingAuth", order_by="-created"
    )
    drive.expect([one.id for one in listed.results] == [made.id], str(listed))
    read = drive.call("connections.get", company_id=company.id, connection_id=made.id)
    drive.expect(read.link_url == made.link_url, str(read))
    seen = drive.call("companies.get", company_id=company.id)
    drive.expect([one.id for one in seen.data_connections] == [made.id], str(seen))
    drive.call("connections.delete", company_id=company.id, connection_id=made.id)
    drive.refused("connections.get", status=404, company_id=company.id, connection_id=made.id)


def a_connection_is_unlinked(scene: Scene) -> None:
    ids = {"company_id": scene.spare_company_id, "connection_id": scene.spare_connection_id}
    linked = scene.drive.call("connections.get", **ids)
    scene.drive.expect(linked.status == "Linked", str(linked.status))
    status = {"status": "Unlinked"}
    unlinked = scene.drive.call("connections.unlink", **ids, update_connection_status=status)
    scene.drive.expect(unlinked.status == "Unlinked", str(unlinked.status))
    scene.drive.declined(
        "connections.unlink", statuses=_BAD, **ids, update_connection_status=status
    )


def nothing_is_read_through_a_connection_that_is_not_linked(scene: Scene) -> None:
    scene.drive.declined(
        "refresh_data.by_data_type",
        statuses=_BAD,
        company_id=scene.spare_company_id,
        data_type="bills",
        connection_id=scene.spare_connection_id,
    )


def tokens_from_elsewhere_are_refused(scene: Scene) -> None:
    scene.drive.declined(
        "connections.update_authorization",
        statuses=_BAD,
        company_id=scene.company_id,
        connection_id=scene.connection_id,
        request_body={"access_token": "invented"},
    )


def a_platform_that_is_not_built_is_refused_by_name(scene: Scene) -> None:
    scene.drive.declined(
        "connections.create",
        statuses=_BAD,
        company_id=scene.company_id,
        request_body={"platform_key": _NOT_YET_BUILT},
    )


def integrations_are_listed_shown_and_branded(scene: Scene) -> None:
    drive = scene.drive
    page = drive.call("integrations.list", query="sourceType=accounting&&enabled=true")
    drive.expect(XERO in [one.key for one in page.results], str(page.results))
    drive.call("integrations.list", page=1, page_size=2, order_by="name")
    one = drive.call("integrations.get", platform_key=XERO)
    drive.expect(bool(one.datatype_features), str(one))
    branding = drive.call("integrations.get_branding", platform_key=XERO)
    drive.expect(bool(branding.logo.full.image.src), str(branding))
    drive.refused("integrations.get", status=404, platform_key="none")


def api_keys_are_made_listed_and_deleted(scene: Scene) -> None:
    drive = scene.drive
    made = drive.call("settings.create_api_key", name="second")
    second = connect(scene.base_url, made.api_key)
    second.step = drive.step
    second.call("companies.list")
    listed = drive.call("settings.list_api_keys")
    drive.expect(made.id in [one.id for one in listed.results], str(listed.results))
    drive.unparsed("settings.delete_api_key", status=204, api_key_id=made.id)
    second.refused("companies.list", status=401)


def an_eleventh_api_key_is_a_conflict(scene: Scene) -> None:
    drive = scene.drive
    made: list[str] = []
    while len(drive.call("settings.list_api_keys").results) < 10:
        made.append(drive.call("settings.create_api_key", name=f"key {len(made)}").id)
    drive.refused("settings.create_api_key", status=409, name="one too many")
    for key_id in made:
        drive.unparsed("settings.delete_api_key", status=204, api_key_id=key_id)


def the_profile_is_replaced(scene: Scene) -> None:
    drive = scene.drive
    profile = drive.call("settings.get_profile")
    drive.expect(bool(profile.name), str(profile))
    sent = {
        "name": profile.name,
        "logo_url": "https://example.com/logo.png",
        "icon_url": "https://example.com/icon.png",
        "redirect_url": "https://example.com/{companyId}",
        "white_list_urls": ["https://example.com"],
        "confirm_company_name": True,
    }
    drive.call("settings.update_profile", **sent)
    read = drive.call("settings.get_profile")
    drive.expect(read.redirect_url == "https://example.com/{companyId}", str(read))
    drive.call("settings.update_profile", name=profile.name, redirect_url="")


def the_profiles_sync_settings_are_kept(scene: Scene) -> None:
    drive = scene.drive
    held = drive.call("settings.get_sync_settings")
    drive.expect(bool(held.settings), str(held))
    sent = [one.model_dump() for one in held.settings]
    request = {"client_id": held.client_id, "settings": sent, "overrides_defaults": True}
    drive.call("settings.update_sync_settings", **request)
    again = drive.call("settings.get_sync_settings")
    before = {one.data_type: one.fetch_on_first_link for one in held.settings}
    after = {one.data_type: one.fetch_on_first_link for one in again.settings}
    drive.expect({k: after[k] for k in before} == before, str(after))


def a_companys_sync_settings_are_kept(scene: Scene) -> None:
    drive, company_id = scene.drive, scene.company_id
    drive.call("companies.get_company_sync_settings", company_id=company_id)
    setting = {
        "data_type": "bills",
        "fetch_on_first_link": True,
        "sync_schedule": 24,
        "sync_order": 1,
        "sync_from_window": 12,
        "months_to_sync": 24,
        "is_locked": False,
    }
    drive.call(
        "companies.set_company_sync_settings",
        company_id=company_id,
        request_body={
            "company_id": company_id,
            "settings": [setting],
            "overrides_defaults": True,
        },
    )
    held = drive.call("companies.get_company_sync_settings", company_id=company_id)
    bills = next(one for one in held.settings if one.data_type == "bills")
    drive.expect(bills.sync_schedule == 24 and bills.sync_from_window == 12, str(bills))


def data_is_refreshed_and_its_history_told(scene: Scene) -> None:
    drive, company_id = scene.drive, scene.fresh_company_id
    drive.call("refresh_data.all", company_id=company_id)
    drive.until(lambda: _all_done(scene), what="the refresh of all data types", within_s=240)
    queued = drive.call("refresh_data.by_data_type", company_id=company_id, data_type="suppliers")
    drive.expect(queued.data_type == "suppliers", str(queued))

    def ended() -> Any:
        found = drive.call(
            "refresh_data.get_pull_operation", company_id=company_id, dataset_id=queued.id
        )
        return found if found.is_completed else None

    done = drive.until(ended, what="the refresh of suppliers", within_s=120)
    drive.expect(done.status == "Complete" and done.progress == 100, str(done))
    history = drive.call(
        "refresh_data.list_pull_operations",
        company_id=company_id,
        query="dataType=suppliers&&status=Complete",
        order_by="-requested",
        page_size=1,
    )
    drive.expect(history.results[0].id == queued.id, str(history))
    verdict = drive.call(
        "read_data.get_validation_results", company_id=company_id, dataset_id=queued.id
    )
    drive.expect(verdict is not None, "no validation result")


def a_data_type_is_queued_for_one_connection_under_its_other_name(scene: Scene) -> None:
    drive = scene.drive
    queued = drive.call(
        "refresh_data.by_data_type",
        company_id=scene.fresh_company_id,
        data_type="chartOfAccounts",
        connection_id=scene.fresh_connection_id,
    )
    drive.expect(queued.data_type == "chartOfAccounts", str(queued))
    drive.until(lambda: _all_done(scene), what="the refresh of accounts", within_s=120)


def a_second_queueing_meanwhile_is_a_conflict_or_done(scene: Scene) -> None:
    """A read may be over before the second request comes; then that one is accepted."""
    drive = scene.drive
    request = {"company_id": scene.fresh_company_id, "data_type": "invoices"}
    drive.call("refresh_data.by_data_type", **request)
    try:
        drive.call("refresh_data.by_data_type", **request)
    except Exception as error:  # noqa: BLE001 - its kind is looked at
        drive.expect(drive.last.status_code == 409, str(error))
        drive.expect(type(error).__name__ in {"SDKError", "ErrorMessage"}, repr(error))
    drive.until(lambda: _all_done(scene), what="the refresh of invoices", within_s=120)


def _all_done(scene: Scene) -> bool:
    statuses = scene.drive.call("refresh_data.get", company_id=scene.fresh_company_id)
    states = [one["currentStatus"] for one in json.loads(scene.drive.last.content).values()]
    scene.drive.expect(statuses is not None, "no statuses")
    return all(state in {"Complete", "NotSupported", "Initial"} for state in states)


def pushes_are_listed_and_shown(scene: Scene) -> None:
    drive, company_id = scene.drive, scene.company_id
    page = drive.call("push_data.list_operations", company_id=company_id, page_size=100)
    drive.expect(page.total_results > 5, str(page.total_results))
    statuses = {one.status.value for one in page.results}
    drive.expect(statuses >= {"Success", "Failed"}, str(statuses))
    for listed in page.results:
        key = listed.push_operation_key
        read = drive.call("push_data.get_operation", company_id=company_id, push_operation_key=key)
        drive.expect(read.to_dict() == listed.to_dict(), f"{read} is not {listed}")
    failed = drive.call(
        "push_data.list_operations",
        company_id=company_id,
        query="status=Failed&&dataType=billPayments",
        order_by="-requestedOnUtc",
        page=1,
        page_size=2,
    )
    drive.expect(all(one.validation.errors for one in failed.results), str(failed))
    drive.refused(
        "push_data.get_operation", status=404, company_id=company_id, push_operation_key=NOBODY
    )


def options_of_a_push_are_told_in_full(scene: Scene) -> None:
    drive = scene.drive
    ids = {"company_id": scene.company_id, "connection_id": scene.connection_id}
    for data_type in OPTIONS:
        option = drive.call("push_data.get_model_options", **ids, data_type=data_type)
        # A client drops the whole map where one property lacks its description.
        drive.expect(isinstance(option.properties, dict), f"{data_type} has no properties")
        drive.expect(len(option.properties) > 3, f"{data_type}: {list(option.properties)}")


def webhooks_are_registered_listed_and_deleted(scene: Scene) -> None:
    drive = scene.drive
    made = drive.call(
        "webhooks.create_consumer",
        url="http://127.0.0.1:9/hooks",
        disabled=True,
        event_types=["read.completed", "bills.write.successful"],
        company_tags=["region:uk"],
    )
    listed = drive.call("webhooks.list_consumers")
    drive.expect(made.id in [one.id for one in listed.results], str(listed))
    drive.call("webhooks.delete_consumer", webhook_id=made.id)
    drive.refused("webhooks.delete_consumer", status=404, webhook_id=made.id)
    drive.declined(
        "webhooks.create_consumer", statuses=_BAD, url="not an address", event_types=["*"]
    )


def access_tokens_are_issued(scene: Scene) -> None:
    drive, ids = scene.drive, {"company_id": scene.company_id}
    token = drive.call("companies.get_access_token", **ids)
    drive.expect(bool(token.access_token) and token.expires_in > 0, str(token.expires_in))
    drive.call("connection_management.get", **ids)
    drive.refused("companies.get_access_token", status=404, company_id=NOBODY)


def allowed_origins_are_the_same_on_both_routes(scene: Scene) -> None:
    drive = scene.drive
    drive.call("cors.set", allowed_origins=["https://one.example.com"])
    held = drive.call("settings.get")
    drive.expect(held.allowed_origins == ["https://one.example.com"], str(held))
    drive.call("settings.set", allowed_origins=["https://two.example.com"])
    held = drive.call("cors.get")
    drive.expect(held.allowed_origins == ["https://two.example.com"], str(held))


def errors_are_typed(scene: Scene) -> None:
    stranger = connect(scene.base_url, "not-a-key")
    stranger.step = scene.drive.step
    stranger.refused("companies.list", status=401)
    scene.drive.refused("companies.get", status=404, company_id=NOBODY)
    scene.drive.refused("companies.list", status=400, query="name")
    scene.drive.refused("companies.list", status=400, query="nothing=1")
    refused = scene.drive.refused("companies.create", status=400, name="***")
    scene.drive.expect(bool(refused.validation.errors[0].item_id), str(refused))


def what_is_not_served_is_refused_in_the_same_words(scene: Scene) -> None:
    """Never a server error, which the clients would try again for an hour."""
    drive = scene.drive
    ids = {"company_id": scene.company_id, "connection_id": scene.connection_id}
    known = {**ids, "platform_key": XERO}
    for name, method in methods(drive.client).items():
        if name in PLATFORM:
            continue
        drive.declined(name, statuses=REFUSALS, **placeholders(method, known))


STEPS: list[Step] = [
    companies_are_made_read_changed_and_deleted,
    companies_are_listed_by_page_query_order_and_tag,
    connections_are_made_listed_and_deleted,
    a_connection_is_unlinked,
    nothing_is_read_through_a_connection_that_is_not_linked,
    tokens_from_elsewhere_are_refused,
    a_platform_that_is_not_built_is_refused_by_name,
    integrations_are_listed_shown_and_branded,
    api_keys_are_made_listed_and_deleted,
    an_eleventh_api_key_is_a_conflict,
    the_profile_is_replaced,
    the_profiles_sync_settings_are_kept,
    a_companys_sync_settings_are_kept,
    data_is_refreshed_and_its_history_told,
    a_data_type_is_queued_for_one_connection_under_its_other_name,
    a_second_queueing_meanwhile_is_a_conflict_or_done,
    pushes_are_listed_and_shown,
    options_of_a_push_are_told_in_full,
    webhooks_are_registered_listed_and_deleted,
    access_tokens_are_issued,
    allowed_origins_are_the_same_on_both_routes,
    errors_are_typed,
    what_is_not_served_is_refused_in_the_same_words,
]


def main() -> None:
    given = json.loads(sys.argv[1])
    drive = connect(given["base_url"], given.pop("key"))
    run(STEPS, Scene(drive, **given), drive)


if __name__ == "__main__":
    main()
