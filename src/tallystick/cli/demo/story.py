"""The story: link a company's books, pull them, pay bills three ways, and see each one proved."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from httpx import HTTPError

from tallystick.cli.demo import browser
from tallystick.cli.demo.browser import LostAtLink
from tallystick.cli.demo.caller import Answer, Caller, Unexpected
from tallystick.cli.demo.receiver import Receiver, receiving
from tallystick.cli.demo.stage import Stage, said, serving
from tallystick.cli.demo.telling import called, day, done, heading, money, progress, say
from tallystick.cli.installation import Stop

XERO = "gbol"
FIRM = "Harrow & Vale"
PUBLISHED = "Published records"
_PULL_WITHIN_S = 240.0
_PUSH_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.2
_NAMES = {"bills": "amount due", "billCreditNotes": "remaining credit"}


@dataclass(slots=True)
class Tally:
    """What the demo counted."""

    records: int = 0
    bills_paid: int = 0
    proofs: int = 0
    events: int = 0
    took_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.took_s[what] = self.took_s.get(what, 0) + time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Scene:
    """One company whose books are linked."""

    caller: Caller
    receiver: Receiver
    tally: Tally
    company_id: str
    connection_id: str
    currency: str


def tell(*, books: Path | None, size: str, seed: int) -> None:
    """Run the whole story; raises where anything is not as promised."""
    tally = Tally()
    patience = "" if size == "small" else ", which invents its books first"
    say(f"Starting Tallystick with a simulated Xero{patience} ...")
    began = time.monotonic()
    with receiving() as receiver, serving(books=books, size=size, seed=seed) as stage:
        tally.took_s["start"] = time.monotonic() - began
        try:
            _on_stage(stage, receiver, tally, with_books=books is not None)
        except Unexpected as error:
            raise Stop(f"The demo did not go as promised. {error}") from error
        except (LostAtLink, HTTPError) as error:
            raise Stop(f"{error}\nThe server said:\n{said(stage.log)}") from error
    _summary(tally)


def _on_stage(stage: Stage, receiver: Receiver, tally: Tally, *, with_books: bool) -> None:
    done(f"API and Link at {stage.base_url}, simulated Xero at {stage.simulator_url}")
    caller = Caller(stage.base_url, stage.key)
    try:
        receiver.secret = caller.register(receiver.url)
        done(f"Webhook consumer registered at {receiver.url}")
        _main_job(_scene(caller, receiver, tally, organisation=FIRM))
        if with_books:
            _main_job_on_published_books(_scene(caller, receiver, tally, organisation=PUBLISHED))
        _webhooks(receiver, tally)
    finally:
        caller.close()


def _scene(caller: Caller, receiver: Receiver, tally: Tally, *, organisation: str) -> Scene:
    """Make a company, link its books, wait for the first pull."""
    heading(f"Link and pull: {organisation}")
    company = caller.create_company(organisation)
    connection = caller.connect(company["id"], XERO)
    done(f"Company {company['name']} made, connection {connection['status']}")
    with tally.timing("link"):
        browser.link(connection["linkUrl"], organisation=organisation)
    done("The customer gave consent and chose the organisation")
    with tally.timing("pull"):
        _await_pull(caller, company["id"], receiver)
    _show_records(caller, company["id"], tally)
    currency = caller.info(company["id"])["baseCurrency"]
    scene = Scene(caller, receiver, tally, company["id"], connection["id"], currency)
    done(f"Base currency {currency}")
    return scene


def _bank_account(scene: Scene) -> Answer:
    """An account of the company's own currency to pay from; made where there is none."""
    caller, company_id, connection_id = scene.caller, scene.company_id, scene.connection_id
    for account in caller.bank_accounts(company_id, connection_id)["results"]:
        usable = account["accountType"] == "Debit" and account["status"] == "Active"
        if usable and account.get("currency") == scene.currency:
            return account
    say(f"  These books hold no bank account in {scene.currency}, so one is written first.")
    body = {
        "accountName": "Demo account",
        "accountType": "Debit",
        "accountNumber": "0209087654321099",
        "nominalCode": "0909",
        "currency": scene.currency,
    }
    ended = _await(
        scene, "a bank account", caller.push(company_id, connection_id, "bankAccounts", body)
    )
    made = ended["changes"][0]["recordRef"]["id"]
    accounts = caller.bank_accounts(company_id, connection_id)["results"]
    return next(account for account in accounts if account["id"] == made)


