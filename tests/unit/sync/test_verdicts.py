"""What a read makes of everything that can go wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.errors import (
    BadRequest,
    Missing,
    NotLinked,
    NotPermitted,
    RateLimited,
    Refused,
    Unauthorized,
    Unreachable,
)
from tallystick.sync.mapping import MappingFault
from tallystick.sync.states import Status
from tallystick.sync.verdicts import Ending, FuseBlown, Pause, verdict

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_a_rate_limit_is_waited_for_until_the_moment_named() -> None:
    until = NOW + timedelta(hours=7)
    found = verdict(RateLimited("used up", until=until, limit="day"), tries=9, now=NOW)
    assert isinstance(found, Pause)
    assert found.until == until
    assert found.description == "Paused until 2026-11-20T16:00:00Z"


def test_a_platform_that_does_not_answer_is_asked_again_ever_later_and_then_given_up() -> None:
    silent = Unreachable("no answer", sent=True)
    pauses = [verdict(silent, tries=tries, now=NOW) for tries in range(1, 7)]
    waits = [pause.until - NOW for pause in pauses if isinstance(pause, Pause)]
    assert len(waits) == 6
    assert waits == sorted(waits)
    assert verdict(silent, tries=7, now=NOW) == Ending(Status.FetchError, "no answer")


@pytest.mark.parametrize(
    ("error", "status", "relink"),
    [
        (Unauthorized("gone"), Status.AuthError, True),
        (NotLinked("c", "Unlinked"), Status.AuthError, False),
        (NotPermitted("no right"), Status.PermissionsError, False),
        (Missing("none"), Status.FetchError, False),
        (Refused("bad"), Status.FetchError, False),
        (MappingFault("oops"), Status.MapError, False),
        (FuseBlown(deleted=30, rows=40), Status.ValidationError, False),
        (BadRequest("no app"), Status.InternalError, False),
        (ZeroDivisionError("ours"), Status.InternalError, False),
    ],
)
def test_every_other_fault_ends_the_read_in_its_own_word(
    error: Exception, status: Status, *, relink: bool
) -> None:
    found = verdict(error, tries=1, now=NOW)
    assert isinstance(found, Ending)
    assert (found.status, found.relink) == (status, relink)
    assert found.message


def test_our_own_faults_tell_nothing_about_our_inside() -> None:
    found = verdict(ZeroDivisionError("/srv/secret.py"), tries=1, now=NOW)
    assert isinstance(found, Ending)
    assert "secret" not in found.message
