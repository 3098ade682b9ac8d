"""A receiver of webhooks that believes the Standard Webhooks library, not us."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tests.oracles import openapi_events

from tallystick.cli.demo.receiver import answering

Event = Any


@dataclass(slots=True)
class Listener:
    """What came in, verified. `secret` is known once the consumer is registered."""

    url: str = ""
    secret: str = ""
    events: list[Event] = field(default_factory=list)
    message_ids: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, headers: Mapping[str, str], body: bytes) -> bool:
        with self.changed:
            try:
                event = Webhook(self.secret).verify(body, dict(headers))
            except (WebhookVerificationError, ValueError) as error:
                self.refused.append(str(error))
                return False
            self.message_ids.append(headers["webhook-id"])
            self.events.append(event)
            self.changed.notify_all()
            return True

    def of(self, event_type: str, **members: Any) -> list[Event]:
        """Events of that type whose payload has those members."""
        return [
            event
            for event in self.events
            if event["eventType"] == event_type
            and members.items()
            <= {k: v for k, v in event["payload"].items() if k in members}.items()
        ]

    def hear(self, event_type: str, *, within_s: float = 60, **members: Any) -> Event:
        """The first such event, waited for; it is as the reference documents it."""
        with self.changed:
            heard = self.changed.wait_for(lambda: self.of(event_type, **members), within_s)
        assert heard, (
            f"{event_type} {members} was not heard; {[e['eventType'] for e in self.events]}"
        )
        assert not openapi_events.complaints(heard[0])
        return heard[0]


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    with answering(listener.take) as listener.url:
        yield listener
