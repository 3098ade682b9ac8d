"""Serving a simulated platform on the loopback with uvicorn."""

import logging
import os
from pathlib import Path

import uvicorn

from tallystick.lib import process
from tallystick.simulators.xero import create_app
from tallystick.simulators.xero.limits import UNLIMITED


def serve(
    state_dir: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8500,
    seed: int = 1,
    size: str = "small",
    books: Path | None = None,
    client_id: str = "simulated-xero",
    client_secret: str | None = None,
    limited: bool = True,
    log_level: str = "warning",
    parent_death: bool = False,
) -> None:
    """Serve until stopped.

    Args:
        state_dir: where the books, the tokens and the clock are kept.
        host: the address to listen on.
        port: the port to listen on.
        seed: the same number makes the same books.
        size: none, small, medium or large.
        books: published records to serve beside the invented ones.
        client_id: the app that may ask for access.
        client_secret: its secret; None makes one and keeps it in `state_dir`.
        limited: whether Xero's call limits are counted.
        log_level: what is said beside warnings; debug tells what the server does, too.
        parent_death: whether to die with the process that started this one.
    """
    if parent_death:
        process.die_with(os.getppid())
    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(name)s %(message)s")
    app = create_app(
        state_dir,
        seed=seed,
        size=size,
        books=books,
        base_url=f"http://{host}:{port}",
        client_id=client_id,
        client_secret=client_secret,
        limits=None if limited else UNLIMITED,
    )
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        # uvicorn's own tale of start and stop is chatter beside that of whoever started us.
        log_level="debug" if log_level == "debug" else "warning",
        access_log=False,
        # The control plane trusts the peer's address, so no header may speak for it.
        proxy_headers=False,
        server_header=False,
    )
