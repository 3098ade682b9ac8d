"""Reads by `codat-accounting`: each data type listed, paged, queried, ordered and got singly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.clients.accounting_scene import NOBODY, Scene, connect
from tests.clients.drive import Step


@dataclass(frozen=True, slots=True)
class Listing:
    """How one data type is read; `query` must find some records."""

    group: str
    id_name: str
    query: str
    order_by: str
    by_connection: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)


LISTINGS = (
    Listing("accounts", "account_id", "isBankAccount=true", "name"),
    Listing("bank_accounts", "account_id", "accountType=Debit", "accountName", by_connection=True),
    Listing("suppliers", "supplier_id", "status=Active", "supplierName"),
    Listing("customers", "customer_id", "status=Active", "customerName"),
    Listing("bills", "bill_id", "amountDue>0&&dueDate>2020-01-01", "-dueDate"),
    Listing("bill_credit_notes", "bill_credit_note_id", "remainingCredit>0", "issueDate"),
    Listing("bill_payments", "bill_payment_id", "totalAmount>0", "-date"),
    Listing("invoices", "invoice_id", "{status=Paid||amountDue>0}", "issueDate"),
    Listing("credit_notes", "credit_note_id", "status!=Draft", "-issueDate"),
    Listing("payments", "payment_id", "totalAmount>0&&date>2020-01-01", "date"),
    Listing("tax_rates", "tax_rate_id", "status=Active", "name"),
    Listing("tracking_categories", "tracking_category_id", "status=Active", "name"),
    Listing("items", "item_id", "name~e", "name"),
)


def reads(listing: Listing) -> Step:
    """A step that reads one data type in every way."""

    def step(scene: Scene) -> None:
        drive, group = scene.drive, listing.group
        where = scene.ids if listing.by_connection else scene.company
        every = drive.call(f"{group}.list", **where, page_size=500)
        drive.expect(every.total_results == len(every.results) > 0, str(every.total_results))
        page = drive.call(f"{group}.list", **where, page=1, page_size=1)
        drive.expect(len(page.results) == 1, str(page))
        drive.expect(page.total_results < 2 or bool(page.links.next.href), str(page.links))
        asked = {"query": listing.query, "order_by": listing.order_by}
        found = drive.call(f"{group}.list", **where, **asked)
        drive.expect(0 < found.total_results <= every.total_results, str(found.total_results))
        record_id = found.results[0].id
        one = drive.call(f"{group}.get", **where, **{listing.id_name: record_id})
        drive.expect(one.id == record_id, str(one))
        drive.refused(f"{group}.get", status=404, **where, **{listing.id_name: NOBODY})

    step.__name__ = f"{listing.group}_are_read"
    return step


def company_information_is_read_and_refreshed(scene: Scene) -> None:
    info = scene.drive.call("company_info.get", **scene.company)
    scene.drive.expect(bool(info.base_currency and info.company_name), str(info))
    scene.made["currency"] = info.base_currency
    scene.drive.call("company_info.refresh", **scene.company)


def payments_are_read_by_connection(scene: Scene) -> None:
    page = scene.drive.call("payments.payments", **scene.ids, link_type="Invoice", page_size=500)
    scene.drive.expect(page.total_results > 0, str(page))


def errors_are_typed(scene: Scene) -> None:
    drive = scene.drive
    stranger = connect(scene.base_url, "not-a-key")
    stranger.step = drive.step
    stranger.refused("bills.list", status=401, **scene.company)
    drive.refused("bills.list", status=404, company_id=NOBODY)
    drive.refused("bills.list", status=400, **scene.company, query="amountDue>>1")
    drive.refused("bills.list", status=400, **scene.company, query="lineItems.unitAmount=700")
    drive.refused("bills.list", status=400, **scene.company, order_by="nothing")
    drive.refused("bills.list", status=409, company_id=scene.waiting_company_id)


def models_of_pushes_are_told_in_full(scene: Scene) -> None:
    asked = {
        "suppliers": "get_create_update_model",
        "bills": "get_create_update_model",
        "bill_credit_notes": "get_create_update_model",
        "bill_payments": "get_create_model",
        "bank_accounts": "get_create_update_model",
    }
    for group, method in asked.items():
        option: Any = scene.drive.call(f"{group}.{method}", **scene.ids)
        scene.drive.expect(isinstance(option.properties, dict), f"{group}: no properties")
        scene.drive.expect(len(option.properties) > 3, f"{group}: {list(option.properties)}")


STEPS: list[Step] = [
    company_information_is_read_and_refreshed,
    *(reads(listing) for listing in LISTINGS),
    payments_are_read_by_connection,
    models_of_pushes_are_told_in_full,
    errors_are_typed,
]
