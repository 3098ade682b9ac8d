"""What holds for every route: who may ask, pages, queries, failing reads, tagged webhooks."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from tests.journeys.listening import Listener, listening
from tests.journeys.serving import FIRM, OTHER_FIRM, XERO, Answer, Api, Books, Served, until

pytestmark = pytest.mark.xdist_group("served")

_NOBODY = "00000000-0000-4000-8000-000000000000"
_LISTED = 101


@pytest.fixture(scope="module")
def api(served: Served) -> Api:
    return served.api


@pytest.fixture(scope="module")
def books(served: Served) -> Books:
    found = served.linked("Queried Ltd")
    found.pulled()
    return found


# --- who may ask ---


@pytest.fixture(scope="module")
def stranger(served: Served) -> Iterator[Api]:
    """Another client of the same installation."""
    served.command("clients", "create", "Somebody else")
    key = served.command("keys", "create", "first", "--client", "Somebody else")
    found = Api(served.base_url, key)
    with found.http:
        yield found


@pytest.mark.parametrize("header", [None, "Basic d3Jvbmc=", "Bearer wrong", "Basic ???"])
def test_without_a_known_key_nothing_is_told(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}

    answer = httpx.get(f"{api.base_url}/companies", headers=headers, trust_env=False)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Basic"
    assert answer.json()["statusCode"] == 401


def test_a_key_may_come_with_a_colon_or_a_line_end(api: Api) -> None:
    for variant in (f"{api.key}:", f"{api.key}\n"):
        header = {"authorization": "Basic " + base64.b64encode(variant.encode()).decode()}
        answer = httpx.get(f"{api.base_url}/companies", headers=header, trust_env=False)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["", "/connections", "/data/bills", "/dataStatus", "/push", "/syncSettings"]
)
def test_another_clients_company_looks_like_an_unknown_one(
    stranger: Api, books: Books, path: str
) -> None:
    anothers = stranger.get(f"{books.path}{path}", status=404)
    unknown = stranger.get(f"/companies/{_NOBODY}{path}", status=404)

    assert anothers["error"].replace(books.company_id, _NOBODY) == unknown["error"]
    assert stranger.get("/companies")["totalResults"] == 0


# --- names and tags ---


def test_what_a_name_may_not_hold_is_taken_out(api: Api) -> None:
    made = api.post("/companies", {"name": "Example Company (Codat[1])_é"})

    assert made["name"] == "Example Company Codat1"
    api.post("/companies", {"name": "()[]"}, status=400)


def test_tags_are_limited_replaced_by_put_and_kept_by_patch(api: Api) -> None:
    company = api.post("/companies", {"name": "Tagged", "tags": {"region": "uk"}})
    path = f"/companies/{company['id']}"

    kept = api.ask("PATCH", path, {"description": "x"})
    cleared = api.ask("PUT", path, {"name": "Tagged"})

    assert kept["tags"] == {"region": "uk"}
    assert cleared["tags"] == {}
    ten = {f"tag{number}": "v" for number in range(10)}
    assert api.ask("PATCH", path, {"tags": ten})["tags"] == ten
    api.ask("PATCH", path, {"tags": ten | {"one": "more"}}, status=400)
    api.ask("PATCH", path, {"tags": {"long": "v" * 101}}, status=400)


# --- pages ---


@pytest.fixture(scope="module")
def listed(api: Api) -> str:
    """The query that finds 101 companies."""
    for number in range(_LISTED):
        api.post("/companies", {"name": f"Paged {number:03}", "tags": {"set": "paged"}})
    return "name~Paged"


@pytest.mark.parametrize(
    ("extra", "total", "size", "pages"),
    [
        ("&&name=nobody", 0, 100, 1),
        ("&&name=Paged 000", 1, 100, 1),
        ("&&name!=Paged 000", 100, 100, 1),
        ("", 101, 100, 2),
        ("", 101, 101, 1),
        ("", 101, 50, 3),
    ],
)
def test_links_lead_through_all_pages_and_no_further(
    api: Api, listed: str, extra: str, total: int, size: int, pages: int
) -> None:
    params: dict[str, Answer] = {"query": listed + extra, "pageSize": size, "orderBy": "-name"}
    page, seen, count = api.get("/companies", **params), [], 1
    seen += page["results"]
    assert "previous" not in page["_links"]
    while following := page["_links"].get("next"):
        page, count = api.get(following["href"]), count + 1
        seen += page["results"]
        assert page["totalResults"] == total
        assert "previous" in page["_links"]

    names = [company["name"] for company in seen]
    assert (count, len(names), page["totalResults"]) == (pages, total, total)
    assert names == sorted(names, reverse=True)


def test_a_page_beyond_the_end_is_empty_and_leads_back(api: Api, listed: str) -> None:
    page = api.get("/companies", query=listed, page=9)

    assert page["results"] == []
    assert "next" not in page["_links"]
    assert len(api.get(page["_links"]["previous"]["href"])["results"]) == 1


@pytest.mark.parametrize(("name", "value"), [("pageSize", 5001), ("pageSize", 0), ("page", "x")])
def test_a_page_out_of_range_is_refused(api: Api, name: str, value: Answer) -> None:
    api.get("/companies", status=400, **{name: value})


def test_the_largest_page_is_served(books: Books) -> None:
    page = books.api.get(f"{books.path}/data/bills", pageSize=5000)

    assert len(page["results"]) == page["totalResults"]


def test_every_answer_tells_of_the_quota(api: Api) -> None:
    headers = api.http.get("/companies").headers

    assert int(headers["x-rate-limit-remaining"]) <= int(headers["x-rate-limit-limit"])
    assert headers["x-rate-limit-reset"].endswith("Z")


# --- queries ---


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("amountDue>0", lambda b: b["amountDue"] > 0),
        ("status=paid", lambda b: b["status"] == "Paid"),
        ("status!=Paid", lambda b: b["status"] != "Paid"),
        ("reference~open-", lambda b: "OPEN-" in b.get("reference", "")),
        ("issueDate>=2026-01-01", lambda b: b["issueDate"] >= "2026-01-01"),
        ("metadata.isDeleted!=true", lambda b: not b["metadata"]["isDeleted"]),
        (
            "{totalAmount > 1000 || totalAmount < 50} && status != paid",
            lambda b: (b["totalAmount"] > 1000 or b["totalAmount"] < 50) and b["status"] != "Paid",
        ),
        (
            "status=Paid||status=Open&&amountDue>100",
            lambda b: b["status"] == "Paid" or (b["status"] == "Open" and b["amountDue"] > 100),
        ),
        (
            "supplierRef.supplierName=northmoor energy",
            lambda b: b.get("supplierRef", {}).get("supplierName") == "Northmoor Energy",
        ),
    ],
)
def test_a_query_finds_what_it_says(books: Books, query: str, holds: Answer) -> None:
    expected = {bill["id"] for bill in books.records("bills") if holds(bill)}
    path = f"{books.path}/data/bills?pageSize=5000&query="

    for encoded in (quote(query), quote(quote(query)), quote(query).replace("%20", "+")):
        found = books.api.get(path + encoded)["results"]
        assert {bill["id"] for bill in found} == expected
    assert expected


@pytest.mark.parametrize(
    "query",
    [
        "lineItems.unitAmount=700",
        "nothing=1",
        "amountDue~1",
        "amountDue>much",
        "{amountDue>0",
        "status>Paid",
        "amountDue",
        "status=" + "x" * 2048,
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(books: Books, query: str) -> None:
    refused = books.api.get(f"{books.path}/data/bills", status=400, query=query)

    assert refused["error"].startswith("Error parsing query - ")


def test_the_one_array_that_can_be_queried_is_that_of_connections(api: Api, books: Books) -> None:
    linked = api.get("/companies", query="dataConnections.status=Linked", pageSize=5000)
    without = api.get("/companies", query="dataConnections.status!=Linked", pageSize=5000)

    assert books.company_id in {company["id"] for company in linked["results"]}
    assert books.company_id not in {company["id"] for company in without["results"]}


# --- reads ---


def test_the_same_read_is_not_queued_twice_while_it_runs(served: Served, books: Books) -> None:
    path = f"{books.path}/data/queue/bills"
    slow = {"name": "slow", "delay_s": 3, "match": {"path": ".*Invoices"}}
    served.simulator("POST", "/faults", slow)
    queued = books.api.post(path)

    refused = books.api.post(path, status=409)

    assert refused["error"].startswith("DatasetAlreadyInProgressException: Cannot queue bills")
    assert queued["id"] in refused["error"]
    books.pulled()
    ended = books.api.get(f"{books.path}/data/history/{queued['id']}")
    assert (ended["status"], ended["progress"]) == ("Complete", 100)
    verdict = books.api.get(f"{books.path}/sync/{queued['id']}/validation")
    assert verdict["errors"] == []


def test_history_is_queried_but_not_by_what_is_only_derived(books: Books) -> None:
    query = "dataType=bills&&status=Complete"
    history = books.api.get(f"{books.path}/data/history", query=query, orderBy="requested")

    assert {one["dataType"] for one in history["results"]} == {"bills"}
    books.api.get(f"{books.path}/data/history", status=400, query="isCompleted=true")


def test_a_type_that_a_platform_cannot_be_asked_for_is_refused(books: Books) -> None:
    books.api.post(f"{books.path}/data/queue/journals", status=400)
    books.api.get(f"{books.path}/data/journals", status=404)


def test_what_was_never_read_is_a_conflict(served: Served) -> None:
    company_id = served.company("Never read")
    served.api.post(f"/companies/{company_id}/connections", {"platformKey": XERO})

    refused = served.api.get(f"/companies/{company_id}/data/bills", status=409)

    assert refused["error"] == "The data set has not been requested."


# --- webhooks ---


@pytest.fixture
def listener(served: Served) -> Iterator[Listener]:
    """Registered for companies tagged region:uk or region:ie."""
    with listening() as listener:
        body = {
            "url": listener.url,
            "eventTypes": ["company.*", "connection.*", "read.*"],
            "companyTags": ["region:uk", "region:ie"],
        }
        registered = served.api.post("/webhooks", body, status=201)
        listener.secret = registered["secret"]
        yield listener
        served.api.ask("DELETE", f"/webhooks/{registered['id']}", status=204)


def test_events_go_to_who_listens_to_one_of_the_tags(served: Served, listener: Listener) -> None:
    for region in ("fr", "uk", "ie"):
        tags = {"region": region, "team": "ap"}
        served.api.post("/companies", {"name": f"Region {region}", "tags": tags})

    until(lambda: len(listener.of("company.created")) == 2, what="two events")

    told = {event["payload"]["tags"]["region"] for event in listener.of("company.created")}
    assert told == {"uk", "ie"}
    assert listener.refused == []


def test_consent_taken_back_ends_the_connection_and_keeps_what_was_read(
    served: Served, listener: Listener
) -> None:
    books = served.linked("Revoked", firm=OTHER_FIRM, tags={"region": "ie"})
    books.pulled()
    bills = len(books.records("bills"))
    organisations = served.simulator("GET", "/organisations")["organisations"]
    gone = next(one["id"] for one in organisations if OTHER_FIRM in one["name"])
    served.simulator("POST", f"/organisations/{gone}/revoke")

    queued = books.api.post(f"{books.path}/data/queue/suppliers")

    told = listener.hear("connection.disconnected")["payload"]["connection"]
    assert (told["id"], told["status"]) == (books.connection_id, "Deauthorized")
    read = books.api.get(f"{books.path}/data/history/{queued['id']}")
    assert (read["status"], read["isErrored"]) == ("AuthError", True)
    assert len(books.records("bills")) == bills
    books.api.post(f"{books.path}/data/queue/bills", status=400)
    push = f"{books.connection_path}/push/suppliers"
    books.api.post(push, {"supplierName": "Late", "status": "Active"}, status=400)


def test_consent_given_again_connects_again(served: Served, listener: Listener) -> None:
    books = served.linked("Back again", tags={"region": "uk"})
    books.pulled()
    unlinked = books.api.ask("PATCH", books.connection_path, {"status": "Unlinked"})
    assert unlinked["status"] == "Unlinked"
    listener.hear("connection.disconnected")

    served.consent(unlinked, firm=FIRM)

    told = listener.hear("connection.reconnected")["payload"]["connection"]
    assert (told["id"], told["status"]) == (books.connection_id, "Linked")
    books.pulled()
