"""Published records, loaded as they are: an organisation of their own, dangling references and all.

A file is either Xero's OpenAPI YAML, whose response examples are taken, or JSON of the form
{"Invoices": [...], "Contacts": [...]}. Numbers keep their digits and dates stay the words they
were; a record changes only where a write through the API touches it.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from tallystick.simulators.xero.api.routes import READABLE
from tallystick.simulators.xero.books import ledger
from tallystick.simulators.xero.books.accounts import add_account
from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.errors import ID_KEYS
from tallystick.simulators.xero.seeds.chart import SYSTEM_ACCOUNTS
from tallystick.simulators.xero.wire import moment_json, money
from tallystick.simulators.xero.world import World

Raw = Any

_LOG = logging.getLogger(__name__)

NAME = "Published records"
TENANT_ID = str(uuid5(NAMESPACE_URL, "https://github.com/XeroAPI/Xero-OpenAPI#published-records"))


class _AsWritten(yaml.CSafeLoader):
    """YAML whose dates stay text and whose numbers keep their digits."""


_AsWritten.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _decimal(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> Raw:
    text = loader.construct_scalar(node)
    try:
        return Decimal(text.replace("_", ""))
    except ArithmeticError:
        return text


_AsWritten.add_constructor("tag:yaml.org,2002:float", _decimal)


class UnreadableBooks(ValueError):
    """A file holds no published records; the message says why."""


def load_native(world: World, path: Path) -> None:
    """Load a file once; a world that already holds it is left alone."""
    with world.store.transaction() as tx:
        if tx.one("organisation", id=TENANT_ID) is not None:
            return
        books = world.books(tx, TENANT_ID)
        records = published(path)
        books.keep_organisation(_organisation(books, records.get("Organisation", [])))
        _fill(books, records)


def published(path: Path) -> dict[str, list[Raw]]:
    """The records of a file by collection, the first of each id; what is left out is logged.

    Raises:
        UnreadableBooks: it is no such file, or nothing in it can be served.
    """
    try:
        found = _found(path)
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise UnreadableBooks(f"The file {path} holds no records to serve: {reason}.") from error
    kept: dict[str, dict[str, Raw]] = {}
    left_out: dict[str, int] = {}
    for name, record in found:
        collection = "Organisation" if name == "Organisations" else name
        key = ID_KEYS.get(collection)
        if key and isinstance(record, dict) and record.get(key):
            kept.setdefault(collection, {}).setdefault(str(record[key]).lower(), record)
        else:
            left_out[name] = left_out.get(name, 0) + 1
    for name, count in left_out.items():
        _LOG.info("published records left out: %s of %s", count, name)
    if not kept:
        raise UnreadableBooks(f"The file {path} holds no records that this simulator serves.")
    return {name: list(records.values()) for name, records in kept.items()}


def _found(path: Path) -> list[tuple[str, Raw]]:
    text = path.read_text()
    if path.suffix.lower() in (".yaml", ".yml"):
        document = yaml.load(text, Loader=_AsWritten)  # noqa: S506 - a SafeLoader
        if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
            raise UnreadableBooks("it is no OpenAPI document")
        return list(_examples(document["paths"]))
    held = json.loads(text, parse_float=Decimal)
    if not isinstance(held, dict) or not all(isinstance(v, list) for v in held.values()):
        raise UnreadableBooks("lists of records by collection are expected")
    return [(name, record) for name, records in held.items() for record in records]


def _examples(paths: Mapping[str, Raw]) -> Iterator[tuple[str, Raw]]:
    """Every record in the example of a 200 answer."""
    for operations in paths.values():
        for operation in operations.values() if isinstance(operations, dict) else ():
            responses = operation.get("responses", {}) if isinstance(operation, dict) else {}
            content = (responses.get("200") or responses.get(200) or {}).get("content") or {}
            example = (content.get("application/json") or {}).get("example")
            if isinstance(example, str):
                example = json.loads(example, parse_float=Decimal)
            if isinstance(example, dict):
                for name, records in example.items():
                    if isinstance(records, list):
                        yield from ((name, record) for record in records)


def _organisation(books: Books, records: list[Raw]) -> dict[str, Raw]:
    """The published organisation under a name of its own, unlocked so that it can be paid."""
    shown = dict(records[0]) if records else {"BaseCurrency": "NZD", "CountryCode": "NZ"}
    for name in ("PeriodLockDate", "EndOfYearLockDate", "APIKey"):
        shown.pop(name, None)
    shown.setdefault("CreatedDateUTC", moment_json(books.now))
    return {**shown, "Name": NAME, "LegalName": NAME, "OrganisationID": TENANT_ID}


def _fill(books: Books, records: dict[str, list[Raw]]) -> None:
    for collection in READABLE:
        for record in records.get(collection, []):
            books.save(collection, record, moved=False, native=True)
    currencies = {record["Code"] for record in records.get("Currencies", [])}
    if books.base not in currencies:
        books.save("Currencies", {"Code": books.base, "Description": ""}, moved=False)
    for account in SYSTEM_ACCOUNTS:
        _add_missing(books, account)
    if not any(each.body.get("Type") == "BANK" for each in books.all_of("Accounts")):
        bank = {
            "Code": "090",
            "Name": "Bank",
            "Type": "BANK",
            "BankAccountNumber": "0209087654321050",
        }
        add_account(books, bank)
    for collection in ("Invoices", "CreditNotes", "Prepayments", "Overpayments"):
        for record in records.get(collection, []):
            _open(books, collection, record)


def _add_missing(books: Books, account: dict[str, Raw]) -> None:
    """Add a system account under the first code and name that are still free."""
    held = books.all_of("Accounts")
    if any(each.body.get("SystemAccount") == account["SystemAccount"] for each in held):
        return
    codes = {each.body.get("Code") for each in held}
    names = {str(each.body.get("Name", "")).casefold() for each in held}
    code = account["Code"]
    while code in codes:
        code = str(int(code) + 1)
    name = account["Name"]
    while name.casefold() in names:
        name = f"{name} (simulated)"
    add_account(books, {**account, "Code": code, "Name": name})


def _open(books: Books, collection: str, record: dict[str, Raw]) -> None:
    """Post the open balance of a published document, where there is one to post."""
    kind = ledger.KINDS.get(str(record.get("Type")))
    if kind is None or kind.collection != collection or record.get("Status") != "AUTHORISED":
        return
    if money(record.get(kind.open_field)) > 0:
        id_ = str(record[ID_KEYS[collection]]).lower()
        ledger.raise_opening(books, source=id_, body=record)
