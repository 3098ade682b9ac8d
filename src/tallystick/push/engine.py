"""Works off a connection's writes: claim, send, read back, finish; or first look if it arrived.

The outside is touched only between transactions. Who may send is decided by a lock on the
connection, held by a database session of its own, and by the operation's attempt number; both are
looked at right before anything is sent. What is not heard of is looked for, never sent blindly.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg
from psycopg_pool import PoolTimeout

from tallystick.companies.reach import Reach
from tallystick.db.pool import Database, Tx
from tallystick.errors import PlatformError, RateLimited, Unreachable
from tallystick.lib import crash
from tallystick.lib.clock import Clock
from tallystick.lib.log import log
from tallystick.model import BY_KEY, Record
from tallystick.push import endings, moves, operations, proof, turns, verdicts
from tallystick.push.deeds import Deed
from tallystick.push.endings import ReadBack
from tallystick.push.operations import CREATE, Operation
from tallystick.push.outcomes import Outcome, Refusal
from tallystick.push.plans import Plans, record_of
from tallystick.push.states import State
from tallystick.push.turns import Waiting
from tallystick.push.verdicts import Meaning, Verdict

_TURNS_MAX = 50
"""Turns one job takes before it queues the next: other connections want a worker too."""
ATTEMPTS_MAX = 8
"""Times a write is sent; each only after it was looked for and not found."""
_CONFIRMS_MAX = 5
"""Times reading back is tried once it is known that it was written."""
_CONFIRM_WAIT_MAX = timedelta(minutes=2)
"""A platform's limit that holds longer is not waited for: the write is told of without proof."""
_LOCKED_AGAIN = timedelta(seconds=2)
_LEAST_WAIT = timedelta(seconds=1)
_AMBIGUOUS_LOOKS_MAX = 3

_Situation = tuple[str, State, int, int, datetime]

_DATABASE = (psycopg.Error, PoolTimeout)
"""Ours, not the platform's: the job ends, the row stays as it is and is looked at again."""


