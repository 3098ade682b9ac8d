"""The document of our API: complete in itself, true of records, in step with the reference's."""

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.oracles import oracles, requires_oracles

from tallystick.http import openapi, table
from tallystick.http.endpoint import Endpoint
from tallystick.http.routing import Routes
from tallystick.lib import json
from tallystick.model import DATA_TYPES

DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi.document(table.ENDPOINTS)))
_GOLDEN = Path(__file__).parents[2] / "golden"
_METHODS = {"get", "post", "put", "patch", "delete"}


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_pointer_points_at_something() -> None:
    text = json.dumps(DOCUMENT).decode()

    pointed = set(re.findall(r'"\$ref":"([^"]+)"', text))
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert pointed <= known


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in _operations()]

    assert len(names) == len(set(names))


def test_what_a_path_varies_in_is_described() -> None:
    for path, _, operation in _operations():
        described = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert described == set(re.findall(r"\{(\w+)\}", path))


def test_routes_without_a_key_are_few_and_known() -> None:
    opened = {path for path, _, operation in _operations() if operation.get("security") == []}

    assert opened == {"/health", "/openapi.json", "/integrations/{platformKey}/logo.svg"}


def _golden() -> list[tuple[str, Path]]:
    names = {record.key: record.__name__ for record in DATA_TYPES}
    return [
        (names[path.parent.name], path)
        for path in sorted(_GOLDEN.glob("*/*/*.out.json"))
        if path.parent.name in names
    ]


@pytest.mark.parametrize(("name", "path"), _golden(), ids=lambda value: getattr(value, "stem", ""))
def test_records_are_as_documented(name: str, path: Path) -> None:
    validator: Any = Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    )

    for record in json.loads(path.read_bytes())["records"]:
        problems = [problem.message for problem in validator.iter_errors(_floats(record))]
        assert problems == []


def _floats(value: Any) -> Any:
    """What the validator takes for numbers."""
    if isinstance(value, dict):
        return {key: _floats(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_floats(part) for part in value]
    return value if isinstance(value, str | int | bool | None) else float(value)


REFERENCES = ("Codat-Platform", "Codat-Sync-Payables-v1", "Codat-Accounting")
ROUTES = Routes(table.ENDPOINTS)
# What the reference serves beside the books themselves, and Tallystick does not.
_LEFT_OUT = re.compile(
    r"/products/|/supplementalDataConfig$|/custom/\{|/zapier$|^/reports|/reports/|/pdf$",
    re.IGNORECASE,
)


def _reference(name: str) -> list[tuple[str, str, Endpoint | None, set[str]]]:
    """Path, method, our endpoint there, and the successes the reference documents."""
    folder = oracles().parents[1] / "api" / "openapi"
    found = []
    for path, methods in json.loads((folder / f"{name}.json").read_bytes())["paths"].items():
        match = ROUTES.find(re.sub(r"\{\w+\}", "x", path))
        for method in sorted(methods.keys() & _METHODS):
            leaf = None if match is None else match.leaves.get(method.upper())
            codes = {code for code in methods[method]["responses"] if code.startswith("2")}
            found.append((path, method, None if leaf is None else leaf.endpoint, codes))
    return found


@requires_oracles
@pytest.mark.parametrize("name", REFERENCES)
def test_answers_have_the_success_codes_of_the_reference(name: str) -> None:
    for path, method, endpoint, codes in _reference(name):
        if endpoint is not None and endpoint.status < 400:
            assert str(endpoint.status) in codes, f"{method} {path}"


@requires_oracles
@pytest.mark.parametrize("name", REFERENCES)
def test_routes_of_the_reference_are_served_or_left_out_by_name(name: str) -> None:
    missing = [
        f"{method} {path}" for path, method, endpoint, _ in _reference(name) if endpoint is None
    ]

    assert [one for one in missing if not _LEFT_OUT.search(one.split(" ")[1])] == []