def _await_pull(caller: Caller, company_id: str, receiver: Receiver) -> None:
    """Show how the reads go on until `read.completed.initial` says that all are done."""
    began, told = time.monotonic(), list[dict[str, Any]]()
    while (passed_s := time.monotonic() - began) < _PULL_WITHIN_S:
        told = receiver.wait_for(
            "read.completed.initial", count=len(told) + 1, within_s=_LOOK_EVERY_S
        )
        states = [s["currentStatus"] for s in caller.data_status(company_id).values()]
        ready = sum(state == "Complete" for state in states)
        completed = any(e["payload"]["referenceCompany"]["id"] == company_id for e in told)
        line = f"  pulling: {ready} of {len(states)} data types complete, {passed_s:.0f} s"
        progress(line, last=completed)
        if completed:
            bad = [s for s in states if s not in {"Complete", "Initial", "NotSupported"}]
            if bad:
                raise Unexpected(f"Some reads ended as {sorted(set(bad))}.")
            return
    raise Unexpected(f"The first pull did not end within {_PULL_WITHIN_S:.0f} s.")


def _show_records(caller: Caller, company_id: str, tally: Tally) -> None:
    counts: dict[str, int] = {}
    for data_type in caller.data_status(company_id):
        if data_type == "company":
            continue
        path = "accounts" if data_type == "chartOfAccounts" else data_type
        counts[data_type] = caller.records(company_id, path, pageSize=1)["totalResults"]
    width = max(len(name) for name in counts)
    for name, count in counts.items():
        click.echo(f"  {name:<{width}}  {count:>6}")
    tally.records += sum(counts.values())


def _unpaid(scene: Scene, *, extra: str = "") -> list[Answer]:
    """Posted bills that still owe something, in the company's own currency."""
    query = f"amountDue>0&&{{status=Open||status=PartiallyPaid}}&&currency={scene.currency}{extra}"
    answer = scene.caller.records(
        scene.company_id, "bills", query=query, orderBy="dueDate", pageSize=500
    )
    return list(answer["results"])


def _main_job(scene: Scene) -> None:
    heading("Find what is unpaid, and pay it")
    bills = _unpaid(scene)
    done(f"{len(bills)} unpaid bills in {scene.currency}, the oldest due {day(bills[0])}")
    credited = _pay_by_credit_note(scene)
    rest = [bill for bill in bills if bill["id"] != credited]
    bank = _bank_account(scene)
    _pay(scene, bank, "one bill by one payment", rest[:1])
    _pay(scene, bank, "two bills by one batch payment", rest[1:3])


def _main_job_on_published_books(scene: Scene) -> None:
    """The same on records as the platform publishes them, where a bill to pay may be missing."""
    heading("The main job on the given books")
    bills = _unpaid(scene)
    if not bills:
        say("  These books hold no unpaid bill, so one is written first.")
        bills = [_write_a_bill(scene)]
    _pay(scene, _bank_account(scene), "one bill by one payment", bills[:1])


def _write_a_bill(scene: Scene) -> Answer:
    caller, company_id = scene.caller, scene.company_id
    supplier = caller.records(company_id, "suppliers", query="status=Active", pageSize=1)
    expense = caller.records(company_id, "accounts", query="type=Expense&&status=Active")
    today = time.strftime("%Y-%m-%d")
    line: dict[str, Any] = {
        "description": "Timber",
        "quantity": Decimal(2),
        "unitAmount": Decimal("45.50"),
        "taxAmount": Decimal(0),
        "accountRef": {"id": expense["results"][0]["id"]},
    }
    untaxed = caller.records(company_id, "taxRates", query="effectiveTaxRate=0")["results"]
    if untaxed:
        line["taxRateRef"] = {"id": untaxed[0]["id"]}
    body = {
        "reference": "DEMO-1",
        "supplierRef": {"id": supplier["results"][0]["id"]},
        "issueDate": today,
        "dueDate": today,
        "currency": scene.currency,
        "status": "Open",
        "lineItems": [line],
    }
    ended = _await(
        scene, "a bill", scene.caller.push(company_id, scene.connection_id, "bills", body)
    )
    return caller.record(company_id, "bills", ended["changes"][0]["recordRef"]["id"])


def _pay(scene: Scene, bank: Answer, how: str, bills: list[Answer]) -> None:
    """Pay bills in full from a bank account; one line each."""
    total = sum((bill["amountDue"] for bill in bills), Decimal(0))
    body: dict[str, Any] = {
        "accountRef": {"id": bank["id"]},
        "totalAmount": total,
        "date": time.strftime("%Y-%m-%d"),
        "currency": scene.currency,
        "reference": "Demo",
        "lines": [
            {
                "amount": bill["amountDue"],
                "links": [{"type": "Bill", "id": bill["id"], "amount": -bill["amountDue"]}],
            }
            for bill in bills
        ],
    }
    suppliers = {bill["supplierRef"]["id"] for bill in bills}
    if len(suppliers) == 1:
        body["supplierRef"] = {"id": suppliers.pop()}
    _push_and_prove(scene, f"{how}: {money(total)} {scene.currency}", body)


