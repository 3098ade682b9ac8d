"""What the steps of `codat-accounting` stand on: one caller, one company, its books."""

# mypy: disable-error-code="import-not-found"

from dataclasses import dataclass, field
from typing import Any

from codat_accounting import CodatAccounting
from codat_accounting.models import errors, shared
from codat_accounting.utils import BackoffStrategy, RetryConfig
from pydantic import BaseModel
from tests.clients.drive import Drive, Observed, credentials

NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(slots=True)
class Scene:
    """`made` remembers what earlier steps wrote, by a name of the step's choice."""

    drive: Drive
    base_url: str
    key: str
    company_id: str
    connection_id: str
    paying_company_id: str
    paying_connection_id: str
    """The same firm's books again: a platform's limit counts for each connection."""

    other_company_id: str
    other_connection_id: str
    """Another firm's books."""

    waiting_company_id: str
    """A company whose customer has not given consent."""

    made: dict[str, Any] = field(default_factory=dict)

    @property
    def company(self) -> dict[str, str]:
        return {"company_id": self.company_id}

    @property
    def ids(self) -> dict[str, str]:
        return {"company_id": self.company_id, "connection_id": self.connection_id}

    @property
    def payer(self) -> dict[str, str]:
        return {"company_id": self.paying_company_id}

    @property
    def paying(self) -> dict[str, str]:
        return {**self.payer, "connection_id": self.paying_connection_id}

    def operation(self, pushed: Any) -> dict[str, Any]:
        """A push operation, asked for without the client: it has no method for that."""
        path = f"{self.base_url}/companies/{pushed.company_id}/push/{pushed.push_operation_key}"
        answer = self.drive.http.get(path, headers={"authorization": credentials(self.key)})
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, pushed: Any) -> dict[str, Any]:
        """The operation once it is no longer pending."""

        def look() -> dict[str, Any] | None:
            found = self.operation(pushed)
            return None if found["status"] == "Pending" else found

        found: dict[str, Any] = self.drive.until(look, what="the end of a push", within_s=120)
        return found

    def written(self, pushed: Any) -> str:
        """The id of what a push wrote; anything but Success is an error."""
        operation = self.ended(pushed)
        self.drive.expect(operation["status"] == "Success", str(operation))
        first: str = operation["changes"][0]["recordRef"]["id"]
        return first


def connect(base_url: str, key: str) -> Drive:
    http = Observed()
    client = CodatAccounting(
        security=shared.Security(auth_header=credentials(key)),
        server_url=base_url,
        client=http,
        retry_config=RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False),
        timeout_ms=30_000,
    )
    return Drive(client, http, errors.ErrorMessage, shown)


def shown(parsed: Any) -> Any:
    if isinstance(parsed, list):
        return [shown(one) for one in parsed]
    return (
        parsed.model_dump(mode="json", by_alias=True) if isinstance(parsed, BaseModel) else parsed
    )
