"""Drives an official client call by call, and tells on standard output how each call went.

Runs inside the client's own virtual environment: the standard library and httpx, nothing else.
"""

import base64
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from types import NoneType
from typing import Any, get_args, get_type_hints

import httpx

_TEXT_MAX = 700
_LOOK_EVERY_S = 0.1

Raw = Any


def credentials(key: str) -> str:
    """The header as a caller of the API sends it: the key alone, no colon."""
    return "Basic " + base64.b64encode(key.encode()).decode()


@dataclass(slots=True)
class Drive:
    """An official client under observation."""

    client: Any
    http: httpx.Client
    refusal: type[Exception]
    shown: Callable[[Any], Raw]
    step: str = ""
    answered: list[str] = field(default_factory=list)

    def call(self, name: str, /, **request: Any) -> Any:
        """Call a method that must be answered, and answered in full."""
        parsed = self._run(name, request)
        last = self.last
        found: dict[str, Any] = {"call": name, "status": last.status_code}
        has_model = parsed is not None and "json" in last.headers.get("content-type", "")
        if has_model:
            raw = json.loads(last.content)
            found["lost"] = sorted(set(_lost(raw, self.shown(parsed))))
            found["nulls"] = sorted(set(_nulls(raw)))
        self.answered.append(name)
        tell(step=self.step, **found)
        return parsed

    def refused(self, name: str, /, *, status: int, **request: Any) -> Any:
        """Call a method that must be refused by the client's typed error; returns its data."""
        try:
            self._run(name, request)
        except self.refusal as error:
            data: Any = getattr(error, "data", None)
            self.expect(self.last.status_code == status, f"{name}: {data}")
            self.expect(data.status_code == status, f"{name}: {data}")
            self._expect_error_body(name)
            tell(step=self.step, refused=name, status=status)
            return data
        raise AssertionError(f"{name} was not refused but answered {self.last.status_code}")

    def declined(self, name: str, /, *, statuses: range, **request: Any) -> None:
        """Call a method that must be refused, where the client may not document the status.

        Then its general error, with the server's words in it, is all a caller can get.
        """
        try:
            self._run(name, request)
        except Exception as error:  # noqa: BLE001 - each client has a general error of its own
            status, said = self.last.status_code, f"{name}: {type(error).__name__}: {error}"
            self.expect(type(error).__name__ in {"SDKError", "ErrorMessage"}, said)
            self.expect(status in statuses, said)
            self._expect_error_body(name)
            tell(step=self.step, refused=name, status=status)
            return
        raise AssertionError(f"{name} was not refused but answered {self.last.status_code}")

    def unparsed(self, name: str, /, *, status: int, **request: Any) -> None:
        """Call a method whose only right answer its client cannot read: it has no body."""
        try:
            self._run(name, request)
        except Exception as error:  # noqa: BLE001 - its kind is looked at
            self.expect(type(error).__name__ == "ResponseValidationError", repr(error))
            self.expect(self.last.status_code == status and not self.last.content, repr(error))
            self.answered.append(name)
            tell(step=self.step, unparsed=name, status=status)
            return
        raise AssertionError(f"{name} can be read now: call it like the others")

    def _expect_error_body(self, name: str) -> None:
        body = self.last.json()
        self.expect(body["statusCode"] == self.last.status_code, f"{name}: {body}")
        self.expect(bool(body["error"] and body["correlationId"]), f"{name}: {body}")
        self.expect(isinstance(body["canBeRetried"], str), f"{name}: {body}")

    def _run(self, name: str, request: Mapping[str, Any]) -> Any:
        method = attrgetter(name)(self.client)
        return method(request=request) if request else method()

    @property
    def last(self) -> httpx.Response:
        """The newest answer of the server."""
        found: httpx.Response = self.http.last  # type: ignore[attr-defined]
        return found

    @staticmethod
    def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like assert
        if not holds:
            raise AssertionError(otherwise[:_TEXT_MAX])

    def until(self, look: Callable[[], Any], *, what: str, within_s: float = 60) -> Any:
        """What `look` found once it found something."""
        end, never = time.monotonic() + within_s, threading.Event()
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            never.wait(_LOOK_EVERY_S)
        raise AssertionError(f"{what}: not within {within_s} s")


