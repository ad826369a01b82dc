"""The addresses and folders of an edge, and the headers between its layers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from groundwork_lab.settings import EDGE, EDGE_HTTP_1, ORIGIN, ORIGIN_FACING, RESOLVER, TRUST_STORE

# The headers from the viewer layer to the next layers. The last one contains the headers for the origin.
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
    """The location of an edge: its folder, its addresses, and the S3 and resolver that it uses."""

    folder: Path
    http: Sequence[str] = (f"{EDGE}:80", f"{EDGE_HTTP_1}:80")
    https: Sequence[str] = (f"{EDGE}:443",)
    https_1: Sequence[str] = (f"{EDGE_HTTP_1}:443",)  # without HTTP/2
    outgoing: str = str(ORIGIN_FACING)  # the address from which it connects to custom origins
    s3: str = f"{ORIGIN[0]}:{ORIGIN[1]}"
    resolver: str = str(RESOLVER)
    trusted: Path = TRUST_STORE

    def socket(self, layer: str) -> Path:
        return self.folder / "sockets" / f"{layer}.sock"

    def door(self, name: str) -> Path:
        """Return the socket that accepts the TLS connections of a distribution, or of a default certificate."""
        return self.socket(f"tls-{name}")

    @property
    def log(self) -> Path:
        """Return the file with the requests of distributions that are logged."""
        return self.folder / "logs" / "access.log"

    def secret(self, name: str) -> Path:
        """Return a file with a certificate or a key."""
        return self.folder / "tls" / name

    def cache(self, zone: str) -> Path:
        return self.folder / "cache" / zone
