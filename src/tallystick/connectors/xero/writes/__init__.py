"""Every data type we write to Xero."""

from tallystick.connectors.contract import Write
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import XeroClient
from tallystick.connectors.xero.writes.bank_accounts import BANK_ACCOUNTS
from tallystick.connectors.xero.writes.bill_payments import BILL_PAYMENTS
from tallystick.connectors.xero.writes.documents import BILL_CREDIT_NOTES, BILLS
from tallystick.connectors.xero.writes.suppliers import SUPPLIERS

WRITES: tuple[Write[XeroClient, XeroBooks], ...] = (
    # Found again by a name that is unique at Xero.
    SUPPLIERS,
    BANK_ACCOUNTS,
    # Found again by what they say, among those that were not there before.
    BILLS,
    BILL_CREDIT_NOTES,
    BILL_PAYMENTS,
)
