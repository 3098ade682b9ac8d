"""What Xero says of the organisation itself."""

from calendar import monthrange
from datetime import date, timedelta

from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.reads.contacts import phones
from tallystick.connectors.xero.values import addresses, day, moment
from tallystick.model.base import Ref, WebLink, WebLinkType
from tallystick.model.company import CompanyInfo

COMPANY_IGNORES = frozenset(
    {
        # Of the subscription and of Xero's own features.
        "APIKey",
        "Version",
        "OrganisationType",
        "OrganisationEntityType",
        "OrganisationStatus",
        "IsDemoCompany",
        "Class",
        "Edition",
        "LineOfBusiness",
        "PaymentTerms",
        # Of taxes: which returns it makes, and how prices are entered.
        "PaysTax",
        "SalesTaxBasis",
        "SalesTaxPeriod",
        "DefaultSalesTax",
        "DefaultPurchasesTax",
        "TaxNumberName",
        "EmployerIdentificationNumber",
        "CountryCode",
        "Timezone",
        "Addresses.AttentionTo",
        "ExternalLinks.Description",
    }
)

_LINK_TYPES = {
    "Website": WebLinkType.Website,
    "Facebook": WebLinkType.Social,
    "GooglePlus": WebLinkType.Social,
    "LinkedIn": WebLinkType.Social,
    "Twitter": WebLinkType.Social,
}


def company(fields: Fields, books: XeroBooks) -> tuple[CompanyInfo, ...]:
    organisation_id = fields.needed("OrganisationID")
    name, created_at = fields.text("Name"), moment(fields, "CreatedDateUTC")
    locks = [day(fields, key) for key in ("PeriodLockDate", "EndOfYearLockDate")]
    return (
        CompanyInfo(
            id=organisation_id,
            company_name=name,
            accounting_platform_ref=Ref(id=organisation_id, name=name),
            company_legal_name=fields.text("LegalName"),
            addresses=addresses(fields),
            phone_numbers=phones(fields),
            web_links=_links(fields),
            ledger_lock_date=max((lock for lock in locks if lock), default=None),
            registration_number=fields.text("RegistrationNumber"),
            tax_number=fields.text("TaxNumber"),
            financial_year_start_date=_year_start(fields),
            base_currency=fields.text("BaseCurrency") or books.base_currency or None,
            source_urls=_source_urls(fields.text("ShortCode")),
            created_date=created_at,
        ),
    )


def _links(fields: Fields) -> tuple[WebLink, ...]:
    found = [
        (link.word("LinkType", _LINK_TYPES, WebLinkType.Unknown), link.text("Url"))
        for link in fields.each("ExternalLinks")
    ]
    return tuple(WebLink(type=of_type, url=url) for of_type, url in found if url)


def _year_start(fields: Fields) -> date | None:
    """Xero gives the day and month a year ends on, and no year: the first full one is meant.

    Counted from the organisation's creation, as a mapping has no clock.
    """
    month, last = fields.number("FinancialYearEndMonth"), fields.number("FinancialYearEndDay")
    created_at = moment(fields, "CreatedDateUTC")
    if month is None or last is None or created_at is None or not 1 <= month <= 12:
        return None
    year = created_at.year - 1
    # 29 February, or a 31st where a month has 30 days, means the month's end.
    ends_on = date(year, int(month), max(1, min(int(last), monthrange(year, int(month))[1])))
    return ends_on + timedelta(days=1)


def _source_urls(short_code: str | None) -> dict[str, str] | None:
    """Where a person finds these books: Xero's deep links need the organisation's short code."""
    if short_code is None:
        return None
    return {
        "url1": f"https://go.xero.com/organisationlogin/default.aspx?shortcode={short_code}",
        "url2": f"https://reporting.xero.com/{short_code}",
    }
