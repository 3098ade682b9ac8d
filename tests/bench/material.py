"""What is measured with: a company, and believable invoices of about two kilobytes."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg

from tallystick.lib.ids import derived_id, new_id
from tallystick.lib.secrets import digest, new_token
from tallystick.model.base import AccountRef, CustomerRef, TaxRateRef, TrackingCategoryRef
from tallystick.model.receivables import Invoice, InvoiceLine, InvoiceStatus

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A company with a linked connection, and a key to ask for it."""

    client_id: str
    company_id: str
    connection_id: str
    key: str


def place(url: str) -> Place:
    """Make one, with a finished read of invoices."""
    made = Place(new_id(), new_id(), new_id(), new_token())
    row = {"k": made.client_id, "c": made.company_id, "n": made.connection_id, "now": NOW}
    with psycopg.connect(url) as db:
        db.execute(
            "insert into client (id, name, created_at) values (%(k)s, 'Bench', %(now)s)", row
        )
        db.execute(
            "insert into api_key (id, client_id, digest, created_at) values (%s, %s, %s, %s)",
            (new_id(), made.client_id, digest(made.key), NOW),
        )
        db.execute(
            "insert into company (id, client_id, name, created_at)"
            " values (%(c)s, %(k)s, 'Bench', %(now)s)",
            row,
        )
        db.execute(
            "insert into connection (company_id, id, client_id, platform_key, status, created_at,"
            " linked_at) values (%(c)s, %(n)s, %(k)s, 'gbol', 'Linked', %(now)s, %(now)s)",
            row,
        )
        db.execute(
            "insert into dataset (company_id, id, connection_id, data_type, batch_id, status,"
            " requested_at, completed_at) values (%(c)s, gen_random_uuid(), %(n)s, 'invoices',"
            " gen_random_uuid(), 'Complete', %(now)s, %(now)s)",
            row,
        )
    return made


def invoices(count: int) -> Iterator[Invoice]:
    """The same invoices at each call: ids and figures come from their number."""
    for number in range(count):
        amount = Decimal(number % 9_000 + 100) / 4
        issued = date(2026, 1, 1) + timedelta(days=number % 320)
        lines = tuple(_line(number * 4 + position, amount) for position in range(4))
        tax = sum((line.tax_amount or Decimal(0) for line in lines), Decimal(0))
        total = amount * 4 + tax
        yield Invoice(
            id=derived_id("bench", str(number)),
            invoice_number=f"INV-{number:06}",
            customer_ref=CustomerRef(
                id=derived_id("customer", str(number % 200)), company_name=f"Café N° {number % 200}"
            ),
            issue_date=issued,
            due_date=issued + timedelta(days=30),
            currency="GBP",
            currency_rate=Decimal(1),
            line_items=lines,
            sub_total=amount * 4,
            total_tax_amount=tax,
            total_amount=total,
            amount_due=total if number % 3 else Decimal(0),
            total_discount=Decimal(0),
            status=InvoiceStatus.Submitted if number % 3 else InvoiceStatus.Paid,
            source_modified_date=NOW,
        )


def _line(number: int, amount: Decimal) -> InvoiceLine:
    return InvoiceLine(
        description=f"Oak board, planed, batch {number}",
        quantity=Decimal(1),
        unit_amount=amount,
        sub_total=amount,
        tax_amount=amount / 5,
        total_amount=amount * 6 / 5,
        account_ref=AccountRef(id=str(uuid.UUID(int=number % 40)), name="Sales of joinery"),
        tax_rate_ref=TaxRateRef(id="OUTPUT2", name="20% (VAT)", effective_tax_rate=Decimal(20)),
        tracking_category_refs=(
            TrackingCategoryRef(id=str(uuid.UUID(int=number % 7)), name="Workshop"),
        ),
    )
