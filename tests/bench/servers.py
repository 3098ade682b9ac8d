"""The servers that are compared, each alone in a process: `python -m tests.bench.servers KIND`."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick import app
from tallystick.db.pool import Database
from tallystick.lib import json
from tallystick.lib.secrets import Vault
from tallystick.model.receivables import Invoice
from tallystick.settings import Settings

OURS, BARE, PYDANTIC = "ours", "bare", "pydantic"
_POOL = 10
# Page and count, as anybody would write it.
_PAGE = """
select body, (select count(*) from record where company_id = %(company)s and connection_id = (
    select id from connection where company_id = %(company)s limit 1) and data_type = 'invoices'
) as total
from record
where company_id = %(company)s and connection_id = (
    select id from connection where company_id = %(company)s limit 1) and data_type = 'invoices'
order by modified_at, id limit 100 offset 0
"""


async def _serve(kind: str, url: str, company_id: str) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    async with _application(kind, url, company_id) as served:
        config = uvicorn.Config(
            served, log_config=None, access_log=False, server_header=False, proxy_headers=False
        )
        await uvicorn.Server(config).serve(sockets=[listener])


@asynccontextmanager
async def _application(kind: str, url: str, company_id: str) -> AsyncIterator[Any]:
    if kind == OURS:
        vault = Vault(bytes(32))
        async with app.open_house(Settings(), url, vault, pool_size=_POOL) as house:
            yield app.web(house)
        return
    async with Database(url, size=_POOL) as database:
        yield _bare(database, company_id) if kind == BARE else _modelled(database, company_id)


def _bare(database: Database, company_id: str) -> Any:
    """No framework, no key, no query: the ceiling."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        async with database.transaction() as tx:
            rows = await (await tx.execute(_PAGE, {"company": company_id})).fetchall()
        total = rows[0]["total"] if rows else 0
        body = b"".join(
            (
                b'{"results":[',
                ",".join(row["body"] for row in rows).encode(),
                b'],"pageNumber":1,"pageSize":100,"totalResults":%d}' % total,
            )
        )
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return served


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _modelled(database: Database, company_id: str) -> Any:
    """Each record read into its class and written out again, as frameworks do by default."""

    async def served(_request: Request) -> Response:
        async with database.transaction() as tx:
            rows = await (await tx.execute(_PAGE, {"company": company_id})).fetchall()
        results = [Invoice.model_validate(json.loads(row["body"])) for row in rows]
        body = json.dumps({"results": [result.wire() for result in results]})
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", served)])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(*sys.argv[1:4]))
