"""Which data types are read, when, in which order and how far back."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.errors import BadRequest, Forbidden
from tallystick.lib import moments
from tallystick.model import DATA_TYPES, WIRE_DATA_TYPES, canonical_key

_SQL = beside(__file__, "sync_setting.sql")
_WHOLE_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """How one data type is read. `sync_schedule` in hours, 0 for never; windows in months."""

    data_type: str
    fetch_on_first_link: bool = True
    sync_schedule: int = 0
    sync_order: int = 0
    sync_from_utc: datetime | None = None
    sync_from_window: int | None = None
    months_to_sync: int | None = None
    is_locked: bool = False

    def floor(self, now: datetime) -> datetime | None:
        """The earliest change to be read."""
        if self.sync_from_window is not None:
            return _months_before(now, self.sync_from_window)
        return self.sync_from_utc

    def wire(self) -> dict[str, Any]:
        shown = {
            "dataType": self.data_type,
            "fetchOnFirstLink": self.fetch_on_first_link,
            "syncSchedule": self.sync_schedule,
            "syncOrder": self.sync_order,
            "syncFromUtc": self.sync_from_utc and moments.text(self.sync_from_utc),
            "syncFromWindow": self.sync_from_window,
            "monthsToSync": self.months_to_sync,
            "isLocked": self.is_locked,
        }
        return {name: value for name, value in shown.items() if value is not None}


DEFAULTS: Mapping[str, Setting] = {
    record.key: Setting(record.key, months_to_sync=24) for record in DATA_TYPES
}
"""Everything at the first link, nothing by the clock."""


def _months_before(now: datetime, months: int) -> datetime:
    total = now.year * 12 + now.month - 1 - months
    year, month = max(total // 12, 1), total % 12 + 1
    day = min(now.day, calendar.monthrange(year, month)[1])
    return now.replace(year=year, month=month, day=day)


# --- what a caller sends ---


def parsed(settings: Any) -> dict[str, Setting]:
    """Settings as they come over the wire.

    Raises:
        BadRequest: names the member.
    """
    if not isinstance(settings, list):
        raise BadRequest("settings must be a list.")
    found: dict[str, Setting] = {}
    for place, setting in enumerate(settings):
        if not isinstance(setting, dict):
            raise BadRequest(f"settings[{place}] must be an object.")
        one_setting = _setting(setting, f"settings[{place}]")
        if one_setting.data_type in found:
            raise BadRequest(f"settings names {one_setting.data_type} twice.")
        found[one_setting.data_type] = one_setting
    return found


def _setting(body: Mapping[str, Any], at: str) -> Setting:
    name = body.get("dataType")
    key = canonical_key(name) if isinstance(name, str) else None
    if key is None:
        raise BadRequest(f"{at}.dataType must be one of {', '.join(WIRE_DATA_TYPES)}.")
    setting = Setting(
        data_type=key,
        fetch_on_first_link=_truth(body, "fetchOnFirstLink", at, default=True),
        sync_schedule=_whole(body, "syncSchedule", at) or 0,
        sync_order=_whole(body, "syncOrder", at) or 0,
        sync_from_utc=_moment(body, "syncFromUtc", at),
        sync_from_window=_whole(body, "syncFromWindow", at),
        months_to_sync=_whole(body, "monthsToSync", at),
        is_locked=_truth(body, "isLocked", at, default=False),
    )
    if setting.sync_from_utc is not None and setting.sync_from_window is not None:
        raise BadRequest(f"{at}: give syncFromUtc or syncFromWindow, not both.")
    return setting


def _truth(body: Mapping[str, Any], name: str, at: str, *, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"{at}.{name} must be true or false.")
    return value


def _whole(body: Mapping[str, Any], name: str, at: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _WHOLE_MAX:
        raise BadRequest(f"{at}.{name} must be a whole number from 0.")
    return value


def _moment(body: Mapping[str, Any], name: str, at: str) -> datetime | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        # A moment without a zone is one in UTC.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadRequest(f"{at}.{name} must be a date and time.") from error


# --- what is stored ---


async def own(tx: Tx, *, client_id: str, company_id: str | None) -> dict[str, Setting] | None:
    """What was stored for the client itself (no company) or for a company; None: nothing."""
    keys = {"client_id": client_id, "company_id": company_id}
    row = await one(tx, _SQL["own"], keys)
    return None if row is None else parsed(row["settings"])


async def effective(tx: Tx, *, client_id: str, company_id: str | None) -> dict[str, Setting]:
    """The company's settings over the client's over the defaults."""
    settings = {**DEFAULTS, **(await own(tx, client_id=client_id, company_id=None) or {})}
    if company_id is not None:
        settings |= await own(tx, client_id=client_id, company_id=company_id) or {}
    return settings


async def save(
    tx: Tx,
    *,
    client_id: str,
    company_id: str | None,
    settings: Mapping[str, Setting],
    now: datetime,
) -> None:
    """Keep them in place of those before.

    Raises:
        Forbidden: a locked one would change.
    """
    standing = await effective(tx, client_id=client_id, company_id=company_id)
    for data_type, setting in settings.items():
        _must_not_move_locked(standing.get(data_type), setting)
    kept = (await own(tx, client_id=client_id, company_id=company_id)) or {}
    locked = {key: setting for key, setting in kept.items() if setting.is_locked}
    stored = [setting.wire() for setting in {**locked, **settings}.values()]
    row = {
        "client_id": client_id,
        "company_id": company_id,
        "settings": Jsonb(stored),
        "now": now,
    }
    await tx.execute(_SQL["save"], row)


def _must_not_move_locked(standing: Setting | None, wanted: Setting) -> None:
    if standing is None or not standing.is_locked:
        return
    if replace(wanted, is_locked=True) != standing or not wanted.is_locked:
        raise Forbidden(f"The settings of {standing.data_type} are locked.")


async def remove(tx: Tx, *, client_id: str, company_id: str) -> None:
    """The company follows its client again.

    Raises:
        Forbidden: one of its own is locked.
    """
    for setting in (await own(tx, client_id=client_id, company_id=company_id) or {}).values():
        if setting.is_locked:
            raise Forbidden(f"The settings of {setting.data_type} are locked.")
    await tx.execute(_SQL["remove"], {"client_id": client_id, "company_id": company_id})


def in_order(settings: Mapping[str, Setting], data_types: Sequence[str]) -> list[str]:
    """Lower `syncOrder` first; ties in the order given."""
    plain = Setting("")
    return sorted(data_types, key=lambda key: settings.get(key, plain).sync_order)


async def floor(
    tx: Tx, *, client_id: str, company_id: str, data_type: str, now: datetime
) -> datetime | None:
    """The earliest change of a data type to be read; None: all there is."""
    settings = await effective(tx, client_id=client_id, company_id=company_id)
    setting = settings.get(data_type)
    return None if setting is None else setting.floor(now)
