"""A record on its way into the table."""

import datetime
from decimal import Decimal

from tallystick.lib import json
from tallystick.model import Bill, CompanyInfo, Supplier
from tallystick.model.base import ActiveStatus, Metadata, SupplierRef
from tallystick.model.payables import BillLine, BillStatus
from tallystick.records.rows import Incoming, body, lead, row

_AT = datetime.datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=datetime.UTC)


def _bill(*, total: Decimal = Decimal("90.00"), reference: str | None = "INV-Ä") -> Bill:
    return Bill(
        id="b1",
        reference=reference,
        supplier_ref=SupplierRef(id="S1", supplier_name="ACME Straße"),
        issue_date=datetime.date(2024, 1, 2),
        line_items=(BillLine(unit_amount=Decimal("12.5"), quantity=Decimal(2)),),
        status=BillStatus.PartiallyPaid,
        sub_total=Decimal(75),
        tax_amount=Decimal(15),
        total_amount=total,
        source_modified_date=datetime.datetime(2024, 1, 2, 3, 4, 5, 678900, tzinfo=datetime.UTC),
    )


def test_a_body_is_the_record_with_what_the_store_adds() -> None:
    stored = row(Incoming(_bill()))
    text = body(stored.content, lead(Bill, is_deleted=False, modified_at=_AT))
    assert json.loads(text) == {
        "metadata": {"isDeleted": False},
        "modifiedDate": "2026-11-20T09:00:00.123Z",
        **json.loads(json.dumps(_bill().wire())),
    }


def test_live_bodies_start_with_equally_many_characters() -> None:
    whole = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    one, other = (lead(Bill, is_deleted=False, modified_at=moment) for moment in (_AT, whole))
    assert len(one) == len(other)


def test_what_queries_look_at_is_folded_and_sortable() -> None:
    assert json.loads(row(Incoming(_bill())).fields) == {
        "id": "b1",
        "reference": "inv-ä",
        "supplierRef.id": "s1",
        "supplierRef.supplierName": "acme strasse",
        "issueDate": "2024-01-02",
        "status": "partiallypaid",
        "subTotal": 75,
        "taxAmount": 15,
        "totalAmount": 90,
        "sourceModifiedDate": "2024-01-02T03:04:05.678",
    }


def test_equal_money_gives_an_equal_hash() -> None:
    one, same, other = (
        row(Incoming(_bill(total=Decimal(text)))).hash for text in ("90", "90.000", "90.01")
    )
    assert one == same != other


def test_deleted_at_the_platform_is_another_hash_but_the_same_content() -> None:
    gone = _bill().model_copy(update={"metadata": Metadata(is_deleted=True)})
    alive, deleted = row(Incoming(_bill())), row(Incoming(gone))
    assert deleted.is_deleted
    assert not alive.is_deleted
    assert alive.hash != deleted.hash
    assert alive.content == deleted.content


def test_the_character_nul_does_not_stop_a_record() -> None:
    stored = row(Incoming(Supplier(id="s\0", supplier_name="A\0B", status=ActiveStatus.Active)))
    assert stored.id == "s"
    assert json.loads(stored.fields)["supplierName"] == "ab"


def test_company_information_is_an_object_without_dates() -> None:
    stored = row(Incoming(CompanyInfo(id="org", company_name="Acme")))
    text = body(stored.content, lead(CompanyInfo, is_deleted=False, modified_at=_AT))
    assert json.loads(text) == {
        "companyName": "Acme",
        "addresses": [],
        "phoneNumbers": [],
        "webLinks": [],
    }