class Engine:
    """What a worker does with push operations; it knows no platform."""

    def __init__(self, *, database: Database, reach: Reach, clock: Clock) -> None:
        self._database = database
        self._plans = Plans(database=database, reach=reach)
        self._clock = clock

    async def perform(self, key: str) -> None:
        """Do what is due on the connection of an operation, in the order of requests."""
        async with self._database.transaction() as tx:
            connection_id = await operations.connection_of(tx, key)
        if connection_id is None:
            return
        async with self._database.session() as session:
            if await operations.lock(session, connection_id):
                await self._bury_orphans(connection_id)
                await self._work_off(session, connection_id, key)
                await operations.unlock(session, connection_id)
                return
        async with self._database.transaction() as tx:
            # Somebody is at work there, and may have looked before this operation was there.
            await operations.trust_until(tx, key, until=self._clock.now() + _LOCKED_AGAIN)

    async def _bury_orphans(self, connection_id: str) -> None:
        """End what is open on a connection that was deleted: no turn could."""
        async with self._database.transaction() as tx:
            there = await operations.is_there(tx, connection_id)
            left = [] if there else await operations.waiting(tx, connection_id)
        for one in left:
            async with self._database.transaction() as tx:
                operation = await operations.whole(tx, one.key)
                if operation is not None:
                    await endings.orphan(tx, operation, now=self._clock.now())

    async def _work_off(self, session: Tx, connection_id: str, key: str) -> None:
        done: set[_Situation] = set()
        for _ in range(_TURNS_MAX):
            async with self._database.transaction() as tx:
                found = await operations.waiting(tx, connection_id)
                # One that a turn did not move (its deadline passed) gets no second one here.
                left = [one for one in found if _situation(one) not in done]
                turn = turns.next_turn(left, now=self._clock.now())
                operation = None if turn is None else await operations.whole(tx, turn.key)
            if turn is None:
                await self._wait(connection_id, left)
                return
            done.add(_situation(turn))
            if operation is not None:
                await self._take_turn(session, operation)
        async with self._database.transaction() as tx:
            await operations.queue_again(tx, key, connection_id)

    async def _wait(self, connection_id: str, left: Sequence[Waiting]) -> None:
        now = self._clock.now()
        until = turns.held_until(left, now=now)
        if until is None or all(one.state is not State.Pending for one in left):
            return
        async with self._database.transaction() as tx:
            await operations.wait_behind(tx, connection_id, until=until, now=now)

    async def _take_turn(self, session: Tx, operation: Operation) -> None:
        match operation.state:
            case State.Pending:
                await self._send(session, operation)
            case State.Sending:
                # Left behind by a worker that died: nobody knows whether it was sent.
                settles = await self._plans.settles_after(operation)
                await self._doubt(operation, until=self._clock.now() + settles)
            case _:
                await self._look(session, operation)

    # --- sending ---

    async def _send(self, session: Tx, operation: Operation) -> None:
        try:
            deed = await self._checked(operation)
            if deed is None:
                return
            crash.point("push.before_picture")
            picture = await deed.picture()
            crash.point("push.after_picture")
        except _DATABASE:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was sent
            _report(error, operation, "push_not_prepared")
            await self._nothing_happened(
                operation, verdicts.of_preparing(error, name=_name(operation))
            )
            return
        async with self._database.transaction() as tx:
            claimed = await moves.claim(tx, operation, picture=picture, now=self._clock.now())
        if claimed is not None:
            crash.point("push.after_claim")
            await self._deliver(session, claimed, deed)

    async def _checked(self, operation: Operation) -> Deed | None:
        """The deed; None where its record is refused, which ends the operation."""
        deed = await self._plans.deed(operation)
        # Perhaps it points at an account that was made after the books were read.
        if deed.check() and self._plans.forget_books(operation, now=self._clock.now()):
            deed = await self._plans.deed(operation)
        problems = tuple(deed.check())
        if not problems:
            return deed
        await self._fail(operation, verdicts.invalid(_name(operation), problems))
        return None

    async def _deliver(self, session: Tx, operation: Operation, deed: Deed) -> None:
        """The one call that changes something.

        A worker that was frozen meanwhile finds its session cut or its attempt gone by.
        """
        if not await moves.still_mine(session, operation):
            return
        try:
            outcome = await deed.perform(operation.key)
        except _DATABASE:
            raise
        except Exception as error:  # noqa: BLE001 - what nobody foresaw may have been sent
            _report(error, operation, "push_not_answered")
            await self._unanswered(operation, deed, error)
            return
        crash.point("push.after_create")
        await self._confirm(operation, deed, outcome)

    async def _unanswered(self, operation: Operation, deed: Deed, error: Exception) -> None:
        verdict = verdicts.of_sending(error, name=_name(operation))
        if verdict.meaning is not Meaning.UNKNOWN and not operation.in_doubt:
            await self._nothing_happened(operation, verdict)
            return
        # This attempt may be refused because an earlier one, unheard, did arrive.
        until = self._clock.now() + deed.settles_after
        await self._doubt(
            operation, until=max(until, verdict.until or until), refusal=verdict.refusal
        )

    async def _nothing_happened(self, operation: Operation, verdict: Verdict) -> None:
        if verdict.refusal is not None:
            await self._fail(operation, verdict.refusal)
            return
        now = self._clock.now()
        until = max(verdict.until or now + verdicts.wait(operation.looks), now + _LEAST_WAIT)
        # A limit is no failure; it is only waited for.
        in_vain = verdict.until is None
        async with self._database.transaction() as tx:
            if await moves.postpone(tx, operation, until=until, in_vain=in_vain) is None:
                unsent = Refusal("It timed out before it could be sent.")
                await endings.fail(tx, operation, unsent, now=self._clock.now())

    # --- looking ---

    async def _look(self, session: Tx, operation: Operation) -> None:
        """Whether a write that nobody heard of arrived."""
        try:
            deed = await self._plans.deed(operation)
            if operation.changes:
                found: Sequence[Outcome] = [Outcome(operation.changes, operation.attachment_id)]
            elif deed.not_searchable:
                await self._undecided(operation, looks_max=0)
                return
            else:
                found = await deed.find(operation.key, operation.picture)
        except _DATABASE:
            raise
        except Exception as error:  # noqa: BLE001 - while nobody can say, it stays unknown
            _report(error, operation, "push_outcome_unknown")
            if operation.changes and not _may_answer_later(operation, error):
                await self._succeed_unread(operation)
            else:
                await self._look_later(operation, error)
            return
        crash.point("push.after_find")
        match await self._unclaimed(operation, found):
            case [outcome]:
                await self._confirm(operation, deed, outcome)
            case []:
                await self._absent(session, operation, deed)
            case _:
                log.warning("push_ambiguous", operation=operation.key)
                await self._undecided(operation, looks_max=_AMBIGUOUS_LOOKS_MAX)

    async def _unclaimed(self, operation: Operation, found: Sequence[Outcome]) -> Sequence[Outcome]:
        """Without what another operation is known to have written."""
        if operation.kind != CREATE or not found:
            return found
        async with self._database.transaction() as tx:
            ids = [outcome.changes[0].id for outcome in found]
            others = await moves.taken(tx, operation, ids)
        return [outcome for outcome in found if outcome.changes[0].id not in others]

    async def _absent(self, session: Tx, operation: Operation, deed: Deed) -> None:
        if operation.state is State.TimedOut:
            await self._fail(operation, Refusal("It is not there."))
        elif operation.refusal is not None:
            await self._fail(operation, operation.refusal)
        elif operation.attempt >= ATTEMPTS_MAX:
            text = (
                f"Push failed for {_name(operation)}: sent {operation.attempt} times, and the "
                "platform neither answered nor shows the record."
            )
            await self._fail(operation, Refusal(text, status_code=500))
        else:
            async with self._database.transaction() as tx:
                again = await moves.send_again(tx, operation, now=self._clock.now())
            if again is not None:
                crash.point("push.after_send_again")
                await self._deliver(session, again, deed)

    async def _undecided(self, operation: Operation, *, looks_max: int) -> None:
        """The platform's answer decides nothing: a person has to, unless it timed out anyway."""
        if operation.state is State.TimedOut and operation.looks >= looks_max:
            async with self._database.transaction() as tx:
                await endings.give_up(tx, operation, now=self._clock.now())
            return
        await self._look_later(operation, None)

    async def _look_later(self, operation: Operation, error: Exception | None) -> None:
        until = self._clock.now() + verdicts.wait(operation.looks + 1)
        if isinstance(error, RateLimited):
            until = error.until
        await self._doubt(operation, until=until)

    # --- ending ---

    async def _confirm(self, operation: Operation, deed: Deed, outcome: Outcome) -> None:
        """It is written: read it back, prove it, and tell."""
        read_at = self._clock.now()
        records: Sequence[Record] = ()
        unread: str | None = None
        if operation.sync_after:
            try:
                records = await deed.read_back(outcome)
            except _DATABASE:
                raise
            except Exception as error:  # noqa: BLE001 - a certain success is never lost
                _report(error, operation, "push_not_read_back")
                if await self._confirm_later(operation, outcome, error):
                    return
                unread = "The platform could not be read again after the write."
        crash.point("push.after_read_back")
        settlements = _settlements(operation, records, unread)
        crash.point("push.before_finish")
        seen = ReadBack(records, read_at, settlements)
        async with self._database.transaction() as tx:
            await endings.succeed(tx, operation, outcome, seen, now=self._clock.now())
        crash.point("push.after_finish")

    async def _confirm_later(
        self, operation: Operation, outcome: Outcome, error: Exception
    ) -> bool:
        """Whether reading back will be tried again; that it is written is kept meanwhile."""
        now, tries = self._clock.now(), operation.looks if operation.changes else 0
        if not _may_answer_later(operation, error):
            return False
        until = error.until if isinstance(error, RateLimited) else now + verdicts.wait(tries)
        if until - now > _CONFIRM_WAIT_MAX:
            return False
        async with self._database.transaction() as tx:
            return await moves.doubt(tx, operation, until=until, known=outcome) is not None

    async def _succeed_unread(self, operation: Operation) -> None:
        """It is known to be written, and can be read back no more."""
        unread = "The platform could not be read again after the write."
        now = self._clock.now()
        seen = ReadBack((), now, _settlements(operation, (), unread))
        known = Outcome(operation.changes, operation.attachment_id)
        async with self._database.transaction() as tx:
            await endings.succeed(tx, operation, known, seen, now=now)

    async def _doubt(
        self, operation: Operation, *, until: datetime, refusal: Refusal | None = None
    ) -> None:
        async with self._database.transaction() as tx:
            if await moves.doubt(tx, operation, until=until, refusal=refusal) is None:
                await moves.ask_later(tx, operation, until=until)

    async def _fail(self, operation: Operation, refusal: Refusal) -> None:
        async with self._database.transaction() as tx:
            await endings.fail(tx, operation, refusal, now=self._clock.now())


def _settlements(
    operation: Operation, records: Sequence[Record], unread: str | None
) -> Sequence[proof.Settlement]:
    if operation.kind != CREATE or not operation.sync_after:
        return ()
    before = operation.picture.balances
    return proof.settlements(record_of(operation), before=before, read_back=records, unread=unread)


def _may_answer_later(operation: Operation, error: Exception) -> bool:
    """Whether reading back a write that is known is worth another try."""
    tries = operation.looks if operation.changes else 0
    return tries < _CONFIRMS_MAX and isinstance(error, RateLimited | Unreachable)


def _situation(waiting: Waiting) -> _Situation:
    """Whatever a turn moves gets another time to go on; looks begin anew once it was found."""
    return waiting.key, waiting.state, waiting.attempt, waiting.looks, waiting.resume_at


def _name(operation: Operation) -> str:
    """What a person calls the data type: `BillPayment`."""
    return BY_KEY[operation.data_type].__name__


def _report(error: Exception, operation: Operation, event: str) -> None:
    fields = {"operation": operation.key, "connection": operation.connection_id}
    if isinstance(error, PlatformError):
        log.warning(event, problem=type(error).__name__, **fields)
    else:
        log.exception(event, **fields)
