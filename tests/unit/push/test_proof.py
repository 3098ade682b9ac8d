"""What a payment should do to each document, and whether it did."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.model import Bill, BillCreditNote, BillPayment
from tallystick.push.proof import effects, settlements, targets


def paid(*lines: tuple[str, list[tuple[str, str, str]]]) -> BillPayment:
    total = sum((Decimal(amount) for amount, _ in lines), Decimal(0))
    body: dict[str, Any] = {
        "date": "2026-11-20",
        "totalAmount": total,
        "lines": [
            {"amount": amount, "links": [{"type": t, "id": i, "amount": a} for t, i, a in links]}
            for amount, links in lines
        ],
    }
    return BillPayment.from_wire(body)


def bill(bill_id: str, due: str) -> Bill:
    return Bill.from_wire(
        {"id": bill_id, "issueDate": "2026-11-01", "status": "Open", "amountDue": due}
    )


def note(note_id: str, left: str) -> BillCreditNote:
    return BillCreditNote.from_wire({"id": note_id, "status": "Submitted", "remainingCredit": left})


def test_a_part_payment_lowers_what_is_due() -> None:
    record = paid(("400", [("Bill", "x", "-400")]))
    [one] = settlements(record, before={"bills/x": Decimal(1000)}, read_back=[bill("x", "600.00")])
    assert one.settled
    assert one.wire() == {
        "recordRef": {"id": "x", "dataType": "bills"},
        "amountDueBefore": _number("1000"),
        "amountDueExpected": _number("600"),
        "amountDueAfter": _number("600"),
        "settled": True,
    }


def _number(text: str) -> Any:
    from tallystick.lib import json

    return json.plain(Decimal(text))


def test_a_credit_note_that_pays_a_bill_is_used_up() -> None:
    record = paid(("0", [("Bill", "x", "-750"), ("CreditNote", "y", "750")]))
    assert effects(record) == {"bills/x": Decimal(-750), "billCreditNotes/y": Decimal(-750)}
    found = settlements(
        record,
        before={"bills/x": Decimal(1000), "billCreditNotes/y": Decimal(750)},
        read_back=[bill("x", "250"), note("y", "0")],
    )
    assert [one.settled for one in found] == [True, True]


def test_a_batch_is_proved_bill_by_bill() -> None:
    record = paid(("135.85", [("Bill", "a", "-135.85")]), ("108.60", [("Bill", "b", "-108.60")]))
    found = settlements(
        record,
        before={"bills/a": Decimal("135.85"), "bills/b": Decimal(200)},
        read_back=[bill("a", "0.00"), bill("b", "91.41")],
    )
    assert [one.settled for one in found] == [True, False]
    assert "91.41 is open, not 91.40" in (found[1].reason or "")


def test_two_links_to_one_bill_count_together() -> None:
    record = paid(("10", [("Bill", "a", "-10")]), ("5", [("Bill", "a", "-5")]))
    assert effects(record) == {"bills/a": Decimal(-15)}
    assert targets(record) == ("bills/a",)


def test_an_id_means_the_same_in_either_case() -> None:
    record = paid(("10", [("Bill", "AB-1", "-10")]))
    [one] = settlements(record, before={"bills/AB-1": Decimal(10)}, read_back=[bill("ab-1", "0")])
    assert (one.settled, one.id) == (True, "AB-1")
    assert targets(record) == targets(paid(("1", [("Bill", "ab-1", "-1")])))


def test_what_was_not_read_again_is_not_settled() -> None:
    record = paid(("10", [("Bill", "a", "-10")]))
    [one] = settlements(record, before={"bills/a": Decimal(10)}, read_back=[], unread="No answer.")
    assert (one.settled, one.reason) == (False, "No answer.")
    [one] = settlements(record, before={"bills/a": Decimal(10)}, read_back=[])
    assert not one.settled


def test_what_was_open_before_must_be_known() -> None:
    record = paid(("10", [("Bill", "a", "-10")]))
    [one] = settlements(record, before={}, read_back=[bill("a", "0")])
    assert not one.settled
    assert "amountDueExpected" not in one.wire()


def test_other_records_settle_nothing() -> None:
    assert settlements(bill("a", "1"), before={}, read_back=[]) == ()
    assert targets(bill("a", "1")) == ()


_CENTS = st.integers(1, 10**9).map(lambda cents: Decimal(cents) / 100)


@settings(deadline=None)
@given(st.lists(_CENTS, min_size=1, max_size=5))
def test_the_effects_on_bills_add_up_to_the_payment(amounts: list[Decimal]) -> None:
    record = paid(*((str(a), [("Bill", f"b{n % 2}", str(-a))]) for n, a in enumerate(amounts)))
    assert -sum(effects(record).values()) == record.total_amount
