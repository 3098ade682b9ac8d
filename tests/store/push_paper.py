"""A small accounting platform on paper: it books what it is asked, and can fail on the way."""

import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tallystick.connectors.contract import (
    Access,
    Attachment,
    Attachments,
    Change,
    Connector,
    Limits,
    Need,
    OAuth,
    Picture,
    Write,
    Written,
)
from tallystick.errors import (
    Missing,
    Problem,
    RateLimited,
    Refused,
    Unauthorized,
    Unreachable,
)
from tallystick.model import Bill, BillPayment, Record, Supplier

KEY = "mqjo"


@dataclass(frozen=True, slots=True)
class PaperBooks:
    version: str = "1"


@dataclass
class Paper:
    """The platform's own books. `faults` are taken one per call of that name, None for none."""

    dues: dict[str, Decimal] = field(default_factory=dict)
    payments: dict[str, BillPayment] = field(default_factory=dict)
    suppliers: dict[str, Supplier] = field(default_factory=dict)
    files: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    faults: dict[str, deque[str | None]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    on_fault: Callable[[str], Awaitable[None]] | None = None
    limited_until: datetime = datetime(2026, 11, 20, 9, 1, tzinfo=UTC)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def fail(self, call: str, *faults: str | None) -> None:
        self.faults.setdefault(call, deque()).extend(faults)

    async def called(self, call: str) -> str | None:
        self.calls.append(call)
        waiting = self.faults.get(call)
        fault = waiting.popleft() if waiting else None
        match fault:
            case "unsent":
                raise Unreachable("no way there", sent=False)
            case "down":
                raise Unreachable("503", sent=True)
            case "limited":
                raise RateLimited("limit", until=self.limited_until, limit="minute")
            case "dead":
                raise Unauthorized("revoked")
            case "refused":
                raise Refused("no", problems=(Problem("Date", "The period is locked.", "Paper"),))
            case "gone":
                raise Missing("no such bill")
            case "bug":
                raise KeyError("an answer nobody foresaw")
            case str() if self.on_fault is not None and fault != "lost":
                await self.on_fault(fault)
        return fault

    def lose(self, fault: str | None) -> None:
        """After the books were changed."""
        if fault == "lost":
            raise Unreachable("connection reset", sent=True)

    def new_id(self) -> str:
        return f"p{next(self._numbers)}"

    def bill(self, bill_id: str) -> Bill:
        due = self.dues[bill_id]
        return Bill.from_wire(
            {"id": bill_id, "issueDate": "2026-11-01", "status": "Open", "amountDue": due}
        )


# --- bill payments: found by what is new since the picture, for there is no marker ---


def _bill_ids(record: BillPayment) -> list[str]:
    return [link.id or "" for line in record.lines for link in line.links]


async def _picture(paper: Paper, record: BillPayment, _: PaperBooks) -> Picture:
    await paper.called("picture")
    unknown = [bill for bill in _bill_ids(record) if bill not in paper.dues]
    if unknown:
        raise Refused("unknown", problems=(Problem("Lines[0].Links[0].Id", "Unknown.", "Paper"),))
    return Picture(
        seen={"payments": tuple(paper.payments)},
        balances={f"bills/{bill}": paper.dues[bill] for bill in _bill_ids(record)},
    )


async def _pay(paper: Paper, key: str, record: BillPayment, _: PaperBooks) -> Written:
    fault = await paper.called("create")
    for line in record.lines:
        for link in line.links:
            due = paper.dues[link.id or ""] + (link.amount or 0)
            if due < 0:
                raise Refused("overpaid", problems=(Problem("Amount", "Too much.", "Paper"),))
            paper.dues[link.id or ""] = due
    made = paper.new_id()
    paper.payments[made] = record.model_copy(update={"id": made})
    paper.lose(fault)
    return Written((Change("billPayments", made),))


async def _find_payment(
    paper: Paper, key: str, record: BillPayment, _: PaperBooks, picture: Picture
) -> Sequence[Written]:
    await paper.called("find")
    return [
        Written((Change("billPayments", made),))
        for made, held in paper.payments.items()
        if made not in picture.seen["payments"]
        and _bill_ids(held) == _bill_ids(record)
        and held.total_amount == record.total_amount
    ]


async def _payment_back(
    paper: Paper, record: BillPayment, written: Written, _: PaperBooks
) -> Sequence[Record]:
    await paper.called("read_back")
    return [
        paper.payments[written.changes[0].id],
        *(paper.bill(bill) for bill in _bill_ids(record)),
    ]


# --- suppliers: found by their name ---


async def _supplier_picture(paper: Paper, record: Supplier, _: PaperBooks) -> Picture:
    await paper.called("picture")
    return Picture(seen={"suppliers": tuple(paper.suppliers)})


async def _add_supplier(paper: Paper, key: str, record: Supplier, _: PaperBooks) -> Written:
    fault = await paper.called("create")
    made = paper.new_id()
    paper.suppliers[made] = record.model_copy(update={"id": made})
    paper.lose(fault)
    return Written((Change("suppliers", made),))


async def _find_supplier(
    paper: Paper, key: str, record: Supplier, _: PaperBooks, picture: Picture
) -> Sequence[Written]:
    await paper.called("find")
    return [
        Written((Change("suppliers", made),))
        for made, held in paper.suppliers.items()
        if made not in picture.seen["suppliers"] and held.supplier_name == record.supplier_name
    ]


async def _supplier_back(
    paper: Paper, record: Supplier, written: Written, _: PaperBooks
) -> Sequence[Record]:
    await paper.called("read_back")
    return [paper.suppliers[written.changes[0].id]]


# --- files ---


async def _list(paper: Paper, data_type: str, record_id: str) -> Sequence[Attachment]:
    await paper.called("list")
    return [
        Attachment(made, name, content_type, len(content))
        for made, (name, content_type, content) in paper.files.items()
    ]


async def _download(paper: Paper, data_type: str, record_id: str, wanted: Attachment) -> bytes:
    return paper.files[wanted.id][2]


async def _upload(
    paper: Paper, key: str, data_type: str, record_id: str, name: str, kind: str, content: bytes
) -> Attachment:
    fault = await paper.called("create")
    made = paper.new_id()
    paper.files[made] = (name, kind, content)
    paper.lose(fault)
    return Attachment(made, name, kind, len(content))


def _no_check(record: Record, books: PaperBooks) -> Sequence[Problem]:
    return ()


PAYMENTS: Write[Paper, PaperBooks] = Write(
    type=BillPayment,
    needs=(
        Need("date", required=True),
        Need("totalAmount", required=True),
        Need("currency"),
        Need("reference", length_max=10),
        Need("lines", required=True),
        Need("lines.amount", required=True),
        Need("lines.links.type", required=True, choices=("Bill", "CreditNote")),
        Need("lines.links.id", required=True),
        Need("lines.links.amount", required=True),
    ),
    check=_no_check,
    picture=_picture,
    create=_pay,
    find=_find_payment,
    read_back=_payment_back,
    settles_after=timedelta(seconds=2),
)
SUPPLIERS: Write[Paper, PaperBooks] = Write(
    type=Supplier,
    needs=(Need("supplierName", required=True, length_max=255), Need("status")),
    check=_no_check,
    picture=_supplier_picture,
    create=_add_supplier,
    find=_find_supplier,
    read_back=_supplier_back,
    settles_after=timedelta(seconds=2),
)


async def _books(_: Paper) -> PaperBooks:
    return PaperBooks()


def _never(*_: object) -> str:
    raise AssertionError("nobody links to paper")


def connector(paper: Paper) -> Connector[Paper, PaperBooks]:
    """The platform's identity card; its client is the paper itself."""

    def client(access: Access) -> Paper:
        return paper

    return Connector(
        key=KEY,
        name="Paper",
        oauth=OAuth(_never, _never, _never, _never, _never),  # type: ignore[arg-type]
        limits=Limits(),
        client=client,
        books=_books,
        reads=(),
        writes=(PAYMENTS, SUPPLIERS),
        attachments=Attachments(
            holders=("bills",),
            size_bytes_max=100,
            extensions=frozenset({"pdf", "txt"}),
            list=_list,
            download=_download,
            upload=_upload,
        ),
    )
