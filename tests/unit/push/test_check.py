"""What a platform takes: shown as options, and applied to what callers send."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.push_paper import PAYMENTS, SUPPLIERS

from tallystick.connectors.contract import Need, Write
from tallystick.errors import BadRequest
from tallystick.lib import json
from tallystick.model import DATA_TYPES, Bill, BillPayment
from tallystick.push.check import checked, pascal
from tallystick.push.options import option
from tallystick.push.shape import Kind, members


def body(**more: Any) -> dict[str, Any]:
    line = {"amount": 10, "links": [{"type": "Bill", "id": "b", "amount": -10}]}
    return {"date": "2026-11-20", "totalAmount": 10, "lines": [line], **more}


def messages(sent: dict[str, Any]) -> dict[str, str]:
    found = checked(PAYMENTS, sent, platform="Paper")
    assert (found.record is None) == bool(found.problems)
    return {one.item_id: one.message for one in found.problems}


def test_a_good_body_is_a_record() -> None:
    found = checked(PAYMENTS, body(totalAmount=Decimal("10.10")), platform="Paper")
    assert isinstance(found.record, BillPayment)
    assert found.record.total_amount == Decimal("10.10")
    assert (found.problems, found.warnings) == ((), ())


def test_what_is_missing_is_named_by_its_path() -> None:
    assert messages(body(date=None, lines=[{"amount": 1, "links": [{"type": "Bill"}]}])) == {
        "Date": "Failed to push to BillPayment as Date is required.",
        "Lines[0].Links[0].Id": (
            "Failed to push to BillPayment as Lines[0].Links[0].Id is required."
        ),
        "Lines[0].Links[0].Amount": (
            "Failed to push to BillPayment as Lines[0].Links[0].Amount is required."
        ),
    }


def test_an_absent_list_is_one_problem() -> None:
    assert list(messages(body(lines=[]))) == ["Lines"]


def test_what_is_too_long_says_how_long_it_may_be() -> None:
    assert messages(body(reference="x" * 11)) == {
        "Reference": (
            "Failed to push to BillPayment as Reference must not be longer than 10 characters long."
        )
    }


def test_a_choice_the_platform_lacks_is_refused() -> None:
    line = {"amount": 0, "links": [{"type": "Refund", "id": "x", "amount": 0}]}
    assert (
        "must be one of Bill, CreditNote." in messages(body(lines=[line]))["Lines[0].Links[0].Type"]
    )


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("totalAmount", "ten", "must be a number"),
        ("totalAmount", True, "must be a number"),
        ("date", "yesterday", "must be a date such as 2026-01-31"),
        ("lines", {"amount": 1}, "must be a list"),
        ("reference", 5, "must be text"),
    ],
)
def test_what_is_misshapen_is_refused(member: str, value: Any, text: str) -> None:
    [(item, message)] = messages(body(**{member: value})).items()
    assert item == pascal(member)
    assert message.endswith(f"{text}.")


@pytest.mark.parametrize("number", [Decimal("1E+16"), Decimal("-9E+99"), Decimal("1E-99")])
def test_a_number_no_books_hold_is_refused(number: Any) -> None:
    line = {"amount": number, "links": [{"type": "Bill", "id": "b", "amount": -1}]}
    assert messages(body(lines=[line])) == {
        "Lines[0].Amount": (
            "Failed to push to BillPayment as Lines[0].Amount is too large or too small."
        )
    }


def test_what_is_not_taken_is_left_out_with_a_warning() -> None:
    found = checked(PAYMENTS, body(note="hello", colour="red"), platform="Paper")
    assert found.record is not None
    assert {one.item_id: one.message for one in found.warnings} == {
        "Note": "Note is not taken by Paper and was left out.",
        "Colour": "Colour is not part of BillPayment and was left out.",
    }


def test_what_is_read_only_is_left_out_in_silence() -> None:
    sent = body(id="x", modifiedDate="2026-11-20T00:00:00Z", sourceModifiedDate="nonsense-is-odd")
    found = checked(PAYMENTS, {**sent, "sourceModifiedDate": None}, platform="Paper")
    assert (found.problems, found.warnings) == ((), ())


def test_an_absent_object_lacks_what_is_required_in_it_unless_it_may_be_absent() -> None:
    def write(*needs: Need) -> Write[Any, Any]:
        return Write(
            type=Bill,
            needs=needs,
            check=PAYMENTS.check,
            picture=PAYMENTS.picture,
            create=PAYMENTS.create,
            find=PAYMENTS.find,
            read_back=PAYMENTS.read_back,
        )

    sent = {"issueDate": "2026-11-20", "status": "Open"}
    needed = Need("supplierRef.id", required=True)
    assert [one.item_id for one in checked(write(needed), sent, platform="Paper").problems] == [
        "SupplierRef.Id"
    ]
    optional = write(Need("supplierRef"), needed)
    assert checked(optional, sent, platform="Paper").problems == ()


def test_a_body_too_deep_for_any_record_is_refused() -> None:
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(BadRequest):
        checked(PAYMENTS, body(note=deep), platform="Paper")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["date", "lines", "links", "amount", "type", "id", "reference", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["date", "totalAmount", "lines", "reference", "supplierRef", "x"]), _JSON
    )
)
def test_any_body_is_a_record_or_a_list_of_problems(sent: dict[str, Any]) -> None:
    found = checked(PAYMENTS, sent, platform="Paper")
    assert (found.record is None) == bool(found.problems)


# --- options ---


def test_options_are_the_tree_of_what_is_taken() -> None:
    shown = json.loads(json.dumps(option(PAYMENTS, platform="Paper")))
    assert (shown["type"], shown["displayName"], shown["required"]) == (
        "Object",
        "Bill Payment",
        True,
    )
    assert set(shown["properties"]) == {"date", "totalAmount", "currency", "reference", "lines"}
    assert shown["properties"]["date"]["type"] == "DateTime"
    lines = shown["properties"]["lines"]
    assert (lines["type"], lines["required"]) == ("Array", True)
    link = lines["properties"]["links"]["properties"]
    assert [one["value"] for one in link["type"]["options"]] == ["Bill", "CreditNote"]
    assert link["amount"]["type"] == "Number"
    limits = shown["properties"]["reference"]["validation"]["warnings"]
    assert limits == [{"field": "Reference", "details": "Must not be longer than 10 characters."}]


def test_every_property_of_the_options_is_described() -> None:
    def properties(of: dict[str, Any]) -> list[dict[str, Any]]:
        below = list(of.get("properties", {}).values())
        return below + [deeper for one in below for deeper in properties(one)]

    for write in (PAYMENTS, SUPPLIERS):
        for one in properties(option(write, platform="Paper")):
            assert {"type", "displayName", "description", "required"} <= set(one)
            assert isinstance(one["description"], str)


def test_a_word_offers_its_members() -> None:
    status = option(SUPPLIERS, platform="Paper")["properties"]["status"]
    assert [one["value"] for one in status["options"]] == ["Active", "Archived"]


def test_every_member_of_every_record_has_a_kind() -> None:
    for record_type in DATA_TYPES:
        assert {one.kind for one in members(record_type).values()} <= set(Kind)
    assert members(Bill)["lineItems"].kind is Kind.Array
    assert members(Bill)["issueDate"].kind is Kind.DateTime
    assert members(Bill)["supplierRef"].part is not None
