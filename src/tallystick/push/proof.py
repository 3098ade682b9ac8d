"""Whether a payment settled what it should: what was owed before, and what is owed now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.lib import json
from tallystick.model import Bill, BillCreditNote, BillPayment, Record
from tallystick.model.payables import BillPaymentLink, BillPaymentLinkType

_TARGETS = {BillPaymentLinkType.Bill: Bill.key, BillPaymentLinkType.CreditNote: BillCreditNote.key}


@dataclass(frozen=True, slots=True)
class Settlement:
    """One document that a payment touched; of a credit note it is the remaining credit.

    `reason` says why it does not count as settled.
    """

    data_type: str
    id: str
    before: Decimal | None
    expected: Decimal | None
    after: Decimal | None
    reason: str | None

    @property
    def settled(self) -> bool:
        return self.reason is None

    def wire(self) -> dict[str, Any]:
        amounts = {
            "amountDueBefore": self.before,
            "amountDueExpected": self.expected,
            "amountDueAfter": self.after,
        }
        return {
            "recordRef": {"id": self.id, "dataType": self.data_type},
            **{name: json.plain(value) for name, value in amounts.items() if value is not None},
            "settled": self.settled,
            **({"reason": self.reason} if self.reason else {}),
        }


def targets(record: Record) -> tuple[str, ...]:
    """The documents that a record settles: `bills/{id}`, `billCreditNotes/{id}`."""
    return tuple(dict.fromkeys(map(_key, _links(record))))


def effects(record: Record) -> Mapping[str, Decimal]:
    """What each document's open amount should change by.

    A link's negative amount lowers what is owed on a bill; a positive one uses a credit note up,
    and so lowers its remaining credit.
    """
    moved: dict[str, Decimal] = {}
    for link in _links(record):
        key = _key(link)
        amount = link.amount or Decimal(0)
        change = amount if link.type is BillPaymentLinkType.Bill else -amount
        moved[key] = moved.get(key, Decimal(0)) + change
    return moved


def settlements(
    record: Record,
    *,
    before: Mapping[str, Decimal],
    read_back: Iterable[Record],
    unread: str | None = None,
) -> tuple[Settlement, ...]:
    """What a payment was to do to each document beside what it did.

    `unread` says why nothing could be read back.
    """
    # Callers may write a GUID in either case; the platform answers in its own.
    held = {_folded(key): amount for key, amount in before.items()}
    after = {_folded(f"{found.key}/{found.id}"): _open_amount(found) for found in read_back}
    spelled = {_key(link): link.id or "" for link in _links(record)}
    return tuple(
        _settlement(key, spelled[key], change, held.get(key), after.get(key), unread)
        for key, change in effects(record).items()
    )


def _settlement(
    key: str,
    record_id: str,
    change: Decimal,
    before: Decimal | None,
    after: Decimal | None,
    unread: str | None,
) -> Settlement:
    data_type = key.partition("/")[0]
    expected = None if before is None else before + change
    return Settlement(
        data_type, record_id, before, expected, after, _reason(expected, after, unread)
    )


def _reason(expected: Decimal | None, after: Decimal | None, unread: str | None) -> str | None:
    if unread:
        return unread
    if after is None:
        return "The platform did not show this document again."
    if expected is None:
        return "What was open before the write is not known."
    if after != expected:
        return (
            f"{after} is open, not {expected}: someone else changed the document at the same "
            "time, or the platform booked another amount."
        )
    return None


def _key(link: BillPaymentLink) -> str:
    return _folded(f"{_TARGETS[link.type]}/{link.id}")


def _folded(key: str) -> str:
    data_type, _, record_id = key.partition("/")
    return f"{data_type}/{record_id.casefold()}"


def _links(record: Record) -> Iterator[BillPaymentLink]:
    if isinstance(record, BillPayment):
        for line in record.lines:
            yield from (link for link in line.links if link.id and link.type in _TARGETS)


def _open_amount(record: Record) -> Decimal | None:
    if isinstance(record, Bill):
        return record.amount_due
    return record.remaining_credit if isinstance(record, BillCreditNote) else None
