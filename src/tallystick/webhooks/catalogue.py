"""Every event that Tallystick tells of, declared: one that is not here cannot be emitted."""

from tallystick.model import WIRE_DATA_TYPES

_COMPANY = ("company.created", "company.deleted")
_CONNECTION = tuple(
    f"connection.{word}"
    for word in ("created", "connected", "failed", "disconnected", "reconnected", "deleted")
)
_READ = ("read.completed", "read.completed.initial")
_WRITABLE = (
    "bankAccounts",
    "bankTransactions",
    "billCreditNotes",
    "billPayments",
    "bills",
    "chartOfAccounts",
    "creditNotes",
    "customers",
    "directCosts",
    "directIncomes",
    "invoices",
    "items",
    "journalEntries",
    "journals",
    "payments",
    "purchaseOrders",
    "suppliers",
    "transfers",
)
_WRITE = tuple(
    f"{data_type}.write.{word}"
    for data_type in WIRE_DATA_TYPES
    if data_type in _WRITABLE
    # `resolved` is ours: what became of a write that had timed out.
    for word in ("successful", "unsuccessful", "resolved")
)
_CLIENT = ("client.rateLimit.reached", "client.rateLimit.reset")

EVENT_TYPES: frozenset[str] = frozenset((*_COMPANY, *_CONNECTION, *_READ, *_WRITE, *_CLIENT))
"""All names."""

# Names of the reference's older webhooks, accepted when a consumer registers.
_LEGACY: dict[str, tuple[str, ...]] = {
    "dataconnectionstatuschanged": _CONNECTION,
    "new company synchronized": ("read.completed.initial",),
    "datasynccompleted": ("read.completed",),
    "data sync completed": ("read.completed",),
    "dataset data changed": ("read.completed",),
    "data sync status changed to error": ("read.completed",),
    "push operation status changed": _WRITE,
    "push operation status changed()": _WRITE,
    "push operation timed out": _WRITE,
    "rate limit reached": ("client.rateLimit.reached",),
    "rate limit reset": ("client.rateLimit.reset",),
}


def is_known(pattern: str) -> bool:
    """Whether a consumer may ask for that: a name, `beginning*`, or a legacy name."""
    return any(covers(pattern, event_type) for event_type in EVENT_TYPES)


def covers(pattern: str, event_type: str) -> bool:
    """Whether a consumer that asked so wants that event."""
    if pattern == event_type:
        return True
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return event_type in _LEGACY.get(pattern.casefold(), ())
