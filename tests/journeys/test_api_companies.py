"""Companies through the API."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.journeys.api_ground import PUBLIC, ApiGround, ground

from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def api(
    shared_database_url: str, vault: Vault, clock: FixedClock
) -> AsyncIterator[ApiGround]:
    async with ground(shared_database_url, vault, clock) as api:
        yield api


async def test_a_company_is_answered_in_the_documented_shape(api: ApiGround) -> None:
    made = await api.company("Acme", description="who", tags={"region": "uk"})

    assert made == {
        "id": made["id"],
        "name": "Acme",
        "description": "who",
        "redirect": f"{PUBLIC}/company/{made['id']}",
        "created": "2026-11-20T09:00:00Z",
        "createdByUserName": None,
        "products": [],
        "tags": {"region": "uk"},
        "ownerUserIds": [],
        "referenceSubsidiaryCompanies": [],
        "dataConnections": [],
    }
    assert await api.json("GET", f"/companies/{made['id']}") == made


async def test_what_is_not_known_is_left_out_and_never_null(api: ApiGround) -> None:
    made = await api.company()

    nulls = {name for name, value in made.items() if value is None}
    assert nulls <= {"createdByUserName"}
    assert "lastSync" not in made
    assert "description" not in made


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Example Company (Codat[1])", "Example Company Codat1"),
        ("O'Neil & Sons, Ltd. - why? yes! @home", "O'Neil & Sons, Ltd. - why? yes! @home"),
        ("a_b/cé", "abc"),
        ("  spaced  ", "spaced"),
    ],
)
async def test_characters_a_name_may_not_have_are_taken_out(
    api: ApiGround, sent: str, kept: str
) -> None:
    assert (await api.company(sent))["name"] == kept


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": None},
        {"name": "()[]"},
        {"name": 5},
        {"name": "A", "tags": {str(n): "x" for n in range(11)}},
        {"name": "A", "tags": {"k": "v" * 101}},
        {"name": "A", "tags": {"k": 1}},
        {"name": "A", "tags": []},
        {"name": "A", "description": 1},
        {"name": "A", "description": "nul \x00"},
        [],
        "text",
    ],
)
async def test_a_company_that_cannot_be_is_refused(api: ApiGround, body: Any) -> None:
    answer = await api.http.post("/companies", json=body)

    assert answer.status_code == 400
    assert answer.json()["canBeRetried"] == "False"
    assert (await api.json("GET", "/companies"))["totalResults"] == 0


async def test_replacing_clears_what_is_not_sent(api: ApiGround) -> None:
    made = await api.company("Acme", description="who", tags={"region": "uk"})

    replaced = await api.json("PUT", f"/companies/{made['id']}", json={"name": "Beta"})

    assert (replaced["name"], replaced["tags"]) == ("Beta", {})
    assert "description" not in replaced


async def test_changing_leaves_what_is_null_or_absent(api: ApiGround) -> None:
    made = await api.company("Acme", description="who", tags={"region": "uk"})
    path = f"/companies/{made['id']}"

    changed = await api.json("PATCH", path, json={"name": None, "description": "new"})
    emptied = await api.json("PATCH", path, json={"tags": {}})

    assert (changed["name"], changed["description"]) == ("Acme", "new")
    assert changed["tags"] == {"region": "uk"}
    assert emptied["tags"] == {}


async def test_a_deleted_company_is_gone_with_its_connections(api: ApiGround) -> None:
    made = await api.company()
    await api.connection(made["id"])

    answer = await api.http.delete(f"/companies/{made['id']}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.http.get(f"/companies/{made['id']}")).status_code == 404
    assert (await api.http.delete(f"/companies/{made['id']}")).status_code == 404
    assert await api.rows("select id from connection") == []
    assert [name for name, _ in await api.events()] == [
        "company.created",
        "connection.created",
        "company.deleted",
    ]


async def test_events_tell_the_company_flat(api: ApiGround) -> None:
    made = await api.company("Acme", tags={"region": "uk"})

    [(_, payload)] = await api.events()

    assert payload["id"] == made["id"]
    assert payload["redirect"] == made["redirect"]
    assert payload["tags"] == {"region": "uk"}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("company_id", [NOBODY, "none", "urn:uuid:" + NOBODY, "a%00b", "%FF"])
async def test_an_unknown_company_is_not_found(
    api: ApiGround, method: str, company_id: str
) -> None:
    body = {"name": "X"} if method in {"PUT", "PATCH"} else None

    answer = await api.http.request(method, f"/companies/{company_id}", json=body)

    assert answer.status_code == 404
    assert answer.json()["error"].startswith("No company was found with ID ")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_another_clients_company_looks_like_an_unknown_one(
    api: ApiGround, method: str
) -> None:
    made = await api.company()
    body = {"name": "X"} if method in {"PUT", "PATCH"} else None

    async with api.stranger() as stranger:
        answer = await stranger.request(method, f"/companies/{made['id']}", json=body)
        listed = (await stranger.get("/companies")).json()

    assert answer.status_code == 404
    assert listed["totalResults"] == 0
    assert (await api.json("GET", f"/companies/{made['id']}"))["name"] == "Acme"


# --- lists ---


async def _names(api: ApiGround, **params: str) -> list[str]:
    listed = await api.json("GET", "/companies", params=params)
    return [company["name"] for company in listed["results"]]


async def test_companies_come_in_pages_with_links(api: ApiGround) -> None:
    for name in ("One", "Two", "Three"):
        await api.company(name)
        api.clock.advance(seconds=1)

    page = await api.json("GET", "/companies?page=2&pageSize=1&orderBy=created")

    assert [company["name"] for company in page["results"]] == ["Two"]
    assert (page["pageNumber"], page["pageSize"], page["totalResults"]) == (2, 1, 3)
    assert page["_links"] == {
        "self": {"href": "/companies"},
        "current": {"href": "/companies?page=2&pageSize=1&orderBy=created"},
        "next": {"href": "/companies?page=3&pageSize=1&orderBy=created"},
        "previous": {"href": "/companies?page=1&pageSize=1&orderBy=created"},
    }


async def test_beyond_the_end_lies_an_empty_page_that_points_back(api: ApiGround) -> None:
    await api.company()

    page = await api.json("GET", "/companies?page=9&pageSize=10")

    assert page["results"] == []
    assert "next" not in page["_links"]
    assert page["_links"]["previous"] == {"href": "/companies?page=1&pageSize=10"}


@pytest.mark.parametrize(
    "params",
    ["page=-1", "page=x", "page=1.5", "pageSize=0", "pageSize=5001", "page=99999999999", "page="],
)
async def test_pages_out_of_range_are_refused(api: ApiGround, params: str) -> None:
    assert (await api.http.get(f"/companies?{params}")).status_code == 400


async def test_page_zero_is_the_first_one_as_in_older_descriptions(api: ApiGround) -> None:
    assert (await api.json("GET", "/companies?page=0"))["pageNumber"] == 1


async def test_companies_are_found_by_their_properties(api: ApiGround) -> None:
    await api.company("Acme One", description="first")
    await api.company("Beta")

    assert await _names(api, query="name~acme") == ["Acme One"]
    assert await _names(api, query="name=BETA") == ["Beta"]
    assert await _names(api, query="description!=first") == ["Beta"]
    assert await _names(api, orderBy="-name") == ["Beta", "Acme One"]
    assert await _names(api, orderby="name") == ["Acme One", "Beta"]


async def test_companies_are_found_by_any_of_their_connections(api: ApiGround) -> None:
    waiting, linked = await api.company("Waiting"), await api.company("Linked")
    await api.company("Alone")
    await api.connection(waiting["id"])
    await api.linked(linked["id"])

    assert await _names(api, query="dataConnections.status=PendingAuth") == ["Waiting"]
    none = (
        "dataConnections.status!=PendingAuth&&dataConnections.status!=Linked"
        "&&dataConnections.status!=Unlinked&&dataConnections.status!=Deauthorized"
    )
    assert await _names(api, query=none) == ["Alone"]


async def test_companies_are_found_by_their_tags(api: ApiGround) -> None:
    await api.company("One", tags={"region": "uk", "owningTeam": "invoice-finance"})
    await api.company("Two", tags={"region": "us"})

    assert await _names(api, tags="region = uk && owningTeam = invoice-finance") == ["One"]
    assert await _names(api, tags="region=UK||region=us", orderBy="name") == ["One", "Two"]
    assert await _names(api, tags="owningTeam!=invoice-finance") == ["Two"]
    assert await _names(api, tags="owningTeam~finance") == ["One"]
    assert await _names(api, tags="Region=uk") == []


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"query": "name"}, "Error parsing query - Malformed query."),
        ({"query": "nothing=1"}, "Error parsing query - Could not resolve property nothing"),
        ({"query": "name>1"}, "Error parsing query"),
        ({"orderBy": "nothing"}, "Error parsing query"),
        ({"tags": "a>1"}, "Error parsing query"),
    ],
)
async def test_a_query_that_means_nothing_is_refused(
    api: ApiGround, params: dict[str, str], told: str
) -> None:
    answer = await api.http.get("/companies", params=params)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(told)
