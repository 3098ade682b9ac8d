"""Reading collections and single records: pages, filters, If-Modified-Since, order."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tallystick.simulators.xero.api.trading import trading
from tallystick.simulators.xero.api.views import Look, view
from tallystick.simulators.xero.books.books import Held
from tallystick.simulators.xero.call import Answer, Call, answer
from tallystick.simulators.xero.errors import ID_KEYS, bad_query, not_found
from tallystick.simulators.xero.where import Filter, order_key, parse_order, parse_where
from tallystick.simulators.xero.wire import encode, ms

Raw = Any

PAGED = {"Invoices", "CreditNotes", "Payments", "Prepayments", "Overpayments", "Contacts"}
_SINCE = {*PAGED, "BatchPayments", "Accounts", "Items"}
_WITH_LINES = {"Invoices", "CreditNotes", "Prepayments", "Overpayments"}
_SEARCHED = (
    "InvoiceNumber",
    "Reference",
    "Name",
    "FirstName",
    "LastName",
    "ContactNumber",
    "CompanyNumber",
    "EmailAddress",
)
_PAGE_SIZE = 100
_PAGE_SIZE_MAX = 1000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    collection: str
    columns: dict[str, Raw]
    filter: Filter
    order: list[tuple[str, bool]]
    search: str

    @property
    def statement(self) -> str | None:
        """The statement by which the file itself can filter, order and cut; None if it cannot."""
        if self.filter.test is not None or self.search:
            return None
        if self.order in ([], [("UpdatedDateUTC", False)]):
            return "page"
        return "page_by_id" if self.order == [(ID_KEYS[self.collection], False)] else None


def list_collection(call: Call, collection: str) -> Answer:
    paged = collection in PAGED and "page" in call.query
    page = call.whole("page", otherwise=1)
    size = min(call.whole("pageSize", otherwise=_PAGE_SIZE), _PAGE_SIZE_MAX)
    wanted = _wanted(call, collection)
    rows, count = _rows(call, wanted, limit=size if paged else None, offset=(page - 1) * size)
    look = Look(
        whole=False,
        places=call.places(),
        with_lines=paged or collection not in _WITH_LINES,
        summary=call.flag("summaryOnly"),
        trading=trading(call.books) if collection == "Contacts" else None,
    )
    fields: dict[str, Raw] = {}
    if paged:
        fields["pagination"] = {
            "page": page,
            "pageSize": size,
            "pageCount": -(-count // size),
            "itemCount": count,
        }
    fields[collection] = [view(call.books, each, look) for each in rows]
    return answer(call, **fields)


def one(call: Call, collection: str, id_: str) -> Answer:
    found = call.books.get(collection, id_) or _by_number(call, collection, id_)
    if found is None:
        raise not_found()
    shown = view(call.books, found, Look(whole=True, places=call.places()))
    return answer(call, **{collection: [shown]})


def organisation(call: Call) -> Answer:
    return answer(call, Organisations=[call.books.organisation])


def _by_number(call: Call, collection: str, wanted: str) -> Held | None:
    """Some records also answer to the number people know them by."""
    if collection not in ("Invoices", "CreditNotes", "Items"):
        return None
    found = call.books.rows("by_code", collection=collection, code=wanted)
    return found[0] if found else None


def _wanted(call: Call, collection: str) -> Wanted:
    where = parse_where(call.query.get("where"))
    columns: dict[str, Raw] = {
        "kind": where.columns.get("kind"),
        "contact": where.columns.get("contact"),
        "statuses": _json_list(call, "Statuses"),
        "ids": _json_list(call, "IDs", lower=True),
        "contacts": _json_list(call, "ContactIDs", lower=True),
        "codes": _json_list(call, "InvoiceNumbers"),
        "since_ms": _since_ms(call) if collection in _SINCE else -(10**15),
        "archived": _shows_archived(call, collection),
    }
    if "status" in where.columns:
        asked = where.columns["status"]
        among = (call.query.get("Statuses") or asked).split(",")
        columns["statuses"] = encode([asked] if asked in among else []).decode()
    if columns["contact"]:
        columns["contact"] = str(columns["contact"]).lower()
    order = parse_order(call.query.get("order"))
    search = call.query.get("searchTerm", "").casefold()
    return Wanted(collection=collection, columns=columns, filter=where, order=order, search=search)


def _shows_archived(call: Call, collection: str) -> int:
    hides = collection in ("Contacts", "TrackingCategories")
    return int(not hides or call.flag("includeArchived"))


def _rows(call: Call, wanted: Wanted, *, limit: int | None, offset: int) -> tuple[list[Held], int]:
    books, ours = call.books, {"collection": wanted.collection, **wanted.columns}
    if wanted.statement and limit is not None:
        counted = books.tx.one("count", organisation=books.organisation_id, **ours)
        rows = books.rows(wanted.statement, limit=limit, offset=offset, **ours)
        return rows, counted[0] if counted else 0
    found = books.rows("page", limit=-1, offset=0, **ours)
    if wanted.filter.test:
        test = wanted.filter.test
        found = [each for each in found if test(_searchable(call, each))]
    if wanted.search:
        found = [each for each in found if wanted.search in _words(_searchable(call, each))]
    for path, downwards in reversed(wanted.order):
        found.sort(key=lambda each, path=path: order_key(each.body, path), reverse=downwards)  # type: ignore[misc]
    return (found[offset : offset + limit] if limit is not None else found), len(found)


def _searchable(call: Call, each: Held) -> dict[str, Raw]:
    """A record with its contact's name beside the id, since a filter may ask for it."""
    contact = each.body.get("Contact")
    if each.native or not isinstance(contact, dict) or "Name" in contact:
        return each.body
    found = call.books.get("Contacts", each.contact)
    name = found.body.get("Name") if found else None
    return {**each.body, "Contact": {**contact, "Name": name}}


def _words(body: dict[str, Raw]) -> str:
    """What searchTerm looks through: the numbers, names and references of a record."""
    contact = body.get("Contact")
    named = [body.get(name) for name in _SEARCHED]
    named.append(contact.get("Name") if isinstance(contact, dict) else None)
    return "\n".join(str(word) for word in named if word).casefold()


def _json_list(call: Call, name: str, *, lower: bool = False) -> str | None:
    value = call.query.get(name)
    if not value:
        return None
    pieces = [piece.strip() for piece in value.split(",") if piece.strip()]
    return encode([piece.lower() for piece in pieces] if lower else pieces).decode()


def _since_ms(call: Call) -> int:
    """If-Modified-Since in whole seconds; a fraction that was sent is cut off."""
    value = call.headers.get("if-modified-since")
    if not value:
        return -(10**15)
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        try:
            moment = datetime.strptime(value.strip(), "%a, %d %b %Y %H:%M:%S GMT")  # noqa: DTZ007
        except ValueError as wrong:
            raise bad_query(f"If-Modified-Since is no moment: {value}") from wrong
    return ms(moment.replace(tzinfo=moment.tzinfo or UTC).replace(microsecond=0))
