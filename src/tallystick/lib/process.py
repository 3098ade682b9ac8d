"""Processes that belong together: a child that dies with its parent, however the parent dies."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def die_with(parent_pid: int) -> None:
    """Ask the kernel to end this process when its parent is gone; call it from the main thread.

    Linux only; elsewhere a parent that is killed outright leaves its children to `poll_parent`.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the parent-death signal cannot be set")
    # A parent that died before the call would never be noticed.
    if is_orphan(parent_pid):
        sys.exit("the process that wanted this one is gone")


def is_orphan(parent_pid: int) -> bool:
    return os.getppid() != parent_pid
