"""Run by path as a fresh interpreter: become a user, die with the parent, then become the program.

It imports nothing of ours, because it starts as root and goes on as a user who may be unable to
read this file.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def become_user(uid: int, gid: int) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def die_with_parent(parent_pid: int) -> None:
    # Changing the user clears the signal (prctl(2), PR_SET_PDEATHSIG), so this comes after it; and
    # a parent that died before the call would never be noticed, so it is looked for afterwards.
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the parent-death signal cannot be set")
    if os.getppid() != parent_pid:
        sys.exit("the process that wanted this server is gone")


def main(parent_pid: str, uid: str, gid: str, program: str, *arguments: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A session of its own: a Ctrl-C in the terminal is for the host, which then stops the server.
    os.setsid()
    become_user(int(uid), int(gid))
    os.chdir("/")
    os.umask(0o077)
    die_with_parent(int(parent_pid))
    os.execv(program, [program, *arguments])  # noqa: S606 - a program by its path, without a shell


if __name__ == "__main__":
    main(*sys.argv[1:])
