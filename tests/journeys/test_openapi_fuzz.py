"""Whatever is sent, by the document's rules or against them, is answered as the document says."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks
from tests.journeys.api_ground import PUBLIC, ApiGround, ground

from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault

AnyCase = Case[Any]
# Each operation gets at least one case; the time that is left is shared among those that are not
# just another path to the same.
TIME_S = 8.0
ROUNDS = (1, 3, 6)


@dataclass(frozen=True, slots=True)
class Counter:
    """Sends requests from a thread without an event loop of its own."""

    portal: BlockingPortal
    api: ApiGround
    ids: dict[str, str]

    def send(self, case: AnyCase) -> httpx.Response:
        made: Any = requests.Request(**case.as_transport_kwargs(base_url=PUBLIC)).prepare()
        headers = {k: v for k, v in made.headers.items() if k.lower() != "authorization"}

        async def sent() -> httpx.Response:
            return await self.api.http.request(
                made.method, made.url, headers=headers, content=made.body
            )

        return self.portal.call(sent)


@pytest.fixture
def counter(shared_database_url: str, vault: Vault, clock: FixedClock) -> Iterator[Counter]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(ground(shared_database_url, vault, clock)) as api,
    ):
        yield Counter(portal, api, portal.call(_linked, api))


async def _linked(api: ApiGround) -> dict[str, str]:
    linked = await api.linked((await api.company())["id"])
    return {"companyId": linked.company_id, "connectionId": linked.id}


def _operations(counter: Counter) -> list[Any]:
    async def document() -> bytes:
        return (await counter.api.http.get("/openapi.json")).content

    schema = schemathesis.openapi.from_dict(json.loads(counter.portal.call(document)))
    found: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr] # an error fails the test as well
    assert len(found) > 100
    return found


def _ids(counter: Counter, operation: Any) -> dict[str, str]:
    """What exists is named, except where that would take it away from the others."""
    names = {parameter.name for parameter in operation.path_parameters}
    if operation.method.upper() == "DELETE" or operation.path.endswith("/{connectionId}"):
        return {}
    return {name: value for name, value in counter.ids.items() if name in names}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_documented_and_no_fault_of_ours(
    counter: Counter, mode: GenerationMode
) -> None:
    operations, end = _operations(counter), time.monotonic() + TIME_S

    for examples in ROUNDS:
        for operation in operations:
            if examples > 1 and time.monotonic() > end:
                return
            if examples > 1 and operation.definition.raw.get("deprecated"):
                continue
            _try(counter, operation, mode, examples)


def _try(counter: Counter, operation: Any, mode: GenerationMode, examples: int) -> None:
    strategy = operation.as_strategy(mode, path_parameters=_ids(counter, operation))

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def one(case: AnyCase) -> None:
        answer = counter.send(case)
        assert answer.status_code < 500, f"{operation.label}: {answer.text}"
        case.validate_response(
            answer,
            checks=[
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_schema_conformance,
            ],
        )

    try:
        one()
    except Unsatisfiable:
        # Nothing about it can be wrong: it takes no body and no parameter but text.
        assert mode is GenerationMode.NEGATIVE
