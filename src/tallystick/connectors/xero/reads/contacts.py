"""Contacts: everyone a Xero organisation deals with, each of them a supplier and a customer."""

from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.values import addresses, full_name, moment, phone_number
from tallystick.model.base import ActiveStatus, Phone, PhoneType
from tallystick.model.payables import Supplier
from tallystick.model.receivables import Contact, Customer

_STATUSES = {
    "ACTIVE": ActiveStatus.Active,
    "ARCHIVED": ActiveStatus.Archived,
    # The person asked to be forgotten; nothing may be sent to them any more.
    "GDPRREQUEST": ActiveStatus.Archived,
}

CONTACT_IGNORES = frozenset(
    {
        # Xero counts a contact as one or the other once documents exist; both lists hold all.
        "IsSupplier",
        "IsCustomer",
        # Numbers and groups of the organisation's own.
        "ContactNumber",
        "AccountNumber",
        "ContactGroups",
        "XeroNetworkKey",
        "SkypeUserName",
        "Website",
        "BrandingTheme",
        "MergedToContactID",
        # Defaults for new documents.
        "AccountsReceivableTaxType",
        "AccountsPayableTaxType",
        "SalesDefaultLineAmountType",
        "PurchasesDefaultLineAmountType",
        "SalesDefaultAccountCode",
        "PurchasesDefaultAccountCode",
        "SalesTrackingCategories",
        "PurchasesTrackingCategories",
        "TrackingCategoryName",
        "TrackingCategoryOption",
        "PaymentTerms",
        "Discount",
        "TaxNumberType",
        # Spelled so in answers (an example of the OpenAPI file, 2026-07).
        "TaxNumbeType",
        # The supplier's own bank details: not in the model, and not to be copied about.
        "BankAccountDetails",
        "BatchPayments",
        # Sums; the documents say it one by one, and this does not move UpdatedDateUTC.
        "Balances",
        "HasAttachments",
        "Attachments",
        "UpdatedDateUTCString",
        "Addresses.AttentionTo",
        "Phones.PhoneType",
        "ContactPersons.IncludeInEmails",
        # About a request, not about the record.
        "HasValidationErrors",
        "ValidationErrors",
        "StatusAttributeString",
        "Warnings",
    }
)


def suppliers(fields: Fields, books: XeroBooks) -> tuple[Supplier, ...]:
    del books
    contact_id = fields.needed("ContactID")
    persons = _persons(fields)
    return (
        Supplier(
            id=contact_id,
            supplier_name=fields.text("Name"),
            contact_name=full_name(fields) or (persons[0].name if persons else None),
            email_address=fields.text("EmailAddress"),
            phone=_phone(fields),
            addresses=addresses(fields),
            registration_number=fields.text("CompanyNumber"),
            tax_number=fields.text("TaxNumber"),
            status=_status(fields),
            default_currency=fields.text("DefaultCurrency"),
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


def customers(fields: Fields, books: XeroBooks) -> tuple[Customer, ...]:
    del books
    contact_id = fields.needed("ContactID")
    return (
        Customer(
            id=contact_id,
            customer_name=fields.text("Name"),
            contact_name=full_name(fields),
            email_address=fields.text("EmailAddress"),
            default_currency=fields.text("DefaultCurrency"),
            phone=_phone(fields),
            addresses=addresses(fields),
            contacts=_persons(fields),
            registration_number=fields.text("CompanyNumber"),
            tax_number=fields.text("TaxNumber"),
            status=_status(fields),
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


def _status(fields: Fields) -> ActiveStatus:
    return fields.word("ContactStatus", _STATUSES, ActiveStatus.Unknown)


_PHONE_TYPES = {
    "DEFAULT": PhoneType.Primary,
    "DDI": PhoneType.Landline,
    "OFFICE": PhoneType.Landline,
    "MOBILE": PhoneType.Mobile,
    "FAX": PhoneType.Fax,
}


def phones(owner: Fields) -> tuple[Phone, ...]:
    """The phones that have a number; Xero sends all types, most of them empty."""
    found = [
        (phone_number(fields), fields.word("PhoneType", _PHONE_TYPES, PhoneType.Unknown))
        for fields in owner.each("Phones")
    ]
    return tuple(Phone(number=number, type=of_type) for number, of_type in found if number)


def _phone(contact: Fields) -> str | None:
    return next(
        (phone.number for phone in phones(contact) if phone.type is PhoneType.Primary), None
    )


def _persons(contact: Fields) -> tuple[Contact, ...]:
    """Further people of a contact; Xero knows no status of theirs."""
    return tuple(
        Contact(
            name=full_name(fields),
            email=fields.text("EmailAddress"),
            status=ActiveStatus.Unknown,
        )
        for fields in contact.each("ContactPersons")
    )
