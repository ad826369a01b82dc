"""The syntax of nginx's configuration. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(text: str) -> str:
    """Return `text` as one literal word of nginx's configuration."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${edge_dollar}")
    return f'"{escaped}"'


def indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
