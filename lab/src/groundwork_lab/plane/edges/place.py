"""Where an edge is, and what its layers tell each other. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from groundwork_lab.settings import EDGE, ORIGIN, RESOLVER, TRUST_STORE

# What the viewer's layer tells the next ones, beside the headers for the origin, which hang on the last of these.
TOLD = (
    ("Edge-Site", "$edge_site"),
    ("Edge-Behavior", "$edge_behavior"),
    ("Edge-Host", "$edge_host"),
    ("Edge-Scheme", "$scheme"),
    ("Edge-Key", "$edge_key"),
    ("Edge-Headers", "$edge_headers"),
)


@dataclass(frozen=True)
class Place:
    """Where an edge is: its folder, what it listens on for viewers, and which S3 and resolver it asks."""

    folder: Path
    viewers: Sequence[str] = (f"{EDGE}:80", f"{EDGE}:443 ssl http2")
    s3: str = f"{ORIGIN[0]}:{ORIGIN[1]}"
    resolver: str = str(RESOLVER)
    trusted: Path = TRUST_STORE

    def socket(self, layer: str) -> Path:
        return self.folder / "sockets" / f"{layer}.sock"

    def cache(self, zone: str) -> Path:
        return self.folder / "cache" / zone
