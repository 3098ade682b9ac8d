"""Rules that several writes share: what is wrong with a record, said by the property's path."""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

from tallystick.connectors.xero.books import BookAccount, XeroBooks
from tallystick.connectors.xero.writes.sending import their_rate
from tallystick.errors import Problem, Refused
from tallystick.lib.ids import is_uuid

T = TypeVar("T")
Say = Callable[[str, str], Problem]

MONEY_PLACES = 2
UNIT_PLACES = 4
_RATE_OFF_MOST = Decimal("0.001")
_CURRENCY = re.compile(r"[A-Z]{3}")


def saying(validator: str) -> Say:
    """A maker of problems of one data type: `say("DueDate", "Due Date must be provided.")`."""
    return lambda item_id, message: Problem(item_id, message, validator)


def given(value: T | None, item_id: str) -> T:
    """A value the needs have asked for already.

    Raises:
        Refused: it is missing all the same, and nothing was sent.
    """
    if value is None or value == "":
        problem = Problem(item_id, f"{item_id} must be provided.", "Xero")
        raise Refused(problem.message, problems=(problem,))
    return value


def too_fine(
    say: Say, item_id: str, value: Decimal | None, places: int = MONEY_PLACES
) -> Iterator[Problem]:
    """Nothing of the caller's is rounded: what Xero would round away is refused."""
    if value is None:
        return
    fraction = format(value, "f").partition(".")[2].rstrip("0")
    if len(fraction) > places:
        yield say(item_id, f"{item_id} must not have more than {places} decimal places.")


def currency_problems(say: Say, currency: str | None, rate: Decimal | None) -> Iterator[Problem]:
    if currency is not None and not _CURRENCY.fullmatch(currency):
        yield say("Currency", f"Currency {currency[:20]!r} is no ISO 4217 code.")
    yield from rate_problems(say, "CurrencyRate", rate)


def rate_problems(say: Say, item_id: str, rate: Decimal | None) -> Iterator[Problem]:
    """Xero keeps the reciprocal with six places, which leaves little of it for a large rate."""
    if rate is None or rate == 1:
        return
    if rate <= 0:
        yield say(item_id, "Currency Rate must be greater than zero.")
    elif abs(their_rate(rate) * rate - 1) > _RATE_OFF_MOST:
        yield say(
            item_id,
            "Xero cannot keep this rate exactly enough. Leave it out: then the day's rate holds.",
        )


def id_problems(say: Say, item_id: str, value: str | None) -> Iterator[Problem]:
    """Xero's ids are GUIDs; anything else was never one of its records."""
    if value is not None and not is_uuid(value):
        yield say(item_id, f"{item_id} must be a valid GUID.")


def paying_account_problems(
    say: Say, account_id: str | None, books: XeroBooks
) -> Iterator[Problem]:
    """Money leaves through a bank account, or one that was opened for payments."""
    if not account_id:
        yield say("AccountRef.Id", "Account Ref must be provided to pay from a bank account.")
        return
    account = books.account(account_id, None)
    if account is None:
        yield say("AccountRef.Id", "Account Ref was not found in Xero.")
    elif not takes_payments(account):
        yield say(
            "AccountRef.Id",
            f"Account {account.name} is no bank account and is not opened for payments.",
        )


def takes_payments(account: BookAccount) -> bool:
    return account.kind == "BANK" or account.takes_payments


def tracking_problems(
    say: Say, item_id: str, option_ids: Sequence[str], books: XeroBooks
) -> Iterator[Problem]:
    if len(option_ids) > 2:
        yield say(item_id, "Xero takes at most two tracking categories on a line.")
    parents = []
    for position, option_id in enumerate(option_ids):
        option = books.option(option_id, None, None)
        if option is None:
            yield say(
                f"{item_id}[{position}].Id",
                "Tracking Category Ref was not found in Xero; it must be an option, no category.",
            )
        else:
            parents.append(option.category_id)
    if len(parents) != len(set(parents)):
        yield say(item_id, "Tracking categories must not have the same parent.")
