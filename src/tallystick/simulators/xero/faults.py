"""Named faults that can be switched on for the next calls.

loses_answers   the write is committed, then the line goes dead before the first byte
rate_limits     429 although no limit was reached
server_errors   5xx before anything was written
expires_tokens  the presented access token has run out
pages_shift     somebody saves a record already served, so that it moves to the last page
slow            the answer takes its time
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

Raw = Any

NAMES = (
    "loses_answers",
    "rate_limits",
    "server_errors",
    "expires_tokens",
    "pages_shift",
    "slow",
)


class AnswerLost(httpx.RemoteProtocolError):
    """What a client in the same process sees of a line that went dead."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    name: str
    times: int = 1
    skip: int = 0
    # 10 meets every tenth of the fitting calls.
    every: int = 1
    method: str = ""
    path: str = ""
    # What the name needs beside: status, problem, retry_after_s, delay_s.
    details: dict[str, Raw] = field(default_factory=dict)

    def meets(self, method: str, path: str) -> bool:
        if self.method and self.method != method:
            return False
        if not self.path:
            return not path.startswith("/connect")
        return bool(re.match(self.path, path))

    def said(self) -> dict[str, Raw]:
        match = {"method": self.method, "path": self.path}
        rest = {"times": self.times, "skip": self.skip, "every": self.every, "match": match}
        return {"name": self.name, **rest, **self.details}


class Faults:
    """The faults still to come; each is used up by the calls it meets."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, sent: dict[str, Raw]) -> Fault:
        if sent.get("name") not in NAMES:
            raise ValueError(f"the faults are {', '.join(NAMES)}")
        match = sent.get("match") or {}
        known = {"name", "times", "skip", "every", "match"}
        every = int(sent.get("every", 1))
        if every < 1:
            raise ValueError("every must be 1 or more")
        fault = Fault(
            name=sent["name"],
            times=int(sent.get("times", 1)),
            skip=int(sent.get("skip", every - 1)),
            every=every,
            method=str(match.get("method", "")).upper(),
            path=str(match.get("path", "")),
            details={key: value for key, value in sent.items() if key not in known},
        )
        re.compile(fault.path)
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        self._waiting.clear()

    def waiting(self) -> list[Fault]:
        return list(self._waiting)

    def taken(self, name: str, *, method: str, path: str) -> Fault | None:
        """The fault of this name that meets the call, if one does; it is one time fewer."""
        for index, fault in enumerate(self._waiting):
            if fault.name != name or not fault.meets(method, path):
                continue
            if fault.skip:
                self._waiting[index] = replace(fault, skip=fault.skip - 1)
                continue
            if fault.times > 1:
                rest = replace(fault, times=fault.times - 1, skip=fault.every - 1)
                self._waiting[index] = rest
            else:
                del self._waiting[index]
            return fault
        return None
