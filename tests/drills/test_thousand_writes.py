"""A thousand writes through lost answers, errors, limits and kills: each is there exactly once."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.drills.firms import OWED, Body, Firm, firms, seen_from, settled_by
from tests.drills.killing import Workers, killed_workers
from tests.drills.waiting import until
from tests.journeys.push_ground import added, ask, documents, see
from tests.journeys.truth import collections
from tests.journeys.world import World

from tallystick.lib import json
from tallystick.push.operations import Operation
from tallystick.push.states import State

_COMPANIES = 10
_ROUNDS = 10
_WITHIN_S = 300.0
_KILL_EVERY_S = 3.0
_WRITES = 1000
_EVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A write, for whom, and what was asked."""

    firm: Firm
    body: Body
    operation: Operation


def _bodies(firm: Firm) -> list[Body]:
    """Fifty writes: 10 bills, 10 suppliers, 16 payments, 7 batches, 7 allocations."""
    mixed: list[Body] = []
    for number in range(_ROUNDS):
        mixed += [firm.payment(), firm.bill(number), firm.new_supplier(number)]
        mixed += [firm.batch(), firm.allocation()] if number < 7 else [firm.payment()] * 2
    return mixed


def _switch_on_bad_days(world: World) -> None:
    """10 % of writes lose their answers after the commit, 5 % fail, 5 % meet a limit."""
    writing, reading = {"method": "PUT"}, {"method": "GET"}
    world.simulator.fault("loses_answers", every=10, times=_EVER, match=writing)
    world.simulator.fault("server_errors", every=20, times=_EVER, match=writing)
    world.simulator.fault("rate_limits", every=20, times=_EVER, match=writing, retry_after_s=1)
    world.simulator.fault("loses_answers", every=50, times=_EVER, match=reading)
    world.simulator.fault("server_errors", every=50, times=_EVER, match=reading, status=503)


async def test_a_thousand_writes_are_written_once_each(world: World) -> None:
    all_firms = await firms(world, _COMPANIES)
    organisations = {firm.world.organisation_id for firm in all_firms}
    before = {one: await _everything(world, one) for one in organisations}
    await world.rows("delete from event returning id")
    _switch_on_bad_days(world)
    began = time.monotonic()
    asked = await _asked(all_firms)
    env = {"TALLYSTICK_XERO_CALLS_PER_MINUTE": "100000"}
    async with killed_workers(world, count=2, every_s=_KILL_EVERY_S, **env) as workers:
        await until(lambda: _all_ended(world), within_s=_WITHIN_S)
    took_s = time.monotonic() - began
    world.simulator.clear_faults()

    done = [Asked(one.firm, one.body, await see(one.firm.world, one.operation)) for one in asked]
    _print_summary(done, workers, took_s)
    assert len(done) == _WRITES
    assert [one.operation for one in done if one.operation.state is not State.Success] == []
    for organisation in organisations:
        new = added(before[organisation], await _everything(world, organisation))
        of_it = [one for one in done if one.firm.world.organisation_id == organisation]
        assert new == _claimed(of_it)
        assert Decimal(world.simulator.ledger(organisation)["trialBalanceTotal"]) == 0
        await _bills_owe_what_is_left(world, organisation, of_it)
    await _told_once_each(world, done)
    assert _unsettled(done) == []
    assert all(one.operation.settlement for one in done if one.body[0] == "billPayments")


def _unsettled(done: list[Asked]) -> list[tuple[str, Any]]:
    proved = [(one.operation.key, each) for one in done for each in one.operation.settlement or ()]
    return [(key, each) for key, each in proved if not each["settled"]]


async def _asked(all_firms: list[Firm]) -> list[Asked]:
    """All of them at once, the connections in turn."""
    turns = zip(*([(firm, body) for body in _bodies(firm)] for firm in all_firms), strict=True)
    return [
        Asked(firm, body, await ask(firm.world, *body)) for turn in turns for firm, body in turn
    ]


async def _all_ended(world: World) -> bool:
    [row] = await world.rows("select count(*) as n from operation where completed_at is null")
    return not row["n"]


async def _everything(world: World, organisation_id: str) -> dict[str, set[str]]:
    """The ids of all that a write could have made there, payment runs beside their payments."""
    there = seen_from(world, organisation_id)
    runs = (await collections(there, "BatchPayments"))["BatchPayments"]
    found = await documents(there)
    return {**found, "accountTransactions": {one["BatchPaymentID"] for one in runs}}


def _claimed(done: list[Asked]) -> dict[str, set[str]]:
    """What the operations say they made; no two of them say it of the same record."""
    changes = [change for one in done for change in one.operation.changes]
    found: dict[str, set[str]] = defaultdict(set)
    for change in changes:
        found[change.data_type].add(change.id)
    assert sum(map(len, found.values())) == len(changes)
    return dict(found)


async def _bills_owe_what_is_left(world: World, organisation_id: str, done: list[Asked]) -> None:
    paid: Counter[str] = Counter()
    for one in done:
        for bill_id, amount in settled_by(one.body[1]):
            paid[bill_id] += amount  # type: ignore[assignment] # a Counter counts any number
    raw = (await collections(seen_from(world, organisation_id), "Invoices"))["Invoices"]
    owed = {one["InvoiceID"]: Decimal(one["AmountDue"]) for one in raw if one["InvoiceID"] in paid}
    assert owed == {bill_id: OWED - amount for bill_id, amount in paid.items()}


async def _told_once_each(world: World, done: list[Asked]) -> None:
    rows = await world.rows("select body from event where event_type like '%%.write.%%'")
    told = Counter(json.loads(row["body"])["payload"]["id"] for row in rows)
    assert told == Counter(one.operation.key for one in done)


def _print_summary(done: list[Asked], workers: Workers, took_s: float) -> None:
    kinds = Counter(one.body[0] for one in done)
    states = Counter(str(one.operation.state) for one in done)
    attempts = Counter(one.operation.attempt for one in done)
    looked_for = sum(one.operation.in_doubt for one in done)
    connections = len({one.operation.connection_id for one in done})
    print(
        f"\n{len(done)} writes over {connections} connections in {took_s:.0f} s "
        f"({len(done) / took_s:.1f}/s): {dict(kinds)}\n"
        f"ended {dict(states)}; {looked_for} were in doubt; sent so often: "
        f"{dict(sorted(attempts.items()))}; {workers.killed} workers killed"
    )
