"""How nginx' configuration is written. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(text: str) -> str:
    """`text` as one word of nginx's configuration, taken as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${edge_dollar}")
    return f'"{escaped}"'


def indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
