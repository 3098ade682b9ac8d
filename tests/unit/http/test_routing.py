"""Paths find their endpoints."""

import pytest
from starlette.responses import Response

from tallystick.http.endpoint import Call, Endpoint, nothing
from tallystick.http.routing import Routes


async def _handler(_: Call) -> Response:
    return nothing()


def _endpoint(method: str, path: str, *aliases: str) -> Endpoint:
    return Endpoint(method, path, _handler, "", aliases=aliases)


ROUTES = Routes(
    [
        _endpoint("GET", "/companies"),
        _endpoint("GET", "/companies/{companyId}"),
        _endpoint("GET", "/companies/{companyId}/data/bills"),
        _endpoint("GET", "/companies/{companyId}/data/{dataType}", "/old/{dataType}/{companyId}"),
        _endpoint("GET", "/companies/all/special/{id}"),
    ]
)


@pytest.mark.parametrize(
    ("path", "found", "values"),
    [
        ("/companies", "/companies", ()),
        ("/Companies/", "/companies", ()),
        ("/companies/1", "/companies/{companyId}", ("1",)),
        ("/companies/1/DATA/Bills", "/companies/{companyId}/data/bills", ("1",)),
        ("/companies/1/data/x%2Fy", "/companies/{companyId}/data/{dataType}", ("1", "x/y")),
        ("/old/bills/1", "/companies/{companyId}/data/{dataType}", ("bills", "1")),
        ("/companies/all/special/2", "/companies/all/special/{id}", ("2",)),
        ("/companies/all/data/bills", "/companies/{companyId}/data/bills", ("all",)),
        ("/companies/a%20b", "/companies/{companyId}", ("a b",)),
        ("/companies/%FF", "/companies/{companyId}", ("\N{REPLACEMENT CHARACTER}",)),
    ],
)
def test_a_path_finds_its_endpoint(path: str, found: str, values: tuple[str, ...]) -> None:
    match = ROUTES.find(path)

    assert match is not None
    assert (match.leaves["GET"].endpoint.path, match.values) == (found, values)


@pytest.mark.parametrize("path", ["/", "", "/nothing", "/companies//data/bills", "/companies/1/x"])
def test_other_paths_find_nothing(path: str) -> None:
    assert ROUTES.find(path) is None


def test_names_follow_the_path_that_was_used() -> None:
    match = ROUTES.find("/old/bills/1")

    assert match is not None
    assert match.leaves["GET"].names == ("dataType", "companyId")


def test_two_endpoints_at_one_place_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="twice"):
        Routes([_endpoint("GET", "/a/{x}"), _endpoint("GET", "/A/{y}")])
