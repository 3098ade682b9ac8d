"""What every record is made of: exact numbers, days, moments, references, and Record itself."""

import datetime
import enum
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from tallystick.lib import json


def _day(value: Any) -> Any:
    """The calendar day of a wire date: `2023-04-23`, `2023-04-23T00:00:00`, with or without zone.

    The day as written is meant, so a zone never moves it.
    """
    return value[:10] if isinstance(value, str) and value[10:11] in {"T", " "} else value


def _number(value: Any) -> Any:
    if type(value) is Decimal:
        return value
    if isinstance(value, bool | float):
        raise ValueError("a number is expected, exact and not a truth value")  # noqa: TRY004 - pydantic reports ValueError
    if isinstance(value, str) and "e" in value.lower():
        # Written plainly, a few characters such as 1e999999999 would fill the memory.
        raise ValueError("a number written as text may not have an exponent")
    return value


def _day_text(day: datetime.date) -> str:
    return f"{day.isoformat()}T00:00:00"


def _moment_text(moment: datetime.datetime) -> str:
    text = moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds")
    return text.replace(".000+00:00", "Z").replace("+00:00", "Z")


Number = Annotated[Decimal, BeforeValidator(_number), PlainSerializer(json.plain, return_type=Any)]
"""Money, quantities and rates: exact, served as a plain JSON number."""

Day = Annotated[
    datetime.date,
    BeforeValidator(_day),
    PlainSerializer(_day_text, return_type=str),
]
"""A calendar day; the wire shows it as midnight without a zone."""

Moment = Annotated[datetime.datetime, PlainSerializer(_moment_text, return_type=str)]
"""An instant, aware and in UTC; the wire shows it with `Z`."""


class Word(enum.StrEnum):
    """A closed list of words of the wire."""

    @classmethod
    def of(cls, text: str | None) -> Self:
        """The member of that name, or `Unknown`: what a platform says newly never stops a read."""
        try:
            return cls(text or "Unknown")
        except ValueError:
            return cls("Unknown")


