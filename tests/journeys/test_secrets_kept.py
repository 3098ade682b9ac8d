"""Secrets stay where they belong: not in the database, not in a log, not in an answer."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.journeys.serving import Books, Served, served

from tallystick.cli.installation import KEY_FILE
from tallystick.companies import credentials
from tallystick.db.embedded import EmbeddedPostgres
from tallystick.db.pool import Database
from tallystick.lib import secrets

_HOOK_INSIDE = "http://127.0.0.1:9/hooks"


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def busy(running: Served) -> Books:
    """A linked company with reads, a good write and a refused one."""
    books = running.linked("Busy")
    books.pulled()
    today = date.today().isoformat()  # noqa: DTZ011 - the ledger's day, whichever that is
    bill = books.records("bills", query="amountDue>0&&status=Open&&currency=GBP")[0]
    books.push("suppliers", {"supplierName": "Quiet Supplies", "status": "Active"})
    books.push(
        "billPayments",
        {
            "accountRef": {"id": bill["id"]},
            "totalAmount": 1,
            "date": today,
            "currency": "GBP",
            "lines": [{"amount": 1, "links": [{"type": "Bill", "id": bill["id"], "amount": -1}]}],
        },
    )
    return books


async def _tokens(url: str, vault: secrets.Vault, connection_id: str) -> list[str]:
    async with Database(url, size=1) as database, database.transaction() as tx:
        pair = await credentials.load(tx, vault, connection_id=connection_id)
    assert pair is not None
    return [pair.access_token, pair.refresh_token]


def _dump(url: str) -> str:
    """Every value of every table, as text."""
    with psycopg.connect(url) as db:
        tables = db.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace ="
            " 'public'::regnamespace"
        ).fetchall()
        kept = []
        for (name,) in tables:
            statement = sql.SQL("select t::text from {} t").format(sql.Identifier(name))
            kept += [str(row[0]) for row in db.execute(statement)]
    return "\n".join(kept)


def test_no_secret_is_found_where_it_does_not_belong(running: Served, busy: Books) -> None:
    consumer = running.api.post("/webhooks", {"url": _HOOK_INSIDE, "eventTypes": ["*"]}, status=201)
    key_text = (running.data_dir / KEY_FILE).read_text()
    url = EmbeddedPostgres.attach(running.data_dir)
    tokens = asyncio.run(_tokens(url, secrets.vault(key_text), busy.connection_id))
    planted = {
        "access token": tokens[0],
        "refresh token": tokens[1],
        "api key": running.api.key,
        "webhook secret": consumer["secret"],
        "webhook secret, bare": consumer["secret"].removeprefix("whsec_"),
        "encryption key": key_text,
    }
    places = {
        "database": _dump(url),
        "database log": (running.data_dir / "postgres.log").read_text(),
        "log": (running.data_dir.parent / "serve.log").read_text(),
        "answers": _answers(running, busy),
    }

    found = [
        f"{what} in {where}"
        for what, secret in planted.items()
        for where, text in places.items()
        # A bytea is shown as hexadecimal digits.
        if secret in text or secret.encode().hex() in text
    ]

    assert found == []


def _answers(running: Served, busy: Books) -> str:
    paths = [
        "/webhooks",
        "/apiKeys",
        "/profile",
        "/companies",
        "/integrations",
        "/health",
        "/openapi.json",
        busy.connection_path,
        f"{busy.path}/push",
        f"{busy.path}/data/history",
        f"{busy.path}/dataStatus",
    ]
    return "\n".join(json.dumps(running.api.get(path), default=str) for path in paths)


def test_others_can_read_nothing_of_the_data_directory(running: Served, busy: Books) -> None:
    del busy

    def open_to_others(path: Path) -> bool:
        folders = path.relative_to(running.data_dir).parents
        reached = all((running.data_dir / folder).stat().st_mode & 0o001 for folder in folders)
        return reached and bool(path.stat().st_mode & 0o004)

    readable = {
        path.relative_to(running.data_dir).as_posix()
        for path in running.data_dir.rglob("*")
        if path.is_file() and open_to_others(path)
    }

    # The rules by which PostgreSQL lets its own user in hold no secret; programs are public.
    assert {n for n in readable if not n.startswith("programs")} <= {"pg_hba.conf", "pg_ident.conf"}
