"""Whether this installation can work, and what it lacks; asked without a key."""

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.responses import Response

from tallystick.db import migrate
from tallystick.db.pool import Database
from tallystick.http.endpoint import Call, Endpoint, answer
from tallystick.http.schemas import HEALTH
from tallystick.jobs import queue

_LOST = (psycopg.Error, PoolTimeout, TooManyRequests)

Check = dict[str, str | bool]


async def health(call: Call) -> Response:
    """503 where nothing works; without a worker data can still be read, so that is 200."""
    database, stalled_s = call.house.database, call.house.settings.worker_stalled_s
    checks = [await _database(database)]
    if checks[0]["ready"]:
        checks += [await _migrations(database), await _worker(database, stalled_s)]
    usable = all(check["ready"] for check in checks if check["name"] != "worker")
    ready = all(check["ready"] for check in checks)
    status = "ready" if ready else "degraded" if usable else "unavailable"
    return answer({"status": status, "checks": checks}, status=200 if usable else 503)


async def _database(database: Database) -> Check:
    try:
        async with database.transaction():
            pass  # begins and ends one: two statements that the server answered
    except _LOST as error:
        return _check("database", f"cannot be reached ({type(error).__name__})", ready=False)
    return _check("database", "answers")


async def _migrations(database: Database) -> Check:
    try:
        async with database.transaction() as tx:
            pending = await migrate.missing(tx)
    except migrate.MigrationError as error:
        return _check("migrations", str(error), ready=False)
    except _LOST as error:
        return _check("migrations", f"unknown ({type(error).__name__})", ready=False)
    if pending:
        return _check("migrations", f"missing: {', '.join(pending)}", ready=False)
    return _check("migrations", "all applied")


async def _worker(database: Database, stalled_s: float) -> Check:
    try:
        async with database.transaction() as tx:
            age_s = await queue.heartbeat_age_s(tx)
    except _LOST as error:
        return _check("worker", f"unknown ({type(error).__name__})", ready=False)
    if age_s is None:
        return _check("worker", "none has been heard of", ready=False)
    return _check("worker", f"heard of {age_s:.0f} s ago", ready=age_s <= stalled_s)


def _check(name: str, detail: str, *, ready: bool = True) -> Check:
    return {"name": name, "ready": ready, "detail": detail}


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/health",
        handler=health,
        summary="Whether the installation can work",
        answer=HEALTH,
        errors=(503,),
        open=True,
    ),
)
