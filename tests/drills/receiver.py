"""A receiver of webhooks that can be away for a day, and checks every signature."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook

from tallystick.lib import json
from tallystick.lib.clock import Clock

_TOLERANCE = timedelta(minutes=5)


@dataclass(slots=True)
class Receiver:
    """An address; while it is down nothing listens there."""

    port: int
    clock: Clock
    secret: str = ""
    heard: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def take(self, headers: Mapping[str, str], body: bytes) -> None:
        """The library's own check goes by the machine's clock, so its pieces are used."""
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signed = Webhook(self.secret).sign(headers["webhook-id"], at, body.decode())
        if headers["webhook-signature"] != signed or abs(self.clock.now() - at) > _TOLERANCE:
            self.wrong.append(headers["webhook-id"])
        self.heard[json.loads(body)["payload"]["id"]] += 1

    def up(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.take({k.lower(): v for k, v in self.headers.items()}, body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def down(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
