"""Bank accounts: entries of Xero's chart, found again by their name, which is unique there."""

from collections.abc import Iterator, Sequence

from tallystick.connectors.contract import (
    Change,
    Need,
    Picture,
    Raw,
    Write,
    Written,
)
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import XeroClient, records_of
from tallystick.connectors.xero.reads.ledger import accounts, bank_accounts
from tallystick.connectors.xero.writes import looking
from tallystick.connectors.xero.writes.checks import currency_problems, given, saying
from tallystick.connectors.xero.writes.sending import create, filled, new_id
from tallystick.errors import Problem
from tallystick.model.banking import BankAccount, BankAccountType
from tallystick.model.base import Record

NEEDS = (
    Need("accountName", required=True, length_max=150, note="Unique among the accounts."),
    Need("nominalCode", length_max=10, note="Unique among the accounts."),
    Need("accountType", choices=("Debit",), note="Credit accounts are made in Xero itself."),
    Need("sortCode"),
    Need("accountNumber", note="Xero asks for it, in the form of the organisation's country."),
    Need("iBan", note="Sent where there is no account number."),
    Need("currency", note="The base currency where it is left out."),
    Need("status", choices=("Active",)),
)


def check(account: BankAccount, books: XeroBooks) -> Sequence[Problem]:
    return tuple(_problems(account, books))


def _problems(account: BankAccount, books: XeroBooks) -> Iterator[Problem]:
    say = saying("BankAccount")
    if account.account_type is BankAccountType.Credit:
        yield say("AccountType", "Xero takes no credit card account through its API.")
    yield from currency_problems(say, account.currency, None)
    used = {known.name.casefold() for known in books.accounts.values() if known.active}
    if (account.account_name or "").strip().casefold() in used:
        yield say("AccountName", "Account Name is that of another account in Xero.")
    taken = books.account(None, account.nominal_code)
    if taken and taken.active:
        yield say("NominalCode", f"Nominal Code is that of account {taken.name} in Xero.")


def _body(account: BankAccount, books: XeroBooks) -> Raw:
    """A bare object, as Xero's OpenAPI has it for this one address."""
    number = f"{account.sort_code or ''}{account.account_number or ''}"
    return filled(
        Code=account.nominal_code,
        Name=account.account_name,
        Type="BANK",
        BankAccountNumber=number or account.i_ban,
        CurrencyCode=account.currency or books.base_currency,
    )


async def _create(client: XeroClient, key: str, account: BankAccount, books: XeroBooks) -> Written:
    body = _body(account, books)
    raw = await create(client, "/Accounts", "Accounts", key=key, body=body, params={})
    return _written(raw)


def _written(raw: Raw) -> Written:
    return Written(changes=(Change("bankAccounts", new_id(raw, "AccountID")),))


async def _namesakes(client: XeroClient, account: BankAccount) -> list[Raw]:
    answer = await client.get("/Accounts", {"where": 'Type=="BANK"'})
    name = given(account.account_name, "AccountName").strip().casefold()
    return [
        raw
        for raw in records_of(answer.json(), "Accounts")
        if looking.text_of(raw, "Name").casefold() == name
    ]


async def _picture(client: XeroClient, account: BankAccount, books: XeroBooks) -> Picture:
    del books
    known = await _namesakes(client, account)
    return Picture(seen={"bankAccounts": tuple(looking.text_of(raw, "AccountID") for raw in known)})


async def _find(
    client: XeroClient, key: str, account: BankAccount, books: XeroBooks, picture: Picture
) -> Sequence[Written]:
    """An account that had the name before is somebody else's."""
    del key, books
    seen = picture.seen["bankAccounts"]
    return [
        _written(raw)
        for raw in await _namesakes(client, account)
        if looking.text_of(raw, "AccountID") not in seen
    ]


async def _read_back(
    client: XeroClient, account: BankAccount, written: Written, books: XeroBooks
) -> Sequence[Record]:
    del account
    raw = await looking.account(client, written.changes[0].id)
    return (*looking.mapped(raw, bank_accounts, books), *looking.mapped(raw, accounts, books))


BANK_ACCOUNTS: Write[XeroClient, XeroBooks] = Write(
    type=BankAccount,
    needs=NEEDS,
    check=check,
    picture=_picture,
    create=_create,
    find=_find,
    read_back=_read_back,
)
