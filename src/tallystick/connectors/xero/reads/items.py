"""What Xero's items mean."""

from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.values import account_ref, moment
from tallystick.model.base import ActiveStatus, TaxRateRef
from tallystick.model.items import Item, ItemSide, ItemType

ITEM_IGNORES = frozenset(
    {
        # Stock and what it cost: this is no inventory.
        "InventoryAssetAccountCode",
        "TotalCostPool",
        "QuantityOnHand",
        "PurchaseDetails.COGSAccountCode",
        "SalesDetails.COGSAccountCode",
        # About a request, not about the record.
        "StatusAttributeString",
        "ValidationErrors",
    }
)


def items(fields: Fields, books: XeroBooks) -> tuple[Item, ...]:
    item_id = fields.needed("ItemID")
    bought, sold = fields.truth("IsPurchased"), fields.truth("IsSold")
    bill_item = _side(fields, "PurchaseDetails", "PurchaseDescription", books)
    invoice_item = _side(fields, "SalesDetails", "Description", books)
    return (
        Item(
            id=item_id,
            name=fields.text("Name"),
            code=fields.text("Code"),
            # Xero has no status of items.
            item_status=ActiveStatus.Unknown,
            type=ItemType.Inventory if fields.truth("IsTrackedAsInventory") else ItemType.Unknown,
            is_bill_item=True if bought is None else bought,
            bill_item=bill_item,
            is_invoice_item=True if sold is None else sold,
            invoice_item=invoice_item,
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


def _side(fields: Fields, details: str, description: str, books: XeroBooks) -> ItemSide | None:
    text, part = fields.text(description), fields.part(details)
    price, tax_type = part.number("UnitPrice"), part.text("TaxType")
    account = account_ref(None, part.text("AccountCode"), books)
    if text is None and price is None and tax_type is None and account is None:
        return None
    return ItemSide(
        description=text,
        unit_price=price,
        account_ref=account,
        tax_rate_ref=_tax_rate(tax_type, books),
    )


def _tax_rate(tax_type: str | None, books: XeroBooks) -> TaxRateRef | None:
    if tax_type is None:
        return None
    known = books.tax_rates.get(tax_type)
    if known is None:
        return TaxRateRef(id=tax_type)
    return TaxRateRef(id=tax_type, name=known.name, effective_tax_rate=known.effective)
