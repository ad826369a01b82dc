"""Enter a control group, then execute a program: `launch.py GROUP PROGRAM [ARGUMENT…]`.

It is a separate program, because a process can be moved only before it executes systemd-nspawn, and because Python code
between fork and exec is not safe in a process with threads. It imports nothing of the lab, so that it starts quickly.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    group, *argv = sys.argv[1:]
    Path(group, "cgroup.procs").write_text(str(os.getpid()), "utf-8")
    os.execvp(argv[0], argv)  # noqa: S606 - an argv, no shell
