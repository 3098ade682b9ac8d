"""The official Python clients, each in its own environment, understand every answer of ours."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.clients import scope
from tests.journeys.serving import OTHER_FIRM, Books, Served

pytestmark = pytest.mark.xdist_group("served")

_ROOT = Path(__file__).parents[2]
_WITHIN_S = 400
_FEW = ("suppliers", "chartOfAccounts")
_CLIENTS = ("accounting", "platform")


@dataclass(frozen=True, slots=True)
class Report:
    """What a driver told of its client, line by line."""

    lines: tuple[dict[str, Any], ...]
    said: str

    def members(self, kind: str, known: frozenset[str]) -> list[str]:
        """Members of answers that were `lost` or `nulls`, as `call: path`, but for known ones."""
        return sorted(
            {
                f"{line['call']}: {path}"
                for line in self.lines
                for path in line.get(kind, ())
                if path.rpartition(".")[2] not in known
            }
        )

    @property
    def end(self) -> dict[str, Any]:
        return next((line for line in self.lines if line.get("ended")), {})

    @property
    def refused(self) -> set[str]:
        return {line["refused"] for line in self.lines if "refused" in line}


def _driven(client: str, **given: str) -> Report:
    python = _ROOT / ".venv-clients" / client / "bin" / "python"
    if not python.exists():
        pytest.fail(f"The client is not installed: make .venv-clients/{client}/.ready")
    done = subprocess.run(
        [python, "-m", f"tests.clients.drive_{client}", json.dumps(given)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    return Report(tuple(json.loads(line) for line in done.stdout.splitlines()), done.stderr)


def _ids(name: str, books: Books) -> dict[str, str]:
    return {f"{name}company_id": books.company_id, f"{name}connection_id": books.connection_id}


def _linked_for_few_types(served: Served) -> Books:
    """So that all can be refreshed without waiting for the platform's limit per minute."""
    company_id = served.company("Refreshed by clients")
    path = f"/companies/{company_id}/syncSettings"
    settings = served.api.get(path) | {"overridesDefaults": True}
    for setting in settings["settings"]:
        setting["fetchOnFirstLink"] = setting["dataType"] in _FEW
    served.api.post(path, settings, status=204)
    books = served.link(company_id)
    books.pulled(*_FEW)
    return books


@pytest.fixture(scope="module")
def reports(served: Served) -> dict[str, Report]:
    """First the writes, so that the other client finds a history of them."""
    read, paid = served.linked("Read by clients"), served.linked("Paid by clients")
    other = served.linked("Another firm for clients", firm=OTHER_FIRM)
    fresh = _linked_for_few_types(served)
    for books in (read, paid, other):
        books.pulled()
    given = {"base_url": served.base_url, "key": served.api.key}
    accounting = _driven(
        "accounting",
        **given,
        **_ids("", read),
        **_ids("paying_", paid),
        **_ids("other_", other),
        waiting_company_id=served.company("Waiting"),
    )
    platform = _driven(
        "platform", **given, **_ids("", paid), **_ids("fresh_", fresh), **_ids("spare_", other)
    )
    return {"accounting": accounting, "platform": platform}


@pytest.mark.parametrize("client", _CLIENTS)
def test_every_step_passes(reports: dict[str, Report], client: str) -> None:
    failed = [
        f"{line['step']}: {line['failed']}" for line in reports[client].lines if "failed" in line
    ]

    assert not failed, "\n\n".join(failed)
    assert reports[client].end, reports[client].said


@pytest.mark.parametrize("client", _CLIENTS)
def test_every_call_within_scope_is_answered(reports: dict[str, Report], client: str) -> None:
    answered = set(reports[client].end["answered"])

    assert answered == scope.WITHIN[client] - scope.REFUSED_ON_PURPOSE


@pytest.mark.parametrize("client", _CLIENTS)
def test_every_other_call_is_refused_in_words_and_never_by_a_server_error(
    reports: dict[str, Report], client: str
) -> None:
    others = set(reports[client].end["methods"]) - scope.WITHIN[client]

    assert others | scope.REFUSED_ON_PURPOSE & scope.WITHIN[client] <= reports[client].refused


@pytest.mark.parametrize("client", _CLIENTS)
def test_nothing_of_an_answer_is_lost_on_the_client(
    reports: dict[str, Report], client: str
) -> None:
    """A member the client does not know is one of ours, or a name that we spelt wrong."""
    assert reports[client].members("lost", scope.UNKNOWN) == []


@pytest.mark.parametrize("client", _CLIENTS)
def test_null_stands_only_where_every_client_takes_it(
    reports: dict[str, Report], client: str
) -> None:
    """Other official clients refuse null where the description of the API does not allow it."""
    assert reports[client].members("nulls", scope.NULLABLE) == []


def test_the_one_answer_a_client_cannot_read_is_still_the_only_one(
    reports: dict[str, Report],
) -> None:
    unread = {
        line["unparsed"]
        for client in _CLIENTS
        for line in reports[client].lines
        if "unparsed" in line
    }

    assert unread == scope.UNREADABLE
