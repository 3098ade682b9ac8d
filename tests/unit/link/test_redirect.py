"""Filling the address a client wants its customers back at."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.companies.connections import Connection, Status
from tallystick.link.redirect import (
    LINKED,
    NOTHING_NEW,
    Outcome,
    RedirectRefused,
    custom_parameters,
    filled,
    reserved,
)

CONNECTION = Connection(
    company_id="c0000000-0000-4000-8000-000000000001",
    id="d0000000-0000-4000-8000-000000000002",
    client_id="e0000000-0000-4000-8000-000000000003",
    platform_key="gbol",
    status=Status.Linked,
    base_url=None,
    simulated=False,
    organisation_id="o",
    organisation_name="Café & Söhne",
    grant_id="g",
    errors=(),
    created_at=datetime(2026, 11, 20, tzinfo=UTC),
    linked_at=None,
    last_sync_at=None,
)


def _fill(
    template: str,
    custom: dict[str, str] | None = None,
    *,
    outcome: Outcome = LINKED,
    allowed: tuple[str, ...] = (),
) -> str:
    return filled(
        template, reserved=reserved(CONNECTION, outcome), custom=custom or {}, allowed=allowed
    )


def test_a_missing_name_is_empty_and_a_given_one_is_filled() -> None:
    template = "https://www.bank.io/{journeyType}/success?ClientType={clientType}"
    filled_in = _fill(template, {"clientType": "test"})
    assert filled_in == "https://www.bank.io//success?ClientType=test"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clientId", CONNECTION.client_id),
        ("companyId", CONNECTION.company_id),
        ("connectionId", CONNECTION.id),
        ("platform", "gbol"),
        ("platformName", "Xero"),
        ("sourceType", "accounting"),
        ("integrationType", "accounting"),
        ("statusCode", "200"),
        ("errorMessage", ""),
        ("data.company.companyName", "Caf%C3%A9%20%26%20S%C3%B6hne"),
    ],
)
def test_reserved_names_are_filled(name: str, value: str) -> None:
    assert _fill("https://a.test/?x={" + name + "}") == f"https://a.test/?x={value}"


def test_refusals_carry_their_fixed_words_and_the_platforms_own_text() -> None:
    template = "https://a.test/?c={statusCode}&m={errorMessage}&t={statusText}"
    cancelled = _fill(template, outcome=Outcome(403, "access_denied"))
    assert cancelled == "https://a.test/?c=403&m=User%20cancelled&t=access_denied"
    failed = _fill(template, outcome=Outcome(500, "a&b"))
    assert failed == "https://a.test/?c=500&m=Unknown%20error%20occurred&t=a%26b"
    assert "m=Not%20supported" in _fill(template, outcome=Outcome(501))
    assert "c=201&m=&t=" in _fill(template, outcome=NOTHING_NEW)


def test_names_count_their_case() -> None:
    assert _fill("https://a.test/{CompanyID}{Ref}", {"ref": "x"}) == "https://a.test/"


def test_a_link_cannot_pretend_an_outcome() -> None:
    assert _fill("https://a.test/?c={statusCode}", {"statusCode": "999"}).endswith("c=200")


def test_a_host_from_the_link_must_be_allowed() -> None:
    template, allowed = "https://shop.{country}/done", ("https://shop.co.uk", "https://b.test")
    assert _fill(template, {"country": "co.uk"}, allowed=allowed) == "https://shop.co.uk/done"
    for country in ("evil.test", "co.uk.evil.test", "co.uk@evil.test", "co.uk/evil", ""):
        with pytest.raises(RedirectRefused):
            _fill(template, {"country": country}, allowed=allowed)


def test_a_host_from_the_link_is_refused_where_nothing_is_allowed() -> None:
    with pytest.raises(RedirectRefused):
        _fill("https://{host}/", {"host": "a.test"})


def test_an_allowed_path_allows_what_lies_below_it_only() -> None:
    allowed = ("https://a.test/app",)
    assert _fill("https://{h}/app/x", {"h": "a.test"}, allowed=allowed)
    for path in ("/apple", "/", "/other", "/app/../other"):
        with pytest.raises(RedirectRefused):
            _fill("https://{h}" + path, {"h": "a.test"}, allowed=allowed)


def test_a_reserved_name_may_not_stand_in_the_host() -> None:
    with pytest.raises(RedirectRefused):
        _fill("https://{platform}.a.test/", allowed=("https://gbol.a.test",))


@pytest.mark.parametrize(
    "template",
    ["javascript:alert(1)", "//a.test", "/here", "{url}", "ftp://a.test", "https://u@a.test/", ""],
)
def test_only_web_addresses_are_redirected_to(template: str) -> None:
    with pytest.raises(RedirectRefused):
        _fill(template, {"url": "https://a.test"}, allowed=("https://a.test",))


def test_the_links_own_parameters_are_not_carried_on() -> None:
    query = [("otp", "1"), ("link.otp", "2"), ("openId", "true"), ("ref", "a"), ("ref", "b")]
    assert custom_parameters(query) == {"ref": "b"}


def test_a_link_with_too_much_to_carry_loses_the_rest() -> None:
    carried = custom_parameters([(f"p{n}", "x") for n in range(80)] + [("long", "x" * 5000)])
    assert len(carried) == 50
    assert custom_parameters([("a", "x\0y"), ("b\0", "x")]) == {}


def test_what_a_visit_stores_of_its_link_is_bounded_in_all() -> None:
    carried = custom_parameters((f"p{n}", "x" * 1990) for n in range(50))
    assert sum(len(name) + len(value) for name, value in carried.items()) <= 4000


@given(st.text(), st.text())
def test_no_value_changes_where_the_browser_goes(value: str, name: str) -> None:
    custom = {"x": value, name: value}
    url = _fill("https://a.test/{x}?y={x}#{x}", custom)
    assert url.startswith("https://a.test/")
    assert url.count("?") == 1
    assert url.count("#") == 1
