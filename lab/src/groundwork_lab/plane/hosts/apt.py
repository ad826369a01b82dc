"""What the machine's own apt is configured to use, so that the lab's hosts use the same archive.

No mirror is named in the lab: the base image is built from, and later updates from, wherever this machine's
apt finds Debian. Sources: apt-get(8) `indextargets`, apt-config(8) `dump`, sources.list(5), apt-transport-mirror(1).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
POCKETS = ("", "-updates", "-security")

# Reaching an archive (proxies, certificates) is the machine's affair; how to judge its dates is a property
# of the machine's clock, which the hosts share.
REACHING = re.compile(r"Acquire::(https?::(Proxy|CaInfo|CaPath|Verify-)|Retries\b)", re.IGNORECASE)
JUDGING = re.compile(r"Acquire::Check-(Valid-Until|Date)\b", re.IGNORECASE)


class NoDebianArchiveError(Exception):
    """The machine's apt knows no Debian archive."""


@dataclass(frozen=True)
class Target:
    """One `Packages` index that apt knows. `origin` is empty while its Release file was never fetched."""

    uri: str
    release: str
    codename: str
    component: str
    origin: str


@dataclass(frozen=True)
class Source:
    """One entry of sources.list(5): an archive and a suite of it, component `main`."""

    uri: str
    suite: str


def parse_targets(text: str) -> list[Target]:
    """The indexes in the output of `apt-get indextargets` (stanzas of `Key: value` lines)."""
    targets = []
    for stanza in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
        if "Repo-URI" in fields:
            targets.append(
                Target(
                    uri=fields["Repo-URI"],
                    release=fields.get("Release", ""),
                    codename=fields.get("Codename", ""),
                    component=fields.get("Component", ""),
                    origin=fields.get("Origin", ""),
                )
            )
    return targets


def debian_sources(
    targets: Iterable[Target], machine: str, suite: str, read_mirrors: Callable[[str], str]
) -> tuple[Source, ...]:
    """The machine's Debian archives as sources for `suite`, one for each pocket that the machine has.

    `machine` is the machine's own release: a Debian 13 machine's archive holds Debian 12 as well.
    `read_mirrors` reads the list that a `mirror+file:` address names. Raises NoDebianArchiveError.
    """
    found: dict[str, Source] = {}
    for target in targets:
        if target.component != "main" or target.origin not in ("", "Debian"):
            continue
        for pocket in POCKETS:
            if f"{machine}{pocket}" in (target.release, target.codename):
                found.setdefault(pocket, Source(_direct(target.uri, read_mirrors), f"{suite}{pocket}"))
    if "" not in found:
        message = (
            f"apt on this machine knows no Debian archive for {machine} (component main); "
            "Debian roots, as the base image of the lab's hosts, are built from it. "
            "Add one to /etc/apt/sources.list.d and run apt-get update."
        )
        raise NoDebianArchiveError(message)
    return tuple(found[pocket] for pocket in POCKETS if pocket in found)


def _direct(uri: str, read_mirrors: Callable[[str], str]) -> str:
    """The first mirror behind a `mirror+file:` address (Debian's cloud images use them), or `uri` itself."""
    if not uri.startswith("mirror+file:"):
        return uri
    path = "/" + uri.removeprefix("mirror+file:").strip("/")
    lines = (line.split("#")[0].split() for line in read_mirrors(path).splitlines())
    return next((words[0] for words in lines if words), uri)


def render_sources(sources: Iterable[Source]) -> str:
    """The sources in deb822 style, one stanza each, as in Debian's AMIs."""
    stanzas = [
        f"Types: deb\nURIs: {source.uri}\nSuites: {source.suite}\nComponents: main\nSigned-By: {KEYRING}\n"
        for source in sources
    ]
    return "\n".join(stanzas)


def options(dump: str, wanted: re.Pattern[str]) -> tuple[str, ...]:
    """The lines of `apt-config dump` whose key matches `wanted` and that have a value."""
    return tuple(line for line in dump.splitlines() if wanted.match(line) and not line.endswith(' "";'))


@dataclass(frozen=True)
class Apt:
    """The machine's apt: its Debian sources, how to reach them, and how to judge their dates."""

    sources: tuple[Source, ...]
    reaching: tuple[str, ...]
    judging: tuple[str, ...]


def machine_apt(suite: str) -> Apt:
    """Ask this machine's apt. Raises NoDebianArchiveError, or CalledProcessError when apt itself fails."""
    indexes = _output("apt-get", "indextargets", "Created-By: Packages")
    dump = _output("apt-config", "dump")
    sources = debian_sources(parse_targets(indexes), _codename(), suite, lambda path: Path(path).read_text("utf-8"))
    return Apt(sources=sources, reaching=options(dump, REACHING), judging=options(dump, JUDGING))


def architecture() -> str:
    """Return this machine's architecture as Debian calls it: `amd64`, `arm64`."""
    return _output("dpkg", "--print-architecture").strip()


def _codename() -> str:
    lines = Path("/etc/os-release").read_text("utf-8").splitlines()
    return dict(line.partition("=")[::2] for line in lines).get("VERSION_CODENAME", "").strip('"')


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
