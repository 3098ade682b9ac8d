"""Named points at which a process may be told to die or to freeze, so that tests do it there."""

import os
import signal
from collections import Counter

# Killed, nothing is tidied up; or stopped until somebody sends SIGCONT.
_WISHES = {"TALLYSTICK_CRASH_AT": signal.SIGKILL, "TALLYSTICK_FREEZE_AT": signal.SIGSTOP}
_passed: Counter[str] = Counter()


def point(name: str) -> None:
    """Die here if `TALLYSTICK_CRASH_AT` names this point, freeze if `TALLYSTICK_FREEZE_AT` does.

    `name:3` means the third time that this process passes the point.
    """
    for wish, number in _WISHES.items():
        wanted, _, times = os.environ.get(wish, "").partition(":")
        if wanted == name:
            _passed[name] += 1
            if _passed[name] == int(times or 1):
                os.kill(os.getpid(), number)
