"""Enter a control group, then become another program: `launch.py GROUP PROGRAM [ARGUMENT…]`.

A program of its own, because a process can only be moved before it becomes systemd-nspawn, and because Python
code between fork and exec is not safe in a process with threads. It imports nothing of the lab, to be quick.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    group, *argv = sys.argv[1:]
    Path(group, "cgroup.procs").write_text(str(os.getpid()), "utf-8")
    os.execvp(argv[0], argv)  # noqa: S606 - an argv, no shell