class Part(BaseModel):
    """A frozen piece of a record: snake_case inside, camelCase on the wire."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore"
    )


def _written(part: Part) -> dict[str, Any]:
    """What `model_dump(by_alias=True, exclude_none=True)` gives, in half the time.

    Every record that is read passes here, and pydantic calls back into Python for each number.
    """
    values = part.__dict__
    return {
        alias: value if write is None else write(value)
        for name, alias, write in _writers(type(part))
        if (value := values[name]) is not None
    }


@cache
def _writers(part: type[Part]) -> tuple[tuple[str, str, Callable[[Any], Any] | None], ...]:
    """Name, wire name, and what turns the value into JSON; None: it is JSON already."""
    return tuple(
        (name, info.alias or name, _writer(info.annotation))
        for name, info in part.model_fields.items()
    )


def _writer(annotation: Any) -> Callable[[Any], Any] | None:
    arguments, origin = get_args(annotation), get_origin(annotation)
    if origin is Annotated:
        return _writer(arguments[0])
    if origin in {Union, UnionType}:
        (present,) = (each for each in arguments if each is not NoneType)
        return _writer(present)
    if origin is tuple:
        return _each(_writer(arguments[0]))
    if not isinstance(annotation, type) or origin is not None:
        return None
    for base, write in _WRITERS:
        if issubclass(annotation, base):
            return write
    return None


def _each(write: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    return None if write is None else lambda values: [write(value) for value in values]


_WRITERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (Part, _written),
    (Decimal, json.plain),
    (Word, lambda word: word.value),
    # A moment is a date too, so it stands first.
    (datetime.datetime, _moment_text),
    (datetime.date, _day_text),
)


class Metadata(Part):
    """What we know about a record beside its content."""

    is_deleted: bool | None = None


class Record(Part):
    """One record of a data type; its class is the type's only definition.

    `key` is the data type's name on the wire. `computed` gives, by wire name, what a caller who
    writes a record may leave out because the platform works it out. A `dated` type is served with
    `modifiedDate` and `metadata`; those come from the store, not from the platform.
    """

    key: ClassVar[str]
    dated: ClassVar[bool] = True
    computed: ClassVar[Mapping[str, Any]] = {}

    id: str = ""
    metadata: Metadata | None = None
    source_modified_date: Moment | None = None

    def wire(self) -> dict[str, Any]:
        """The JSON object of the wire, members without value left out."""
        return _written(self)

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Self:
        """A record as a caller sends it: `id`, moments and what is computed may be absent."""
        return cls.model_validate({**cls.computed, **body})


# --- shapes that several records share ---


class Ref(Part):
    """A pointer to another record."""

    id: str | None = None
    name: str | None = None


class SupplierRef(Part):
    id: str
    supplier_name: str | None = None


class CustomerRef(Part):
    id: str
    company_name: str | None = None


class AccountRef(Part):
    id: str | None = None
    name: str | None = None


class ItemRef(Part):
    id: str
    name: str | None = None


class TaxRateRef(Part):
    id: str | None = None
    name: str | None = None
    effective_tax_rate: Number | None = None


class TrackingCategoryRef(Part):
    id: str
    name: str | None = None


class RecordRef(Part):
    """A pointer that says which data type it points into."""

    id: str
    data_type: str


class AddressType(Word):
    Unknown = "Unknown"
    Billing = "Billing"
    Delivery = "Delivery"


class Address(Part):
    type: AddressType
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    postal_code: str | None = None


class PhoneType(Word):
    Primary = "Primary"
    Landline = "Landline"
    Mobile = "Mobile"
    Fax = "Fax"
    Unknown = "Unknown"


class Phone(Part):
    number: str
    type: PhoneType


class WebLinkType(Word):
    Website = "Website"
    Social = "Social"
    Unknown = "Unknown"


class WebLink(Part):
    type: WebLinkType
    url: str


class WithholdingTax(Part):
    name: str
    amount: Number


class ActiveStatus(Word):
    """Whether a record of reference may still be used."""

    Unknown = "Unknown"
    Active = "Active"
    Archived = "Archived"


class AccountStatus(Word):
    Unknown = "Unknown"
    Active = "Active"
    Archived = "Archived"
    Pending = "Pending"


class ValidDataTypeLink(Part):
    """Where a record may be pointed at from, as `BillPayment.AccountRef.Id`."""

    property: str | None = None
    links: tuple[str, ...] = ()


class AllocatedPayment(Part):
    """The payment's side of a payment allocation."""

    id: str
    note: str | None = None
    reference: str | None = None
    account_ref: AccountRef | None = None
    currency: str | None = None
    currency_rate: Number | None = None
    paid_on_date: Day | None = None
    total_amount: Number | None = None


class Allocation(Part):
    """The document's side of a payment allocation."""

    currency: str | None = None
    currency_rate: Number | None = None
    allocated_on_date: Day | None = None
    total_amount: Number | None = None


class PaymentAllocation(Part):
    """How much of which payment went to a document."""

    payment: AllocatedPayment
    allocation: Allocation


class DocumentLine(Part):
    """What a line of any bill, invoice or credit note holds; amounts are positive.

    `sub_total = unit_amount * quantity - discount_amount`, and `total_amount` adds the tax.
    """

    description: str | None = None
    # Older official clients require both, so a line without them says 0.
    unit_amount: Number
    quantity: Number
    discount_amount: Number | None = None
    sub_total: Number | None = None
    tax_amount: Number | None = None
    total_amount: Number | None = None
    discount_percentage: Number | None = None
    account_ref: AccountRef | None = None
    tax_rate_ref: TaxRateRef | None = None
    item_ref: ItemRef | None = None
    tracking_category_refs: tuple[TrackingCategoryRef, ...] = ()
