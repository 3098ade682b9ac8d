"""What the books say of the company that keeps them."""

from typing import ClassVar

from tallystick.model.base import Address, Day, Moment, Phone, Record, Ref, WebLink


class CompanyInfo(Record):
    """The one record of data type `company`: served as an object, not as a list."""

    key: ClassVar[str] = "company"
    dated: ClassVar[bool] = False

    company_name: str | None = None
    accounting_platform_ref: Ref | None = None
    company_legal_name: str | None = None
    addresses: tuple[Address, ...] = ()
    phone_numbers: tuple[Phone, ...] = ()
    web_links: tuple[WebLink, ...] = ()
    ledger_lock_date: Day | None = None
    registration_number: str | None = None
    tax_number: str | None = None
    financial_year_start_date: Day | None = None
    base_currency: str | None = None
    source_urls: dict[str, str] | None = None
    created_date: Moment | None = None
