"""Things bought and sold."""

from typing import ClassVar

from tallystick.model.base import AccountRef, ActiveStatus, Number, Part, Record, TaxRateRef, Word


class ItemType(Word):
    Unknown = "Unknown"
    Inventory = "Inventory"
    NonInventory = "NonInventory"
    Service = "Service"


class ItemSide(Part):
    """How an item appears on bills, or on invoices."""

    description: str | None = None
    unit_price: Number | None = None
    account_ref: AccountRef | None = None
    tax_rate_ref: TaxRateRef | None = None


class Item(Record):
    """A product or service."""

    key: ClassVar[str] = "items"

    name: str | None = None
    code: str | None = None
    item_status: ActiveStatus
    type: ItemType
    is_bill_item: bool
    bill_item: ItemSide | None = None
    is_invoice_item: bool
    invoice_item: ItemSide | None = None
