"""Keys, clients and idempotency keys in the database."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.access import clients, idempotency, keys
from tallystick.access.idempotency import Earlier, Key, Once, State
from tallystick.db.pool import Tx, all_rows
from tallystick.errors import Conflict, NotFound
from tallystick.lib.secrets import Vault, digest

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DIGEST = b"\x01" * 32


async def _once(tx: Tx, vault: Vault) -> Once:
    client = await clients.create(tx, name="Buyer", now=NOW)
    key = Key(client.id, "POST /companies", "k")
    return Once(key, vault=vault, kept_for=timedelta(hours=1))


async def _claim(tx: Tx, vault: Vault, once: Once, *, now: datetime = NOW) -> Earlier | None:
    return await idempotency.claim(tx, once, vault=vault, body_digest=DIGEST, now=now)


async def test_a_key_is_found_by_its_digest_alone(tx: Tx) -> None:
    client = await clients.create(tx, name="Buyer", now=NOW)
    key, secret = await keys.issue(tx, client_id=client.id, name=None, now=NOW)

    assert await keys.who(tx, digest(secret)) == (client.id, key.id)
    assert await keys.who(tx, digest("other")) is None


async def test_the_key_itself_is_nowhere_in_the_table(tx: Tx) -> None:
    client = await clients.create(tx, name="Buyer", now=NOW)
    _, secret = await keys.issue(tx, client_id=client.id, name="n", now=NOW)

    assert secret not in repr(await all_rows(tx, "select * from api_key"))
    assert secret.encode() not in digest(secret)


async def test_a_deleted_key_makes_room_for_another(tx: Tx) -> None:
    client = await clients.create(tx, name="Buyer", now=NOW)
    made = [(await keys.issue(tx, client_id=client.id, name=None, now=NOW))[0] for _ in range(10)]
    with pytest.raises(Conflict):
        await keys.issue(tx, client_id=client.id, name=None, now=NOW)

    await keys.delete(tx, client_id=client.id, key_id=made[3].id)

    await keys.issue(tx, client_id=client.id, name=None, now=NOW)
    with pytest.raises(NotFound):
        await keys.delete(tx, client_id=client.id, key_id=made[3].id)


async def test_what_a_client_chose_is_changed_piece_by_piece(tx: Tx) -> None:
    client = await clients.create(tx, name="Buyer", now=NOW)

    await clients.allow_origins(tx, client.id, ["https://a.example"])
    changed = await clients.allow_several_connections(tx, client.id, allowed=True)

    assert changed.allowed_origins == ("https://a.example",)
    assert changed.settings["severalAccountingConnections"] is True
    assert await clients.lets_in_origin(tx, "https://a.example")
    assert not await clients.lets_in_origin(tx, "https://b.example")


async def test_the_second_claim_of_a_key_sees_the_first(tx: Tx, vault: Vault) -> None:
    once = await _once(tx, vault)
    other = Once(once.key, vault=vault, kept_for=timedelta(hours=1))

    assert await _claim(tx, vault, once) is None
    earlier = await _claim(tx, vault, other)

    assert earlier is not None
    assert (earlier.state, earlier.status) == (State.Open, None)


async def test_a_kept_answer_is_given_to_the_next(tx: Tx, vault: Vault) -> None:
    once = await _once(tx, vault)
    other = Once(once.key, vault=vault, kept_for=timedelta(hours=1))
    await _claim(tx, vault, once)

    await once.keep(tx, status=201, body=b"made", now=NOW)
    doubtful = await _claim(tx, vault, other, now=NOW + timedelta(minutes=59))
    await once.arrived(tx, expires_at=NOW + timedelta(seconds=60))
    answered = await _claim(tx, vault, other, now=NOW + timedelta(seconds=59))

    assert doubtful == Earlier(State.Doubtful, DIGEST, 201, b"made", NOW)
    assert answered == Earlier(State.Answered, DIGEST, 201, b"made", NOW)
    assert await _claim(tx, vault, other, now=NOW + timedelta(seconds=60)) is None


async def test_whoever_lost_a_key_cannot_keep_an_answer(tx: Tx, vault: Vault) -> None:
    once = await _once(tx, vault)
    other = Once(once.key, vault=vault, kept_for=timedelta(hours=1))
    await _claim(tx, vault, once)
    assert await _claim(tx, vault, other, now=NOW + timedelta(seconds=60)) is None

    with pytest.raises(Conflict):
        await once.keep(tx, status=200, body=b"", now=NOW)
    await once.release(tx)

    third = Once(once.key, vault=vault, kept_for=timedelta(hours=1))
    assert await _claim(tx, vault, third, now=NOW + timedelta(seconds=61)) is not None


async def test_a_released_key_is_free_and_a_kept_one_is_not(tx: Tx, vault: Vault) -> None:
    once = await _once(tx, vault)
    await _claim(tx, vault, once)
    await once.release(tx)
    assert await _claim(tx, vault, once) is None

    await once.keep(tx, status=200, body=b"", now=NOW)
    await once.release(tx)

    other = Once(once.key, vault=vault, kept_for=timedelta(hours=1))
    assert await _claim(tx, vault, other) is not None


async def test_what_has_passed_is_forgotten(tx: Tx, vault: Vault) -> None:
    once = await _once(tx, vault)
    await _claim(tx, vault, once)

    await idempotency.forget_expired(tx, now=NOW)
    assert len(await all_rows(tx, "select key from idempotency_key")) == 1
    await idempotency.forget_expired(tx, now=NOW + timedelta(seconds=60))
    assert await all_rows(tx, "select key from idempotency_key") == []