def _pay_by_credit_note(scene: Scene) -> str:
    """Use a supplier's credit note on one of its bills; returns the bill's id."""
    query = f"remainingCredit>0&&currency={scene.currency}"
    notes = scene.caller.records(scene.company_id, "billCreditNotes", query=query)["results"]
    for note in notes:
        supplier = note["supplierRef"]["id"]
        for bill in _unpaid(scene, extra=f"&&supplierRef.id={supplier}"):
            amount = min(note["remainingCredit"], bill["amountDue"])
            links = [
                {"type": "Bill", "id": bill["id"], "amount": -amount},
                {"type": "CreditNote", "id": note["id"], "amount": amount},
            ]
            body = {
                "supplierRef": {"id": supplier},
                "totalAmount": 0,
                "date": time.strftime("%Y-%m-%d"),
                "currency": scene.currency,
                "lines": [{"amount": 0, "links": links}],
            }
            what = f"one bill by a credit note: {money(amount)} {scene.currency}"
            _push_and_prove(scene, what, body)
            return str(bill["id"])
    raise Unexpected("The books hold no credit note that fits an unpaid bill.")


def _push_and_prove(scene: Scene, what: str, body: dict[str, Any]) -> None:
    pushed = scene.caller.push(scene.company_id, scene.connection_id, "billPayments", body)
    ended = _await(scene, what, pushed)
    for proof in ended["settlement"]:
        if not proof["settled"]:
            raise Unexpected(f"Not settled: {proof}")
        ref, left = proof["recordRef"], _NAMES[proof["recordRef"]["dataType"]]
        before, expected, after = (
            money(proof[f"amountDue{when}"]) for when in ("Before", "Expected", "After")
        )
        record = scene.caller.record(scene.company_id, ref["dataType"], ref["id"])
        click.echo(
            f"    proof: {left} of {called(record)} was {before}, should be {expected}, is {after}"
        )
        click.echo(f"           in the cache it reads {record['status']}")
        scene.tally.proofs += 1
        scene.tally.bills_paid += ref["dataType"] == "bills"


def _await(scene: Scene, what: str, operation: Answer) -> Answer:
    """Watch an operation until it ends; anything but Success is an error."""
    seen = [operation["status"]]
    until = time.monotonic() + _PUSH_WITHIN_S
    with scene.tally.timing("push"):
        while operation["status"] == "Pending" and time.monotonic() < until:
            time.sleep(_LOOK_EVERY_S)
            operation = scene.caller.operation(scene.company_id, operation["pushOperationKey"])
            if operation["status"] != seen[-1]:
                seen.append(operation["status"])
    if operation["status"] != "Success":
        why = [e["message"] for e in (operation.get("validation") or {}).get("errors", [])]
        why = why or [operation.get("errorMessage") or "the time is up"]
        raise Unexpected(f"{what} ended as {operation['status']}: {' '.join(why)}")
    made = ", ".join(c["recordRef"]["dataType"] for c in operation["changes"])
    done(f"{what}: {' -> '.join(seen)} ({made})")
    return operation


def _webhooks(receiver: Receiver, tally: Tally) -> None:
    heading("Webhooks received")
    receiver.wait_for("billPayments.write.successful", count=3, within_s=_PUSH_WITHIN_S)
    counts: dict[str, int] = {}
    for event in receiver.accepted:
        counts[event["eventType"]] = counts.get(event["eventType"], 0) + 1
    for name, count in sorted(counts.items()):
        click.echo(f"  {name:<34} {count:>3}")
    tally.events = len(receiver.accepted)
    if counts.get("billPayments.write.successful", 0) < 3 or receiver.refused:
        raise Unexpected(f"Webhooks are missing, or {receiver.refused} had a wrong signature.")
    done(f"{tally.events} events, every signature verified")


def _summary(tally: Tally) -> None:
    heading("What was proved")
    done(f"{tally.records} records were read into the cache")
    done(f"{tally.bills_paid} bills were paid or credited")
    done(f"{tally.proofs} figures were read again at the platform, and are what they should be")
    done(f"{tally.events} signed webhooks told of it")
    took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in tally.took_s.items() if seconds)
    click.echo(f"  It took: {took}.")
    click.echo("  Nothing is left behind; `make serve` runs it for you to try.")
