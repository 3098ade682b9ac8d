"""Someone who receives webhooks and believes none that is not signed."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_BODY_BYTES_MAX = 1_000_000
_TOLERANCE_S = 300


@dataclass(slots=True)
class Receiver:
    """What came in. `secret` is set once the consumer is registered; until then nothing passes."""

    url: str = ""
    secret: str = ""
    accepted: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Keep a message if its signature holds; a repeated one is kept once."""
        genuine = self._is_genuine(headers, body)
        with self.changed:
            if genuine:
                event = json.loads(body)
                if event["id"] not in {known["id"] for known in self.accepted}:
                    self.accepted.append(event)
            else:
                self.refused += 1
            self.changed.notify_all()
        return genuine

    def _is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        message_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "0")
        if not self.secret or abs(time.time() - int(timestamp)) > _TOLERANCE_S:
            return False
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{message_id}.{timestamp}.".encode() + body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = headers.get("webhook-signature", "").split()
        return any(hmac.compare_digest(f"v1,{expected}", candidate) for candidate in given)

    def wait_for(self, event_type: str, *, count: int, within_s: float) -> list[dict[str, Any]]:
        """The events of that type once there are `count`, or those there are when time is up."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.accepted if event["eventType"] == event_type]

        with self.changed:
            self.changed.wait_for(lambda: len(found()) >= count, timeout=within_s)
            return found()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()
    with answering(receiver.take) as receiver.url:
        yield receiver


@contextmanager
def answering(take: Callable[[Mapping[str, str], bytes], bool]) -> Iterator[str]:
    """The address of a server on this machine that hands over what is posted to it.

    `take` gets the headers by their lower-case names, and says whether to answer 204 or 401.
    """

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = min(int(self.headers.get("content-length", 0)), _BODY_BYTES_MAX)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(204 if take(headers, self.rfile.read(size)) else 401)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hooks"
        finally:
            server.shutdown()
            thread.join()
