"""The control plane: the clock, the faults, the limits, and edits made behind the app's back."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tallystick.simulators.xero.books.figures import figures
from tallystick.simulators.xero.edits import edit
from tallystick.simulators.xero.errors import Invalid
from tallystick.simulators.xero.limits import UNLIMITED, Limits
from tallystick.simulators.xero.wire import decode, encode
from tallystick.simulators.xero.world import World

Raw = Any

_LOOPBACK = ("127.0.0.1", "::1")


def control(world: World, request: Request, body: bytes) -> Response:
    """Answer a request below /_simulator; only this computer is listened to."""
    if request.client is None or request.client.host not in _LOOPBACK:
        return _json({"error": "the control plane answers on the loopback only"}, status=403)
    pieces = [piece for piece in request.url.path.split("/") if piece][1:]
    handler = _HANDLERS.get((request.method, len(pieces), pieces[-1] if pieces else ""))
    if handler is None:
        return _json({"error": "no such switch"}, status=404)
    try:
        sent = decode(body) if body else {}
        return _json(handler(world, pieces, sent))
    except LookupError as unknown:
        return _json({"error": f"not found: {unknown}"}, status=404)
    except Invalid as wrong:
        return _json({"error": "; ".join(wrong.messages)}, status=400)
    except (ValueError, TypeError, AttributeError) as wrong:
        return _json({"error": str(wrong)}, status=400)


def _json(document: Raw, *, status: int = 200) -> Response:
    return Response(encode(document), status_code=status, media_type="application/json")


def _health(world: World, _pieces: list[str], _sent: Raw) -> Raw:
    return {"status": "ok", "now": world.clock.now().isoformat()}


def _clock(world: World, _pieces: list[str], sent: Raw) -> Raw:
    if "advance_s" in sent:
        world.clock.advance(timedelta(seconds=float(sent["advance_s"])))
    if "set" in sent:
        moment = datetime.fromisoformat(sent["set"])
        world.clock.set(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    offset = world.clock.offset().total_seconds()
    return {"now": world.clock.now().isoformat(), "offset_s": offset}


def _faults(world: World, _pieces: list[str], _sent: Raw) -> Raw:
    return {"faults": [fault.said() for fault in world.faults.waiting()]}


def _add_fault(world: World, _pieces: list[str], sent: Raw) -> Raw:
    return world.faults.add(sent).said()


def _clear_faults(world: World, pieces: list[str], sent: Raw) -> Raw:
    world.faults.clear()
    return _faults(world, pieces, sent)


def _limits(world: World, _pieces: list[str], sent: Raw) -> Raw:
    """Set some limits; null lifts one, and {"off": true} lifts all."""
    if sent.get("off"):
        world.counters.limits = UNLIMITED
    elif sent:
        world.counters.limits = Limits(**{**asdict(world.counters.limits), **sent})
    return asdict(world.counters.limits)


def _requests(world: World, _pieces: list[str], _sent: Raw) -> Raw:
    return {"requests": list(world.requests)}


def _forget_requests(world: World, pieces: list[str], sent: Raw) -> Raw:
    world.requests.clear()
    return _requests(world, pieces, sent)


def _organisations(world: World, _pieces: list[str], _sent: Raw) -> Raw:
    with world.store.transaction() as tx:
        rows = tx.all("organisations")
    return {
        "organisations": [
            {"id": row["id"], "tenantId": row["id"], "name": decode(row["body"])["Name"]}
            for row in rows
        ]
    }


def _ledger(world: World, pieces: list[str], _sent: Raw) -> Raw:
    with world.open_books(_known(world, pieces[1])) as books:
        return figures(books)


def _edit(world: World, pieces: list[str], sent: Raw) -> Raw:
    with world.open_books(_known(world, pieces[1])) as books:
        return edit(books, sent)


def _revoke(world: World, pieces: list[str], _sent: Raw) -> Raw:
    tenant = _known(world, pieces[1])
    with world.store.transaction() as tx:
        world.tokens(tx).disconnected_by_customer(tenant)
    return {"revoked": tenant}


def _known(world: World, organisation_id: str) -> str:
    with world.store.transaction() as tx:
        if tx.one("organisation", id=organisation_id) is None:
            raise LookupError(organisation_id)
    return organisation_id


_HANDLERS: dict[tuple[str, int, str], Callable[[World, list[str], Raw], Raw]] = {
    ("GET", 1, "health"): _health,
    ("GET", 1, "clock"): _clock,
    ("POST", 1, "clock"): _clock,
    ("GET", 1, "faults"): _faults,
    ("POST", 1, "faults"): _add_fault,
    ("DELETE", 1, "faults"): _clear_faults,
    ("GET", 1, "limits"): _limits,
    ("POST", 1, "limits"): _limits,
    ("GET", 1, "requests"): _requests,
    ("DELETE", 1, "requests"): _forget_requests,
    ("GET", 1, "organisations"): _organisations,
    ("GET", 3, "ledger"): _ledger,
    ("POST", 3, "edit"): _edit,
    ("POST", 3, "revoke"): _revoke,
}