class Observed(httpx.Client):
    """Keeps the newest answer."""

    def __init__(self) -> None:
        super().__init__(trust_env=False, event_hooks={"response": [self._keep]})
        self.last: httpx.Response | None = None

    def _keep(self, response: httpx.Response) -> None:
        response.read()
        self.last = response


def tell(**line: Any) -> None:
    print(json.dumps(line), flush=True)


# --- what a client did not understand ---


def _lost(raw: Raw, shown: Raw, path: str = "") -> Iterator[str]:
    """Members of the answer that the parsed object does not have."""
    if isinstance(raw, dict):
        known = shown if isinstance(shown, dict) else {}
        for name, value in raw.items():
            here = f"{path}.{name}".removeprefix(".")
            if name in known:
                yield from _lost(value, known[name], here)
            elif value not in (None, [], {}):
                yield here
    elif isinstance(raw, list):
        parts = shown if isinstance(shown, list) else [None] * len(raw)
        if len(parts) != len(raw):
            yield f"{path}[{len(raw)} -> {len(parts)}]"
        for value, part in zip(raw, parts, strict=False):
            yield from _lost(value, part, f"{path}[]")


def _nulls(raw: Raw, path: str = "") -> Iterator[str]:
    if raw is None:
        yield path
    elif isinstance(raw, dict):
        for name, value in raw.items():
            yield from _nulls(value, f"{path}.{name}".removeprefix("."))
    elif isinstance(raw, list):
        for value in raw:
            yield from _nulls(value, f"{path}[]")


# --- every method a client has ---


def methods(client: Any) -> dict[str, Any]:
    """All methods of all groups, as `group.method`."""
    no_calls = {"build_request", "build_request_async", "build_request_with_client"}
    no_calls |= {"do_request", "do_request_async", "get_url"}
    groups = {n: g for n, g in vars(client).items() if n[0] != "_" and n != "sdk_configuration"}
    return {
        f"{group}.{name}": getattr(held, name)
        for group, held in groups.items()
        for name in dir(held)
        if name[0] != "_" and not name.endswith("_async") and name not in no_calls
        if callable(getattr(held, name))
    }


def placeholders(method: Any, known: Mapping[str, str]) -> dict[str, Any]:
    """A request with what the method needs at least: the ids we know, else a made-up value."""
    hint = get_type_hints(method, vars(sys.modules[method.__module__])).get("request")
    model = next((m for m in (*get_args(hint), hint) if hasattr(m, "model_fields")), None)
    if model is None:
        return {}
    return {
        name: _made_up(name, info.annotation, known)
        for name, info in model.model_fields.items()
        if info.is_required() or name in known
    }


def _made_up(name: str, annotation: Any, known: Mapping[str, str]) -> Any:
    if name in known:
        return known[name]
    if annotation is int:
        return 1
    choices = [a for a in get_args(annotation) if a is not NoneType]
    values = list(annotation) if hasattr(annotation, "__members__") else []
    return values[0] if values else f"unknown-{name}" if not choices else choices[0]


# --- running ---

Step = Callable[[Any], None]


def run(steps: list[Step], scene: Any, drive: Drive) -> None:
    """Every step, whatever became of the one before; then what was called at all."""
    for step in steps:
        drive.step = step.__name__
        try:
            step(scene)
            tell(step=drive.step, passed=True)
        except Exception as error:  # noqa: BLE001 - told, and judged by the test
            tell(step=drive.step, failed=_failure(error, drive))
    tell(ended=True, methods=sorted(methods(drive.client)), answered=sorted(set(drive.answered)))


def _failure(error: Exception, drive: Drive) -> str:
    at = traceback.extract_tb(error.__traceback__)
    steps = [f for f in at if "/tests/clients/" in f.filename and f.filename != __file__]
    ours = steps[-1] if steps else at[-1]
    said = f"{type(error).__name__}: {error}"[:_TEXT_MAX]
    last = getattr(drive.http, "last", None)
    if last is not None:
        asked = f"{last.request.method} {last.request.url}"
        said += f" | {asked} -> {last.status_code} {last.text[:_TEXT_MAX]}"
    return f"line {ours.lineno}: {said}"
