"""A command -> the same command on a leash: `leash.py PARENT USER:GROUP COMMAND…` (started by local/process.py only).

PARENT 0 means no leash; USER:GROUP `-` means no change of user. It becomes another user if it is told to, asks Linux to kill it when the process that started it is gone, and turns into
the command. A program of its own because `preexec_fn` is not safe in a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Read the arguments, put on the leash, become the command."""
    parent, owner, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if owner != "-":
        user, group = map(int, owner.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if parent and sys.platform == "linux":
        # After the change of user, which would take the leash off again. SIGKILL: a deaf child must not survive.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the leash was on
            raise SystemExit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606  becoming the command is the point
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error.strerror}") from None


main()
