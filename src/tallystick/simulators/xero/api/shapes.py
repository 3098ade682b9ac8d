"""Whether a sent element has the shape of its model: objects, arrays and words in place."""

from typing import Any

from tallystick.simulators.xero.errors import bad_body

Raw = Any

_OBJECTS = {
    "Account",
    "BatchPayments",
    "Contact",
    "CreditNote",
    "Invoice",
    "Overpayment",
    "PaymentTerms",
    "Prepayment",
}
_ARRAYS = {
    "Addresses",
    "Allocations",
    "ContactPersons",
    "LineItems",
    "Payments",
    "Phones",
    "Tracking",
}

_WORDS = {
    "AccountCode",
    "AccountID",
    "AccountNumber",
    "AddressType",
    "BankAccountDetails",
    "BankAccountNumber",
    "BankAccountType",
    "BatchPaymentID",
    "Code",
    "CompanyNumber",
    "ContactID",
    "ContactNumber",
    "ContactStatus",
    "CreditNoteID",
    "CreditNoteNumber",
    "CurrencyCode",
    "Date",
    "DefaultCurrency",
    "Description",
    "Details",
    "DueDate",
    "EmailAddress",
    "FirstName",
    "InvoiceID",
    "InvoiceNumber",
    "ItemCode",
    "LastName",
    "LineAmountTypes",
    "LineItemID",
    "Name",
    "Narrative",
    "Option",
    "Particulars",
    "PhoneType",
    "Reference",
    "Status",
    "TaxNumber",
    "TaxType",
    "TrackingCategoryID",
    "TrackingOptionID",
    "Type",
    "Url",
}


def shaped(element: Raw) -> dict[str, Raw]:
    """The element with numbers as words where words belong; refuses what cannot be read.

    Names we do not know may hold anything.
    """
    if not isinstance(element, dict):
        raise bad_body("An object was expected")
    return {name: _value(name, value) for name, value in element.items()}


def _value(name: str, value: Raw) -> Raw:
    if value is None:
        return None
    if name in _ARRAYS:
        if not isinstance(value, list):
            raise bad_body(f"{name} must be an array")
        return [shaped(each) for each in value]
    if name in _OBJECTS:
        return shaped(value)
    if name in _WORDS and not isinstance(value, str):
        if isinstance(value, bool | dict | list):
            raise bad_body(f"{name} must be a text")
        return str(value)
    return value
