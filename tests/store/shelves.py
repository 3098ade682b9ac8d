"""A client, a company and a connection to store records for, and simple bills."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from tallystick.db.pool import Tx
from tallystick.lib.ids import new_id
from tallystick.model import Bill
from tallystick.model.payables import BillStatus

AT = datetime.datetime(2026, 11, 20, 9, 0, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Owner:
    """Whose records are stored."""

    client_id: str
    company_id: str
    connection_id: str

    def place(self, data_type: str = "bills") -> dict[str, str]:
        return {
            "company_id": self.company_id,
            "connection_id": self.connection_id,
            "data_type": data_type,
        }


async def make_owner(tx: Tx) -> Owner:
    owner = Owner(new_id(), new_id(), new_id())
    keys = {"client": owner.client_id, "company": owner.company_id, "at": AT}
    await tx.execute(
        "insert into client (id, name, created_at) values (%(client)s, 'Client', %(at)s)", keys
    )
    await tx.execute(
        "insert into company (id, client_id, name, created_at)"
        " values (%(company)s, %(client)s, 'Company', %(at)s)",
        keys,
    )
    await add_connection(tx, owner, owner.connection_id, created_at=AT)
    return owner


async def add_connection(
    tx: Tx, owner: Owner, connection_id: str, *, created_at: datetime.datetime
) -> None:
    await tx.execute(
        "insert into connection (company_id, id, client_id, platform_key, status, created_at)"
        " values (%s, %s, %s, 'gbol', 'Linked', %s)",
        (owner.company_id, connection_id, owner.client_id, created_at),
    )


def bill(id: str, *, reference: str = "R", amount_due: Decimal | None = None) -> Bill:  # noqa: A002 - the field's own word
    return Bill(
        id=id,
        reference=reference,
        issue_date=datetime.date(2024, 1, 2),
        status=BillStatus.Open,
        sub_total=Decimal(10),
        tax_amount=Decimal(0),
        total_amount=Decimal(10),
        amount_due=amount_due,
    )


def later(seconds: float) -> datetime.datetime:
    return AT + datetime.timedelta(seconds=seconds)
