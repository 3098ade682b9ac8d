"""What a read asks the platform for: everything, or what changed since the last one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tallystick.companies.connections import Connection
from tallystick.connectors.contract import Read
from tallystick.sync.datasets import Dataset, LastSuccess

# Not every change moves a record's own date of change (Xero: DueDate of a part-paid bill, the name
# of a contact or an account that it points at), and a hard deletion leaves nothing behind: both are
# found by reading everything.
WHOLE_EVERY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Plan:
    """`whole`: what is not seen is not there any more. `since` None asks for everything."""

    whole: bool
    since: datetime | None


def plan(
    read: Read[Any, Any],
    last: LastSuccess | None,
    connection: Connection,
    *,
    floor: datetime | None,
    now: datetime,
) -> Plan:
    """`floor` is the earliest change the caller's settings want to have read."""
    if not any(feed.incremental for feed in read.feeds):
        return Plan(whole=True, since=None)
    began_at = None if last is None else last.dataset.read_began_at
    if (
        last is None
        or began_at is None
        or last.dataset.organisation_id != connection.organisation_id
        or last.whole_read_at is None
        or now - last.whole_read_at >= WHOLE_EVERY
        # The clock was set back: what changed in between has moments that were asked for already.
        or began_at > now
        or _widened(last, floor)
    ):
        return Plan(whole=True, since=floor)
    since = began_at - read.overlap
    return Plan(whole=False, since=since if floor is None else max(since, floor))


def _widened(last: LastSuccess, floor: datetime | None) -> bool:
    """Whether more is wanted than the last whole read was asked for."""
    if last.whole_read_since is None:
        return False
    return floor is None or floor < last.whole_read_since


FUSE_ROWS_MIN = 20


def blows_fuse(dataset: Dataset, last: LastSuccess | None, *, missing: int, held: int) -> bool:
    """Whether so much would vanish that an error is likelier: more than half of 20 or more rows.

    Not where another set of books was meant, a window was set, or a person accepted it.
    """
    if dataset.deletions_accepted or dataset.since is not None or last is None:
        return False
    if last.dataset.organisation_id != dataset.organisation_id:
        return False
    return held >= FUSE_ROWS_MIN and missing * 2 > held
