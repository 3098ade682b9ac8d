"""Processes that belong together: a child that dies with its parent, however the parent dies."""

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # from linux/prctl.h
_LOOK_EVERY_S = 1.0


def die_with(parent_pid: int) -> None:
    """End this process by SIGTERM when its parent is gone; call it from the main thread.

    Linux tells at once. Elsewhere a thread looks every second.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the parent-death signal cannot be set")
    else:
        threading.Thread(target=_watch, args=(parent_pid,), daemon=True).start()
    # A parent that died before the call would never be noticed.
    if os.getppid() != parent_pid:
        sys.exit("the process that wanted this one is gone")


def _watch(parent_pid: int) -> None:
    never = threading.Event()
    while os.getppid() == parent_pid:
        never.wait(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
