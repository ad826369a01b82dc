"""Errors that the user caused or can fix. They are shown in one line, without a traceback."""

from __future__ import annotations

from groundwork_lab.settings import Settings


class LabError(Exception):
    """An error of a command. `code` is its exit code: 1 for a refusal, 3 if the lab is not up (as in LSB)."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


NOT_UP = 3


def not_up(settings: Settings) -> LabError:
    """Return the error for a daemon that does not answer."""
    if settings.state.exists():
        return LabError(half_there(settings), NOT_UP)
    return LabError(f"The lab '{settings.name}' is not up; start it with `groundwork-lab up`.", NOT_UP)


def half_there(settings: Settings) -> str:
    return f"The lab '{settings.name}' is incomplete, because its daemon ended; run `groundwork-lab down`, then `up`."
