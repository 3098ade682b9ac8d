"""What can come of a write: it was done, it was refused."""

from dataclasses import dataclass

from tallystick.connectors.contract import Change
from tallystick.errors import Problem
from tallystick.push.states import STATUS_CODES


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write did at the platform; `changes` starts with the record that was asked for."""

    changes: tuple[Change, ...]
    attachment_id: str | None = None
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a write failed, for the person who reads it."""

    message: str
    problems: tuple[Problem, ...] = ()
    status_code: int = STATUS_CODES["Failed"]
