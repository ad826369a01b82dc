"""What a person did or has to do: shown as one line, without a traceback."""

from __future__ import annotations


class LabError(Exception):
    """`code` is the command's exit code: 1 for a refusal, 3 when the lab is not up (as LSB's status says)."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


NOT_UP = 3


def not_up(name: str) -> LabError:
    return LabError(f"The lab '{name}' is not up; start it with `groundwork-lab up`.", NOT_UP)
