# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running commands on this host, as lists of arguments."""

from __future__ import annotations

import os
import subprocess
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError


@dataclass(frozen=True)
class Done:
    """The result of a command: exit code, output and errors."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Return the output, followed by the errors."""
        return "\n".join(text.strip() for text in (self.out, self.err) if text.strip())


class Run(t.Protocol):
    """Runs a command to its end; tests pass a fake."""

    def __call__(self, argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
        """Return the result of the command."""


def run(argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
    """Run a command without a terminal, in English. Raise GroundworkError if the command does not exist."""
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    # AnsibleModule.run_command without data passes on its own stdin, which with pipelining is the rest of the module.
    try:  # pylint: disable-next=ansible-bad-function
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError as error:
        raise GroundworkError(f"The command {argv[0]} does not exist on this server.") from error
    return Done(done.returncode, done.stdout, done.stderr)


def succeed(run: Run, doing: str, argv: t.Sequence[str], /, *, stdin: str = "") -> str:
    """Run a command and return its output.

    If it fails, raise GroundworkError with `doing` ("install the packages"), the command and its last 30 lines.
    """
    done = run(argv, stdin=stdin)
    if done.code:
        raise GroundworkError(f"Could not {doing}: {' '.join(argv)} failed with exit code {done.code}:\n{tail(done)}")
    return done.out


def tail(done: Done, lines: int = 30) -> str:
    """Return the last lines of a command's output and errors."""
    return "\n".join(done.words.splitlines()[-lines:])
